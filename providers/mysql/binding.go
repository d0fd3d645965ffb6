package mysql

import (
	"context"
	"fmt"
	"net/url"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// Bind makes an account with the rights of the instance's database. Called again it puts the account back to what it should be, password included.
func (d *Driver) Bind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Grant, providers.Progress, error) {
	password, err := providers.Password(b.Seed, "mysql password")
	if err != nil {
		return providers.Grant{}, providers.Progress{}, fault.Invalid.Wrap(err, "The binding has no seed.")
	}
	server, err := d.way.Take(ctx)
	if err != nil {
		return providers.Grant{}, providers.Progress{}, err
	}
	asked, err := d.settings.Networks.Of(b.Params)
	if err != nil {
		return providers.Grant{}, providers.Progress{}, err
	}
	network := asked.Or(d.settings.Networks[providers.DefaultNetwork]).Or(providers.Network{Address: server.address})
	name := loginOf(b.ID)
	grant, err := grantOf(network, name, password, databaseOf(i.ID))
	if err != nil {
		return providers.Grant{}, providers.Progress{}, err
	}
	grant.ExpiresAt = b.ExpiresAt
	err = d.locked(ctx, i.ID, func(s session) error {
		r, err := s.standing(ctx)
		if err != nil {
			return err
		}
		if err := s.admit(ctx, name, b.ID); err != nil {
			return err
		}
		state := "UNLOCK"
		if r.suspended {
			state = "LOCK"
		}
		if err := s.run(ctx, `CREATE USER IF NOT EXISTS `+account(name)+` ACCOUNT LOCK`); err != nil {
			return err
		}
		if err := s.allow(ctx, name, r.held); err != nil {
			return err
		}
		return s.run(ctx, fmt.Sprintf(`ALTER USER %s IDENTIFIED BY PASSWORD '%s' REQUIRE %s WITH MAX_USER_CONNECTIONS %d ACCOUNT %s`,
			account(name), stored(password), requirement(network), connections(i.Plan), state))
	})
	if err != nil {
		return providers.Grant{}, providers.Progress{}, err
	}
	return grant, providers.Progress{Done: true, Note: "the login is ready"}, nil
}

// admit writes a login into the books. What an earlier account of the same name did was counted then.
func (s session) admit(ctx context.Context, name, binding string) error {
	if _, err := s.ExecContext(ctx, `INSERT IGNORE INTO sutler.logins (name, instance, binding, seen)
		VALUES (?, ?, ?, COALESCE((SELECT `+counted+` FROM information_schema.USER_STATISTICS u WHERE u.USER = ?), 0))`, name, s.database, binding, name); err != nil {
		return err
	}
	_, err := s.ExecContext(ctx, `UPDATE sutler.logins SET gone = FALSE WHERE name = ?`, name)
	return err
}

// requirement is what the server itself asks of a login.
func requirement(n providers.Network) string {
	if n.Encrypted() {
		return "SSL"
	}
	return "NONE"
}

// clientMode is what MySQL's own clients call a mode.
func clientMode(mode string) string {
	return map[string]string{"disable": "DISABLED", "prefer": "PREFERRED", "require": "REQUIRED", "verify-ca": "VERIFY_CA", "verify-full": "VERIFY_IDENTITY"}[mode]
}

func grantOf(n providers.Network, name, password, database string) (providers.Grant, error) {
	host, port, err := n.Place()
	if err != nil {
		return providers.Grant{}, err
	}
	uri := url.URL{Scheme: "mysql", User: url.UserPassword(name, password), Host: n.Address, Path: "/" + database}
	credentials := map[string]any{"host": host, "port": port, "username": name, "password": password, "database": database}
	if n.TLS != "" {
		uri.RawQuery = url.Values{"ssl-mode": {clientMode(n.TLS)}}.Encode()
		credentials["sslmode"] = n.TLS
	}
	if n.CA != "" {
		credentials["ca"] = n.CA
	}
	credentials["uri"] = uri.String()
	return providers.Grant{Credentials: credentials, Endpoints: n.Endpoints()}, nil
}

// Unbind takes an account's access away for good. That the app changed its password, is connected, or owns objects does not matter.
func (d *Driver) Unbind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Progress, error) {
	name := loginOf(b.ID)
	err := d.locked(ctx, i.ID, func(s session) error {
		if err := s.shut(ctx, name); err != nil {
			return err
		}
		if _, err := s.ExecContext(ctx, `UPDATE sutler.logins SET gone = TRUE WHERE name = ?`, name); err != nil {
			return err
		}
		if err := s.end(ctx, name); err != nil {
			return err
		}
		return s.sweep(ctx)
	})
	return providers.Progress{Done: err == nil, Note: note(err, "the login is gone")}, err
}
