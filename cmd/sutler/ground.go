package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/sutlerhq/sutler/internal/audit"
	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
	"github.com/sutlerhq/sutler/internal/schema"
	"github.com/sutlerhq/sutler/internal/seal"
	"github.com/sutlerhq/sutler/internal/tasks"
	"github.com/sutlerhq/sutler/migrations"
)

// ground is what every room stands on: the store, its queue and calendar, the keys, the trail.
type ground struct {
	db       *database.DB
	engine   *tasks.Engine
	calendar *tasks.Calendar
	clock    *clock.Market
	box      *seal.Box
	audit    *audit.Log
}

// workers is how many pieces of work one process does at a time. Most of their time they wait for a backend.
const workers = 16

// openGround opens the store, brings its schema up and opens its keys. Nothing runs yet.
func openGround(ctx context.Context, c config) (*ground, error) {
	db, err := openStore(ctx, c)
	if err != nil {
		return nil, err
	}
	g := &ground{db: db, clock: new(clock.Market)}
	if err := g.build(ctx, c); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return g, nil
}

func (g *ground) build(ctx context.Context, c config) (err error) {
	if g.box, err = seal.New(ctx, g.db, c.MasterKey, true); err != nil {
		return err
	}
	g.engine = tasks.New(g.db, c.Node, ids.New("boot"), workers)
	if g.audit, err = audit.New(ctx, g.db, g.box, g.engine); err != nil {
		return err
	}
	g.calendar, err = tasks.NewCalendar(ctx, g.db, g.engine, g.clock)
	return err
}

func (g *ground) close() { _ = g.db.Close() } // what was committed stays

// openStore opens the store and migrates it. A PostgreSQL that is still starting is waited for; a SQLite file that another process holds,
// and data of a newer Sutler, are refused.
func openStore(ctx context.Context, c config) (*database.DB, error) {
	if path, ok := strings.CutPrefix(c.Store.Reveal(), "sqlite://"); ok {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, fault.Invalid.Wrap(err, "The folder of the store %s cannot be made: %s.", path, because(err))
		}
	}
	db, err := database.Open(ctx, c.Store.Reveal(), "FULL")
	if err != nil {
		return nil, err
	}
	if err := schema.Up(ctx, db, migrations.FS); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}
