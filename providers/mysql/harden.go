package mysql

import (
	"context"
	"database/sql"
	"strings"

	"github.com/sutlerhq/sutler/internal/fault"
)

// repair is a setting of the server that must have a value, and may be given it while the server runs.
type repair struct{ name, want, why string }

// repairs are put right when they are wrong. A restarted server may have forgotten them, so every probe looks.
func repairs() []repair {
	return []repair{
		{"local_infile", "0", "a login could be made to read files of its own machine"},
		{"userstat", "1", "queries are counted by it"},
		{"max_connect_errors", "4294967295", "measuring the latency looks to the server like a broken login, and it would shut the app's host out"},
	}
}

// harden makes a server as it comes from its package fit for tenants who know nothing of each other, or says what a person must do.
func harden(ctx context.Context, pool *sql.DB) error {
	var version, files, links string
	if err := pool.QueryRowContext(ctx, `SELECT VERSION(), COALESCE(@@secure_file_priv, ''), @@have_symlink`).Scan(&version, &files, &links); err != nil {
		return err
	}
	if !strings.Contains(version, "MariaDB") {
		return fault.ProviderFailed.Errorf("The server is no MariaDB server (version %s).", version).WithHint("MySQL 8 counts queries in another way and has not been tested; use MariaDB 10.11.")
	}
	if files == "" {
		return fault.ProviderFailed.Errorf("The MariaDB server's secure_file_priv is not set: files anywhere could be read and written through it.").
			WithHint("Set secure_file_priv in the [mariadbd] section of its configuration to a folder of its own, and restart it.")
	}
	if links == "YES" {
		return fault.ProviderFailed.Errorf("The MariaDB server lets tables be put into any folder (DATA DIRECTORY), by tenants too.").
			WithHint("Set skip-symbolic-links in the [mariadbd] section of its configuration, and restart it.")
	}
	if err := strangers(ctx, pool); err != nil {
		return err
	}
	return settle(ctx, pool)
}

// strangers removes the accounts without a name, and what everybody may do in the databases test and test_….
func strangers(ctx context.Context, pool *sql.DB) error {
	hosts, err := column(ctx, pool, `SELECT Host FROM mysql.user WHERE User = ''`)
	if err != nil {
		return err
	}
	for _, host := range hosts {
		if _, err := pool.ExecContext(ctx, `DROP USER IF EXISTS ''@'`+strings.ReplaceAll(strings.ReplaceAll(host, `\`, `\\`), `'`, `''`)+`'`); err != nil {
			return err
		}
	}
	done, err := pool.ExecContext(ctx, `DELETE FROM mysql.db WHERE User IN ('', 'PUBLIC')`)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err
	}
	_, err = pool.ExecContext(ctx, `FLUSH PRIVILEGES`)
	return err
}

// settle puts the server's settings right.
func settle(ctx context.Context, pool *sql.DB) error {
	for _, r := range repairs() {
		var now string
		if err := pool.QueryRowContext(ctx, `SELECT @@GLOBAL.`+r.name).Scan(&now); err != nil {
			return err
		}
		if now == r.want {
			continue
		}
		if _, err := pool.ExecContext(ctx, `SET GLOBAL `+r.name+` = `+r.want); err != nil {
			return fault.ProviderFailed.Wrap(err, "The MariaDB server's %s is %s and the administrator may not change it: %s.", r.name, now, r.why).
				WithHint("Set %s=%s in its configuration, or grant the administrator SUPER.", r.name, r.want)
		}
	}
	return nil
}

// column gives the texts of a query with one column.
func column(ctx context.Context, q interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, query string, args ...any,
) (list []string, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, rows.Err()
}
