package postgres_test

import (
	"bytes"
	"io"
	"os"
	"reflect"
	"testing"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers/postgres"
)

func TestBackupRestoresIntoAnotherInstance(t *testing.T) {
	for name, admin := range map[string]string{"superuser": superuser(t), "broker": broker(t)} {
		t.Run(name, func(t *testing.T) {
			d := driver(t, postgres.Address(admin))
			from, to := made(t, d, "ins_from_"+name), made(t, d, "ins_to_"+name)
			_, c := bind(t, d, from, "bnd_from_"+name)
			a := connect(t, c["uri"].(string))
			execute(t, a, `CREATE TABLE "odd""'; x" (id serial PRIMARY KEY, b bytea); INSERT INTO "odd""'; x" (b) VALUES ('\x00ff'), (NULL); CREATE VIEW v AS SELECT count(*) AS n FROM "odd""'; x"`)
			execute(t, a, `SET ROLE NONE; CREATE SCHEMA own; CREATE TABLE own.t AS SELECT 1 AS a`)
			if _, err := d.Suspend(t.Context(), from); err != nil {
				t.Fatal(err)
			}
			var stream bytes.Buffer
			if err := d.Backup(t.Context(), from, &stream); err != nil {
				t.Fatal(err, fault.Of(err).Unwrap())
			}
			if err := d.Restore(t.Context(), to, &stream); err != nil {
				t.Fatal(err, fault.Of(err).Unwrap())
			}
			one, err := d.Count(t.Context(), from)
			if err != nil {
				t.Fatal(err)
			}
			two, err := d.Count(t.Context(), to)
			if err != nil || !reflect.DeepEqual(one, two) || one[`public.odd"'; x`] != 2 {
				t.Errorf("%v, %v: %v", one, two, err)
			}
			_, c = bind(t, d, to, "bnd_to_"+name)
			b := connect(t, c["uri"].(string))
			execute(t, b, `INSERT INTO "odd""'; x" (b) VALUES ('new'); ALTER TABLE own.t ADD COLUMN more int; SELECT * FROM v`)
			if in, err := d.Inspect(t.Context(), to); err != nil || len(in.Sessions) != 1 {
				t.Errorf("the copier was left behind: %+v %v", in, err)
			}
		})
	}
}

// TestACopyKeepsNobodyWaiting: while a copy is under way the instance is suspended, an app is unbound and a plan is changed, and none of it waits for the
// copy nor breaks it.
func TestACopyKeepsNobodyWaiting(t *testing.T) {
	d := driver(t, postgres.Address(superuser(t)))
	from, to := made(t, d, "ins_long_copy"), made(t, d, "ins_long_copied")
	b, c := bind(t, d, from, "bnd_long_copy")
	a := connect(t, c["uri"].(string))
	execute(t, a, `CREATE TABLE big AS SELECT g AS id, encode(sha256(g::text::bytea), 'hex') || encode(sha256((-g)::text::bytea), 'hex') AS text FROM generate_series(1, 100000) g`)
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	r, w := io.Pipe()
	copied := make(chan error, 1)
	go func() {
		err := d.Backup(t.Context(), from, w)
		_ = w.CloseWithError(err)
		copied <- err
	}()
	first := make([]byte, 1)
	if _, err := io.ReadFull(r, first); err != nil { // it is writing, and waits for us
		t.Fatal(err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("a process that is killed now leaves its password in %v: %v", left, err)
	}
	if in, err := d.Inspect(t.Context(), from); err != nil || len(in.Sessions) != 1 {
		t.Errorf("the copier is shown as a binding: %+v %v", in, err)
	}
	bigger := from
	bigger.Plan.Limits = map[string]int64{"connections": 77}
	if _, err := d.Update(t.Context(), from, bigger); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Suspend(t.Context(), from); err != nil {
		t.Fatal(err)
	}
	if p, err := d.Unbind(t.Context(), from, b); err != nil || !p.Done {
		t.Fatal(p, err)
	}
	select {
	case err := <-copied:
		t.Fatal("the copy ended before it was read: this test shows nothing", err)
	default:
	}
	if err := d.Restore(t.Context(), to, io.MultiReader(bytes.NewReader(first), r)); err != nil {
		t.Fatal(err, fault.Of(err).Unwrap())
	}
	if err := <-copied; err != nil {
		t.Fatal(err)
	}
	one, err := d.Count(t.Context(), bigger)
	if err != nil {
		t.Fatal(err)
	}
	two, err := d.Count(t.Context(), to)
	if err != nil || one["public.big"] != 100000 || !reflect.DeepEqual(one, two) {
		t.Error(one, two, err)
	}
	var limit int
	admin := connect(t, superuser(t))
	if err := admin.QueryRow(t.Context(), `SELECT datconnlimit FROM pg_database WHERE datname = $1`, d.NameOf(from.ID)).Scan(&limit); err != nil || limit != 77 {
		t.Error("the limit that an update put is", limit, err)
	}
}

func TestWatchTellsOfTheSize(t *testing.T) {
	d := driver(t, postgres.Address(superuser(t)))
	i := made(t, d, "ins_watch")
	if list, err := d.Watch(t.Context(), i); err != nil || len(list) != 0 {
		t.Errorf("%+v %v", list, err)
	}
	i.Plan.Limits = map[string]int64{"storage_bytes": 1 << 10}
	if list, err := d.Watch(t.Context(), i); err != nil || len(list) != 1 || list[0].Limit != "storage_bytes" || list[0].Held || list[0].Used <= list[0].Allowed {
		t.Errorf("%+v %v", list, err)
	}
}
