package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/postgres"
)

// An administrator who may not shut the databases that come with the server says so instead of letting tenants meet there.
func TestDatabasesOpenToEverybody(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	admin := brokerOf(t, b.URL())
	su := connect(t, b.URL())
	execute(t, su, `GRANT CONNECT ON DATABASE postgres TO PUBLIC`)
	d := driver(t, postgres.Address(admin))
	err := d.Probe(t.Context())
	if f := fault.Of(err); err == nil || fault.KindOf(err) != fault.ProviderFailed || !strings.Contains(f.Text, "databases postgres,") || !strings.Contains(f.Hint, "REVOKE ALL ON DATABASE postgres FROM PUBLIC") {
		t.Errorf("%v", err)
	}
	execute(t, su, `REVOKE ALL ON DATABASE postgres FROM PUBLIC`)
	if err := d.Probe(t.Context()); err != nil {
		t.Errorf("after a superuser did it: %v", err)
	}
	execute(t, su, `GRANT ALL ON DATABASE postgres, template1 TO PUBLIC`)
	if err := driver(t, postgres.Address(b.URL())).Probe(t.Context()); err != nil {
		t.Errorf("as a superuser: %v", err)
	}
	var open int
	if err := su.QueryRow(t.Context(), `SELECT count(*) FROM pg_database, aclexplode(datacl) a WHERE datname IN ('postgres', 'template1') AND a.grantee = 0`).Scan(&open); err != nil || open > 0 {
		t.Errorf("a superuser's driver left %d rights to everybody: %v", open, err)
	}
}

// What a tenant prepares outlives its login: a server that lets it is not sold on.
func TestPreparedTransactionsAreRefused(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	execute(t, connect(t, b.URL()), `ALTER SYSTEM SET max_prepared_transactions = 5`)
	if err := b.restart(t.Context(), providers.Instance{}); err != nil {
		t.Fatal(err)
	}
	err := driver(t, postgres.Address(b.URL())).Probe(t.Context())
	if f := fault.Of(err); err == nil || !strings.Contains(f.Hint, "max_prepared_transactions") {
		t.Errorf("%v", err)
	}
}

// administrators are the two kinds that a shared server may be given to.
func administrators(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{"superuser": superuser(t), "broker": broker(t)}
}

// A tenant may name any role of the server. Neither that nor its locks keep another tenant's logins and instances from going.
func TestATenantNamesAnothersRoles(t *testing.T) {
	for name, admin := range administrators(t) {
		t.Run(name, func(t *testing.T) {
			d := driver(t, postgres.Address(admin))
			hostile, victim := made(t, d, "ins_hostile_"+name), made(t, d, "ins_victim_"+name)
			_, c := bind(t, d, hostile, "bnd_hostile_"+name)
			first, one := bind(t, d, victim, "bnd_victim_1_"+name)
			_, two := bind(t, d, victim, "bnd_victim_2_"+name)
			var group string
			if err := connect(t, one["uri"].(string)).QueryRow(t.Context(), `SELECT current_user`).Scan(&group); err != nil {
				t.Fatal(err)
			}
			a := connect(t, c["uri"].(string))
			execute(t, a, `CREATE TABLE bait (a int); ALTER TABLE bait ENABLE ROW LEVEL SECURITY; CREATE TABLE other (a int)`)
			for _, role := range []any{one["username"], two["username"], group} {
				execute(t, a, fmt.Sprintf(`GRANT ALL ON bait TO %[1]q; GRANT USAGE ON SCHEMA public TO %[1]q; ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO %[1]q; CREATE POLICY %[1]q ON bait TO %[1]q`, role))
			}
			execute(t, a, fmt.Sprintf(`BEGIN; LOCK TABLE bait IN ACCESS EXCLUSIVE MODE; GRANT SELECT ON other TO %q, %q, %q`, one["username"], two["username"], group))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if p, err := d.Unbind(ctx, victim, first); err != nil || !p.Done {
				t.Errorf("unbind: %v", errors.Join(err, errors.Unwrap(err)))
			}
			a = connect(t, c["uri"].(string))
			execute(t, a, fmt.Sprintf(`BEGIN; GRANT SELECT ON other TO %q, %q`, two["username"], group))
			if p, err := d.Deprovision(ctx, victim); err != nil || !p.Done {
				t.Errorf("deprovision: %v", errors.Join(err, errors.Unwrap(err)))
			}
			execute(t, connect(t, c["uri"].(string)), `SELECT * FROM bait`)
		})
	}
}

// One app's own transaction is waited for and not ended, as long as the instance lives.
func TestAnAppsOwnTransactionIsSpared(t *testing.T) {
	d := driver(t, postgres.Address(superuser(t)))
	i := made(t, d, "ins_spared")
	b, c := bind(t, d, i, "bnd_spared_1")
	_, other := bind(t, d, i, "bnd_spared_2")
	a := connect(t, other["uri"].(string))
	execute(t, a, fmt.Sprintf(`CREATE TABLE t (a int); BEGIN; GRANT SELECT ON t TO %q`, c["username"]))
	if _, err := d.Unbind(t.Context(), i, b); fault.KindOf(err) != fault.Busy {
		t.Errorf("got %v", err)
	}
	execute(t, a, `COMMIT`)
	if p, err := d.Unbind(t.Context(), i, b); err != nil || !p.Done {
		t.Errorf("after the transaction: %v", err)
	}
}

// What a tenant could do to the server or learn of its neighbours from inside its own database.
func TestWhatATenantMayNotDo(t *testing.T) {
	for name, admin := range administrators(t) {
		t.Run(name, func(t *testing.T) {
			d := driver(t, postgres.Address(admin))
			mine, theirs := made(t, d, "ins_curious_"+name), made(t, d, "ins_quiet_"+name)
			_, c := bind(t, d, mine, "bnd_curious_"+name)
			_, o := bind(t, d, theirs, "bnd_quiet_"+name)
			a, other := connect(t, c["uri"].(string)), connect(t, o["uri"].(string))
			execute(t, other, `CREATE TABLE t (a int); SELECT lo_create(4711); LISTEN quiet; SELECT pg_advisory_lock(4711)`)
			for _, as := range []string{`RESET ROLE`, `SET ROLE NONE`} {
				execute(t, a, as)
				for _, sql := range forbiddenTo(c, o) {
					if _, err := a.Exec(t.Context(), sql); err == nil {
						t.Errorf("after %s: %s", as, sql)
					} else if e, ok := errors.AsType[*pgconn.PgError](err); !ok || e.Code == "42601" {
						t.Errorf("%s: %v: it says nothing of rights", sql, err)
					}
				}
			}
			for query, want := range map[string]bool{
				`SELECT pg_try_advisory_lock(4711)`:                                                                                                       true, // locks are the database's own
				`SELECT EXISTS (SELECT FROM pg_largeobject_metadata WHERE oid = 4711)`:                                                                    false,
				`SELECT EXISTS (SELECT FROM pg_listening_channels())`:                                                                                     false,
				`SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname <> current_database() AND query !~ '^(<insuff.*|)$')`:                          false,
				`SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname <> current_database() AND client_addr IS NOT NULL)`:                            false,
				`SELECT EXISTS (SELECT FROM pg_roles WHERE rolpassword <> '********')`:                                                                    false,
				`SELECT EXISTS (SELECT FROM pg_database WHERE has_database_privilege(oid, 'CONNECT') AND datname <> current_database() AND datallowconn)`: false,
			} {
				var got bool
				if err := a.QueryRow(t.Context(), query).Scan(&got); err != nil || got != want {
					t.Errorf("%s: %t, want %t: %v", query, got, want, err)
				}
			}
		})
	}
}

// forbiddenTo are statements that a login must be refused; the other is a neighbour's.
func forbiddenTo(mine, other map[string]any) []string {
	list := []string{
		`COPY (SELECT 1) TO PROGRAM 'true'`, `COPY (SELECT 1) TO '/tmp/x'`, `CREATE TEMP TABLE IF NOT EXISTS lines (l text); COPY lines FROM '/etc/passwd'`, `SELECT lo_import('/etc/passwd')`, `SELECT lo_export(0, '/tmp/x')`,
		`SELECT pg_read_file('/etc/passwd')`, `SELECT pg_ls_dir('.')`, `SELECT pg_stat_file('PG_VERSION')`, `SELECT pg_ls_waldir()`, `SELECT pg_current_logfile()`, `SHOW data_directory`, `TABLE pg_hba_file_rules`, `TABLE pg_file_settings`,
		`TABLE pg_authid`, `TABLE pg_user_mapping`, `TABLE pg_subscription`, `TABLE pg_statistic`, `TABLE pg_largeobject`,
		`ALTER SYSTEM SET work_mem = '1GB'`, `SELECT pg_reload_conf()`, `SELECT pg_switch_wal()`, `SELECT pg_rotate_logfile()`, `CHECKPOINT`, `SELECT pg_stat_reset()`, `SELECT pg_stat_reset_shared('bgwriter')`, `SELECT pg_promote()`,
		`SELECT pg_create_physical_replication_slot('mine')`, `SELECT pg_create_logical_replication_slot('mine', 'pgoutput')`, `CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p WITH (connect = false)`, `SELECT pg_replication_origin_create('mine')`,
		`CREATE PUBLICATION every FOR ALL TABLES`, `CREATE TABLESPACE mine LOCATION '/tmp'`, `CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION suppress_redundant_updates_trigger()`, `CREATE FOREIGN DATA WRAPPER mine`,
		`CREATE FUNCTION mine(text) RETURNS int LANGUAGE c AS 'libc.so.6', 'system'`, `CREATE FUNCTION mine() RETURNS int LANGUAGE internal AS 'pg_backend_pid'`, `LOAD '/nowhere/x.so'`, `CREATE DATABASE more`, `CREATE DATABASE more TEMPLATE template0`,
		`CREATE ROLE more LOGIN`, `SET SESSION AUTHORIZATION sutler`, `SET ROLE sutler`, `SET ROLE pg_monitor`, `GRANT pg_read_all_data TO CURRENT_USER`, `SET session_replication_role = replica`, `SET log_statement = 'all'`,
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname <> current_database() AND pid <> pg_backend_pid()`, `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname <> current_database() AND pid <> pg_backend_pid()`,
		fmt.Sprintf(`SELECT pg_database_size('%s')`, other["database"]), fmt.Sprintf(`ALTER ROLE %q PASSWORD 'mine'`, other["username"]), fmt.Sprintf(`ALTER ROLE %q SET work_mem = '1GB'`, other["username"]), fmt.Sprintf(`COMMENT ON ROLE %q IS 'mine'`, mine["username"]),
		fmt.Sprintf(`GRANT %q TO %q`, other["username"], mine["username"]), fmt.Sprintf(`GRANT %q TO %q`, mine["username"], other["username"]), fmt.Sprintf(`SET ROLE %q`, other["username"]), fmt.Sprintf(`REASSIGN OWNED BY %q TO %q`, other["username"], mine["username"]), fmt.Sprintf(`DROP OWNED BY %q`, other["username"]),
		fmt.Sprintf(`ALTER ROLE %q CONNECTION LIMIT 1000`, mine["username"]), fmt.Sprintf(`ALTER ROLE %q BYPASSRLS`, mine["username"]), fmt.Sprintf(`DROP ROLE %q`, mine["username"]), fmt.Sprintf(`ALTER ROLE %q RENAME TO mine`, mine["username"]),
		fmt.Sprintf(`ALTER DATABASE %q CONNECTION LIMIT 1000`, mine["database"]), fmt.Sprintf(`ALTER DATABASE %q OWNER TO %q`, mine["database"], mine["username"]), fmt.Sprintf(`ALTER DATABASE %q SET work_mem = '1GB'`, mine["database"]), fmt.Sprintf(`COMMENT ON DATABASE %q IS 'mine'`, mine["database"]),
		fmt.Sprintf(`ALTER DATABASE %q RENAME TO mine`, mine["database"]), fmt.Sprintf(`DROP DATABASE %q`, other["database"]), `ALTER SCHEMA public RENAME TO mine`, `CREATE TABLE pg_catalog.mine (a int)`, `UPDATE pg_class SET relname = relname`,
	}
	for _, extension := range []string{"dblink", "postgres_fdw", "file_fdw", "adminpack", "pageinspect", "pg_buffercache", "pg_stat_statements", "pg_prewarm", "pg_surgery", "pg_visibility"} {
		list = append(list, `CREATE EXTENSION `+extension)
	}
	return list
}

// What an app made under its own name, of every kind, the instance's other apps use, change and drop after it has gone.
func TestWhatAGoneAppMadeIsTheOthers(t *testing.T) {
	for name, admin := range administrators(t) {
		t.Run(name, func(t *testing.T) {
			d := driver(t, postgres.Address(admin))
			i := made(t, d, "ins_heirs_"+name)
			b, c := bind(t, d, i, "bnd_maker_"+name)
			execute(t, connect(t, c["uri"].(string)), `SET ROLE NONE; CREATE EXTENSION pg_trgm; CREATE EXTENSION citext; CREATE SCHEMA own; CREATE TYPE own.mood AS ENUM ('a'); CREATE DOMAIN own.word AS text; CREATE SEQUENCE own.s;
				CREATE TABLE own.t (a int PRIMARY KEY, m own.mood, w text); INSERT INTO own.t VALUES (1, 'a', 'word'); CREATE TABLE own.parts (a int) PARTITION BY RANGE (a); CREATE TABLE own.part PARTITION OF own.parts FOR VALUES FROM (0) TO (9);
				CREATE VIEW own.v AS SELECT * FROM own.t; CREATE MATERIALIZED VIEW own.m AS SELECT * FROM own.t; CREATE STATISTICS own.st ON a, w FROM own.t; CREATE INDEX ON own.t USING gin (w public.gin_trgm_ops);
				CREATE FUNCTION own.f() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN NEW.w = current_user; RETURN NEW; END'; CREATE TRIGGER tr BEFORE INSERT ON own.t FOR EACH ROW EXECUTE FUNCTION own.f();
				CREATE PROCEDURE own.p() LANGUAGE sql AS 'SELECT 1'; CREATE AGGREGATE own.agg (int) (SFUNC = int4pl, STYPE = int); CREATE OPERATOR own.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = int4pl); CREATE COLLATION own.c FROM "C";
				CREATE TEXT SEARCH CONFIGURATION own.ts (COPY = simple); CREATE TEXT SEARCH DICTIONARY own.dict (TEMPLATE = simple); CREATE PUBLICATION pub FOR TABLE own.t; CREATE POLICY pol ON own.t USING (true); ALTER TABLE own.t ENABLE ROW LEVEL SECURITY;
				CREATE RULE r AS ON DELETE TO own.v DO INSTEAD NOTHING; CREATE CONVERSION own.conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8; SELECT lo_create(4712); REVOKE ALL ON SCHEMA own FROM PUBLIC; ALTER DEFAULT PRIVILEGES REVOKE ALL ON FUNCTIONS FROM PUBLIC`)
			if _, err := d.Unbind(t.Context(), i, b); err != nil {
				t.Fatal(err, errors.Unwrap(err))
			}
			_, c = bind(t, d, i, "bnd_heir_"+name)
			heir := connect(t, c["uri"].(string))
			execute(t, heir, `INSERT INTO own.t VALUES (2, 'a', ''); SELECT nextval('own.s'); CALL own.p(); REFRESH MATERIALIZED VIEW own.m; ALTER TABLE own.t ADD COLUMN more int; ALTER TYPE own.mood ADD VALUE 'b'; ALTER EXTENSION pg_trgm UPDATE`)
			execute(t, heir, `DROP PUBLICATION pub; SELECT lo_unlink(4712); DROP SCHEMA own CASCADE; DROP EXTENSION pg_trgm; DROP EXTENSION citext`)
			if rows, err := d.Count(t.Context(), i); err != nil || len(rows) > 0 {
				t.Errorf("left: %v %v", rows, err)
			}
		})
	}
}
