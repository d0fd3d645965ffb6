package audit_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/sutlerhq/sutler/internal/audit"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/seal"
	"github.com/sutlerhq/sutler/internal/tasks"
)

// start opens the trail as a process does that has the master key at path.
func start(t *testing.T, db *database.DB, path string) *audit.Log {
	t.Helper()
	box, err := seal.New(t.Context(), db, path, true)
	if err != nil {
		t.Fatal(err)
	}
	l, err := audit.New(t.Context(), db, box, tasks.New(db, "n", "1", 2))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Whoever writes the store without the master key, while the market is stopped, gets nothing linked and is noticed; deeds go on.
func TestNothingIsBuiltOnAForgedTrail(t *testing.T) {
	const unlink = `UPDATE audit_rows SET seq = 0, mac = '' WHERE seq > 10`
	const back = `UPDATE audit_tip SET seq = 10, mac = (SELECT mac FROM audit_rows WHERE seq = 10)`
	const old = `UPDATE audit_tip SET seq = 10, mac = (SELECT mac FROM old_tip), proof = (SELECT proof FROM old_tip)`
	for name, forgery := range map[string][]string{
		"rows rewritten and unlinked":          {`UPDATE audit_rows SET who = 'x', detail = '{}' WHERE seq > 10`, unlink, back},
		"rows cut off and the end set back":    {`DELETE FROM audit_rows WHERE seq > 10`, back},
		"everything deleted":                   {`DELETE FROM audit_rows`, `DELETE FROM audit_tip`},
		"the end deleted":                      {`DELETE FROM audit_tip`},
		"an end without rows":                  {`DELETE FROM audit_rows`, `UPDATE audit_tip SET seq = 0, mac = '', proof = ''`},
		"rows rewritten under an old end":      {`UPDATE audit_rows SET who = 'x' WHERE seq > 10`, unlink, old},
		"one row taken out under an old end":   {`DELETE FROM audit_rows WHERE seq = 12`, unlink, old},
		"a row that nobody wrote":              {`INSERT INTO audit_rows (id, org, project, at, who, via, action, object, detail) SELECT 'aud_x', org, project, at, 'x', via, action, object, detail FROM audit_rows WHERE seq = 3`},
		"a waiting row rewritten":              {`UPDATE audit_rows SET who = 'x' WHERE seq = 0`},
		"a waiting row that knows a long past": {`UPDATE audit_rows SET known = 0 WHERE seq = 0`},
	} {
		t.Run(name, func(t *testing.T) {
			db, path := dbtest.New(t), filepath.Join(t.TempDir(), "master.key")
			l := start(t, db, path)
			for _, n := range []int{10, 5} {
				add(t, db, l, n)
				if _, err := l.Link(t.Context()); err != nil {
					t.Fatal(err)
				}
				keep(t, db, `CREATE TABLE IF NOT EXISTS old_tip AS SELECT * FROM audit_tip`) // after the first ten
			}
			add(t, db, l, 1)
			if r := verify(t, l); !r.OK || r.Linked != 15 || r.Pending != 1 {
				t.Fatalf("before the forgery: %+v", r)
			}
			for _, q := range forgery {
				change(t, db, q)
			}
			l = start(t, db, path)
			add(t, db, l, 2)
			for range 2 {
				if n, err := l.Link(t.Context()); n != 0 || !errors.Is(err, fault.Conflict) {
					t.Errorf("linked %d, %v", n, err)
				}
				if r := verify(t, l); r.OK || r.FirstBad == "" || r.Reason == "" {
					t.Errorf("%+v", r)
				}
			}
		})
	}
}

// What one store cannot know of itself, an outside head tells; a process that runs has its own memory.
func TestOldCopyOfEverything(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		path := filepath.Join(t.TempDir(), "master.key")
		l := start(t, db, path)
		add(t, db, l, 3)
		link := func() audit.Head {
			t.Helper()
			if _, err := l.Link(t.Context()); err != nil {
				t.Fatal(err)
			}
			rows, err := l.List(t.Context(), "", 1)
			if err != nil {
				t.Fatal(err)
			}
			h, err := audit.ParseHead(fmt.Sprintf("%d:%s", rows[0].Seq, rows[0].MAC))
			if err != nil {
				t.Fatal(err)
			}
			return h
		}
		early := link()
		keep(t, db, `CREATE TABLE old_tip AS SELECT * FROM audit_tip`)
		add(t, db, l, 3)
		late := link()
		check := func(l *audit.Log, ok bool, heads ...audit.Head) {
			t.Helper()
			if r, err := l.Verify(t.Context(), heads...); err != nil || r.OK != ok {
				t.Errorf("%v: %+v, %v", heads, r, err)
			}
		}
		check(l, true, early, late)
		check(l, false, audit.Head{Seq: early.Seq, MAC: late.MAC})
		change(t, db, `DELETE FROM audit_rows WHERE seq > 3`)
		change(t, db, `UPDATE audit_tip SET seq = 3, mac = (SELECT mac FROM old_tip), proof = (SELECT proof FROM old_tip)`)
		check(l, false)
		if _, err := l.Link(t.Context()); !errors.Is(err, fault.Conflict) {
			t.Error("the process forgot how long the chain was:", err)
		}
		again := start(t, db, path)
		check(again, true, early)
		check(again, false, late)
	})
	for _, text := range []string{"", "3", "x:00", "0:00", "3:zz"} {
		if _, err := audit.ParseHead(text); !errors.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A deed commits while the trail is refused.
func TestRefusalKeepsNoDeedFromHappening(t *testing.T) {
	db, path := dbtest.New(t), filepath.Join(t.TempDir(), "master.key")
	l := start(t, db, path)
	change(t, db, `DELETE FROM audit_tip`)
	err := db.Tx(t.Context(), func(ctx context.Context) error { return l.Append(ctx, audit.Entry{Action: "x"}) })
	if _, lerr := l.Link(t.Context()); err != nil || !errors.Is(lerr, fault.Conflict) {
		t.Error(err, lerr)
	}
}

func keep(t *testing.T, db *database.DB, q string) {
	t.Helper()
	if err := db.Tx(t.Context(), func(ctx context.Context) error { return db.From(ctx).Exec(q).Error }); err != nil {
		t.Fatal(err)
	}
}
