package postgres_test

import (
	"bytes"
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
