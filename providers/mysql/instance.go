package mysql

import (
	"context"
	"fmt"

	"github.com/sutlerhq/sutler/providers"
)

// Provision makes the database. One whose every step was done is left alone, so that a call that comes late opens nothing that was closed since.
func (d *Driver) Provision(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	err := d.locked(ctx, i.ID, func(s session) error {
		r, err := s.record(ctx)
		if err != nil || r.made {
			return err
		}
		if err := s.enter(ctx); err != nil {
			return err
		}
		if err := s.run(ctx, `CREATE DATABASE IF NOT EXISTS `+quoted(s.database)+` CHARACTER SET utf8mb4`); err != nil {
			return err
		}
		_, err = s.ExecContext(ctx, `UPDATE sutler.instances SET made = TRUE WHERE name = ?`, s.database)
		return err
	})
	return providers.Progress{Done: err == nil, Note: note(err, "the database is ready")}, err
}

func note(err error, done string) string {
	if err != nil {
		return ""
	}
	return done
}

// Deprovision shuts every login of the instance, ends their sessions, drops the database, then the accounts.
func (d *Driver) Deprovision(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	err := d.locked(ctx, i.ID, func(s session) error {
		list, err := s.logins(ctx)
		if err != nil {
			return err
		}
		for _, l := range list {
			if err := s.shut(ctx, l.name); err != nil {
				return err
			}
		}
		if err := s.end(ctx, names(list)...); err != nil {
			return err
		}
		if err := s.dropDatabase(ctx); err != nil {
			return err
		}
		for _, l := range list {
			if err := s.run(ctx, `DROP USER IF EXISTS `+account(l.name)); err != nil {
				return err
			}
		}
		if _, err := s.ExecContext(ctx, `DELETE FROM sutler.logins WHERE instance = ?`, s.database); err != nil {
			return err
		}
		if _, err := s.ExecContext(ctx, `DELETE FROM sutler.starts WHERE instance = ?`, s.database); err != nil {
			return err
		}
		_, err = s.ExecContext(ctx, `DELETE FROM sutler.instances WHERE name = ?`, s.database)
		return err
	})
	return providers.Progress{Done: err == nil, Note: note(err, "the database is gone")}, err
}

// Update puts the new plan's connection limit on every login.
func (d *Driver) Update(ctx context.Context, old, new providers.Instance) (providers.Progress, error) {
	err := d.locked(ctx, new.ID, func(s session) error {
		if _, err := s.standing(ctx); err != nil {
			return err
		}
		list, err := s.logins(ctx)
		if err != nil {
			return err
		}
		if err = s.limit(ctx, list, connections(new.Plan)); err != nil {
			if back := s.limit(context.WithoutCancel(ctx), list, connections(old.Plan)); back != nil {
				err = fmt.Errorf("%w; and putting the old limit back: %w", err, back)
			}
		}
		return err
	})
	return providers.Progress{Done: err == nil}, err
}

func (s session) limit(ctx context.Context, list []login, n int64) error {
	for _, l := range list {
		if err := s.run(ctx, fmt.Sprintf(`ALTER USER IF EXISTS %s WITH MAX_USER_CONNECTIONS %d`, account(l.name), n)); err != nil {
			return err
		}
	}
	return nil
}

// Suspend locks every login and ends the sessions. The data stay.
func (d *Driver) Suspend(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	err := d.locked(ctx, i.ID, func(s session) error {
		if _, err := s.standing(ctx); err != nil {
			return err
		}
		if _, err := s.ExecContext(ctx, `UPDATE sutler.instances SET suspended = TRUE WHERE name = ?`, s.database); err != nil {
			return err
		}
		list, err := s.logins(ctx)
		if err != nil {
			return err
		}
		for _, l := range list {
			if err := s.run(ctx, `ALTER USER IF EXISTS `+account(l.name)+` ACCOUNT LOCK`); err != nil {
				return err
			}
		}
		return s.end(ctx, names(list)...)
	})
	return providers.Progress{Done: err == nil}, err
}

// Resume unlocks the logins that were not unbound.
func (d *Driver) Resume(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	err := d.locked(ctx, i.ID, func(s session) error {
		if _, err := s.standing(ctx); err != nil {
			return err
		}
		list, err := s.logins(ctx)
		if err != nil {
			return err
		}
		for _, l := range list {
			if l.gone {
				continue
			}
			if err := s.run(ctx, `ALTER USER IF EXISTS `+account(l.name)+` ACCOUNT UNLOCK`); err != nil {
				return err
			}
		}
		_, err = s.ExecContext(ctx, `UPDATE sutler.instances SET suspended = FALSE WHERE name = ?`, s.database)
		return err
	})
	return providers.Progress{Done: err == nil}, err
}
