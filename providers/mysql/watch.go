package mysql

import (
	"context"
	"strconv"

	"github.com/sutlerhq/sutler/providers"
)

// Watch holds two limits that the server cannot hold by itself: over its size an instance loses the right to write until it is within
// it again, and of connections beyond the plan's (each login may have that many; together they may not) the youngest are ended.
func (d *Driver) Watch(ctx context.Context, i providers.Instance) ([]providers.Excess, error) {
	var list []providers.Excess
	err := d.locked(ctx, i.ID, func(s session) error {
		r, err := s.standing(ctx)
		if err != nil {
			return err
		}
		if err := s.sweep(ctx); err != nil {
			return err
		}
		size, err := s.size(ctx)
		if err != nil {
			return err
		}
		allowed, limited := i.Plan.Limits["storage_bytes"]
		over := limited && size > allowed
		if over {
			list = append(list, providers.Excess{Limit: "storage_bytes", Allowed: allowed, Used: size, Held: true})
		}
		if over != r.held {
			if err := s.hold(ctx, over); err != nil {
				return err
			}
		}
		most := connections(i.Plan)
		if most == 0 {
			return nil
		}
		used, err := s.surplus(ctx, most)
		if used > most {
			list = append(list, providers.Excess{Limit: "connections", Allowed: most, Used: used, Held: true})
		}
		return err
	})
	return list, err
}

// hold takes the right to write away or gives it back. A session keeps the rights that it began with, so all are ended: apps connect again.
func (s session) hold(ctx context.Context, on bool) error {
	list, err := s.logins(ctx)
	if err != nil {
		return err
	}
	for _, l := range list {
		if on {
			err = s.run(ctx, `REVOKE `+writing+` ON `+scope(s.database)+` FROM `+account(l.name))
		} else {
			err = s.allow(ctx, l.name, false)
		}
		if err != nil {
			return err
		}
	}
	if err := s.end(ctx, names(list)...); err != nil {
		return err
	}
	_, err = s.ExecContext(ctx, `UPDATE sutler.instances SET held = ? WHERE name = ?`, on, s.database)
	return err
}

// surplus ends the youngest connections beyond the limit and tells how many there were in all.
func (s session) surplus(ctx context.Context, most int64) (int64, error) {
	open, err := column(ctx, s, `SELECT p.ID FROM information_schema.PROCESSLIST p JOIN sutler.logins l ON l.name = p.USER
		WHERE l.instance = ? ORDER BY p.ID`, s.database)
	if err != nil || int64(len(open)) <= most {
		return int64(len(open)), err
	}
	return int64(len(open)), s.kill(ctx, open[most:])
}

// Count counts the rows of every table. Views are left out: to count one would run what a tenant wrote.
func (d *Driver) Count(ctx context.Context, i providers.Instance) (map[string]int64, error) {
	out := map[string]int64{}
	err := d.locked(ctx, i.ID, func(s session) error {
		if _, err := s.standing(ctx); err != nil {
			return err
		}
		tables, err := column(ctx, s, `SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')`, s.database)
		if err != nil {
			return err
		}
		for _, table := range tables {
			var n string
			if err := s.QueryRowContext(ctx, `SELECT COUNT(*) FROM `+quoted(s.database)+`.`+quoted(table)).Scan(&n); err != nil {
				return err
			}
			if out[table], err = strconv.ParseInt(n, 10, 64); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}
