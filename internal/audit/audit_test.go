package audit_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/audit"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/seal"
	"github.com/sutlerhq/sutler/internal/tasks"
)

func trail(t *testing.T, db *database.DB) (*audit.Log, *tasks.Engine) {
	t.Helper()
	box, err := seal.New(t.Context(), db, filepath.Join(t.TempDir(), "master.key"), true)
	if err != nil {
		t.Fatal(err)
	}
	engine := tasks.New(db, "n", "1", 2)
	l, err := audit.New(t.Context(), db, box, engine)
	if err != nil {
		t.Fatal(err)
	}
	return l, engine
}

func add(t *testing.T, db *database.DB, l *audit.Log, n int) {
	t.Helper()
	for i := range n {
		err := db.Tx(t.Context(), func(ctx context.Context) error {
			return l.Append(ctx, audit.Entry{Org: "org_a", Who: "ada", Action: "instance.provision", Object: fmt.Sprintf("instance/%d", i), Detail: map[string]string{"plan": "small"}})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func change(t *testing.T, db *database.DB, q string, args ...any) {
	t.Helper()
	err := db.Tx(t.Context(), func(ctx context.Context) error {
		x := db.From(ctx).Exec(q, args...)
		if x.Error == nil && x.RowsAffected == 0 {
			return errors.New("the forgery touched no row")
		}
		return x.Error
	})
	if err != nil {
		t.Fatal(err)
	}
}

func verify(t *testing.T, l *audit.Log) audit.Report {
	t.Helper()
	r, err := l.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestForgeriesAreNamed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		l, _ := trail(t, db)
		if r := verify(t, l); !r.OK || r.Linked != 0 {
			t.Fatalf("an empty trail: %+v", r)
		}
		add(t, db, l, 6)
		if r := verify(t, l); !r.OK || r.Linked != 0 || r.Pending != 6 {
			t.Fatalf("pending: %+v", r)
		}
		if n, err := l.Link(t.Context()); n != 6 || err != nil {
			t.Fatal(n, err)
		}
		add(t, db, l, 1)
		if r := verify(t, l); !r.OK || r.Linked != 6 || r.Pending != 1 {
			t.Fatalf("linked: %+v", r)
		}
		rows, err := l.List(t.Context(), "org_a", 10)
		if err != nil || len(rows) != 7 || rows[1].Seq != 6 || rows[1].Detail["plan"] != "small" {
			t.Fatal(rows, err)
		}
		id := func(seq int64) string { return rows[7-seq].ID }
		for _, f := range []struct{ name, do, undo, bad string }{
			{"an edited column", `UPDATE audit_rows SET who = 'eve' WHERE seq = 3`, `UPDATE audit_rows SET who = 'ada' WHERE seq = 3`, id(3)},
			{"an edited detail", `UPDATE audit_rows SET detail = '{}' WHERE seq = 2`, `UPDATE audit_rows SET detail = '{"plan":"small"}' WHERE seq = 2`, id(2)},
			{"two rows changed places", `UPDATE audit_rows SET seq = 7 - seq + 100 WHERE seq IN (3, 4)`, `UPDATE audit_rows SET seq = 107 - seq WHERE seq > 100`, "seq 3"},
			{"a forged MAC", `UPDATE audit_rows SET mac = 'ff' WHERE seq = 6`, `UPDATE audit_rows SET mac = (SELECT mac FROM audit_tip) WHERE seq = 6`, id(6)},
			{"a forged end", `UPDATE audit_tip SET seq = 5`, `UPDATE audit_tip SET seq = 6`, id(5)},
			{"an end without proof", `UPDATE audit_tip SET proof = 'x' || proof`, `UPDATE audit_tip SET proof = substr(proof, 2)`, "seq 6"},
			{"a deleted end", `UPDATE audit_tip SET seq = 0`, `UPDATE audit_tip SET seq = 6`, "seq 6"},
		} {
			change(t, db, f.do)
			if r := verify(t, l); r.OK || r.FirstBad != f.bad || r.Reason == "" {
				t.Errorf("%s: %+v, want %s", f.name, r, f.bad)
			}
			change(t, db, f.undo)
			if r := verify(t, l); !r.OK {
				t.Fatalf("%s was undone: %+v", f.name, r)
			}
		}
		change(t, db, `DELETE FROM audit_rows WHERE seq = 6`)
		if r := verify(t, l); r.OK || r.FirstBad != "seq 6" {
			t.Errorf("the last row deleted: %+v", r)
		}
		change(t, db, `DELETE FROM audit_rows WHERE seq = 2`)
		if r := verify(t, l); r.OK || r.FirstBad != "seq 2" {
			t.Errorf("a row in the middle deleted: %+v", r)
		}
	})
}

func TestAppendNeedsTheDeedsTransaction(t *testing.T) {
	db := dbtest.New(t)
	l, _ := trail(t, db)
	if err := l.Append(t.Context(), audit.Entry{Action: "x"}); !errors.Is(err, fault.Internal) {
		t.Error(err)
	}
	boom := errors.New("boom")
	err := db.Tx(t.Context(), func(ctx context.Context) error {
		return errors.Join(l.Append(ctx, audit.Entry{Action: "x"}), boom)
	})
	if rows, lerr := l.List(t.Context(), "", 10); !errors.Is(err, boom) || lerr != nil || len(rows) != 0 {
		t.Error("a row outlived its transaction", rows, err, lerr)
	}
}

// The linker and the signer do their work by themselves when the engine runs.
func TestEngineLinksAndSigns(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		l, engine := trail(t, db)
		add(t, db, l, 450) // more than one batch
		if _, err := l.Link(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := engine.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		add(t, db, l, 3)
		wait := time.NewTicker(20 * time.Millisecond)
		defer wait.Stop()
		for r := verify(t, l); r.Pending > 0 || r.Heads == 0; r = verify(t, l) {
			if !r.OK {
				t.Fatalf("%+v", r)
			}
			select {
			case <-t.Context().Done():
				t.Fatal(r)
			case <-wait.C:
			}
		}
		change(t, db, `UPDATE audit_heads SET signature = key_id`)
		if r := verify(t, l); r.OK {
			t.Error("a forged head passed")
		}
	})
}
