package database

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/gorm"

	"github.com/sutlerhq/sutler/internal/fault"
)

const (
	writeConns = 16 // per process; pool_max_conns in the address overrules it
	readConns  = 8
	bootWait   = 30 * time.Second
	// A process that is frozen inside a transaction holds the lock on its task; the server ends it so that another can take over.
	idleLimit = "10s"
)

func (d *DB) openPostgres(ctx context.Context, dsn string) error {
	conf, err := pgxpool.ParseConfig(dsn)
	if err != nil { // its text may show the address; pgx hides the password
		return fault.Invalid.Wrap(err, "The store's address is no PostgreSQL address.").WithHint("It looks like postgres://user:password@host:5432/database.")
	}
	own := strings.Contains(dsn, "pool_max_conns")
	if !own {
		conf.MaxConns = writeConns
	}
	conf.ConnConfig.RuntimeParams["application_name"] = "sutler"
	conf.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = idleLimit
	if d.Pool, err = pgxpool.NewWithConfig(ctx, conf); err != nil {
		return fault.Invalid.Wrap(err, "The store's address cannot be used.")
	}
	reading := conf.Copy()
	if !own {
		reading.MaxConns = readConns
	}
	reading.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on"
	if d.readPool, err = pgxpool.NewWithConfig(ctx, reading); err != nil {
		return fault.Invalid.Wrap(err, "The store's address cannot be used.")
	}
	d.W, d.R = stdlib.OpenDBFromPool(d.Pool), stdlib.OpenDBFromPool(d.readPool)
	if err = await(ctx, d.W); err != nil {
		return err
	}
	if d.write, err = gorm.Open(speaking(outer{d.W, d}, true), config()); err != nil {
		return err
	}
	d.read, err = gorm.Open(speaking(outer{d.R, d}, false), config())
	return err
}

// await asks until the server answers: at boot the market and its store often start together.
func await(ctx context.Context, pool *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, bootWait)
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := pool.PingContext(ctx)
		if err == nil {
			return nil
		}
		if hopeless(err) {
			return fault.Invalid.Wrap(err, "PostgreSQL refuses the store's address.").WithHint("Check user, password and database name.")
		}
		select {
		case <-ctx.Done():
			return fault.Unavailable.Wrap(err, "PostgreSQL does not answer.").WithHint("Check that it runs and can be reached from here.")
		case <-time.After(pause):
		}
	}
}

// hopeless tells a refusal that waiting does not mend (authorisation, no such database) from a server that is not there yet.
func hopeless(err error) bool {
	p, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (strings.HasPrefix(p.Code, "28") || p.Code == "3D000")
}
