package mysql_test

import (
	"fmt"
	"testing"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers/mysql"
)

// prepares leaves a prepared transaction behind, which holds a row of the instance when its connection and its login are gone.
func prepares(t *testing.T, credentials map[string]any, xid string) {
	t.Helper()
	a := entered(t, credentials)
	execute(t, a.Conn, "CREATE TABLE IF NOT EXISTS t (a INT PRIMARY KEY)", "XA START "+xid, "INSERT INTO t VALUES (2)", "XA END "+xid, "XA PREPARE "+xid)
	a.Close()
}

// A transaction that an app prepared does not keep its instance from going, and where it cannot be told from others none is touched.
func TestAPreparedTransactionKeepsNothing(t *testing.T) {
	t.Parallel()
	s := newBox(t)
	d := open(t, mysql.Settings{Admin: mysql.Address(s.URL())})
	one, two := made(t, d, "ins_xa_one"), made(t, d, "ins_xa_two")
	b, c := bind(t, d, one, "bnd_xa_one")
	prepares(t, c, `'odd\'"',X'00FF',7`)
	if p, err := d.Unbind(t.Context(), one, b); err != nil || !p.Done {
		t.Fatalf("unbind: %v", err)
	}
	_, o := bind(t, d, two, "bnd_xa_two")
	prepares(t, o, `'two'`)
	if _, err := d.Deprovision(t.Context(), one); fault.KindOf(err) != fault.ProviderFailed || fault.Of(err).Hint == "" {
		t.Errorf("of two prepared transactions one was chosen: %v", err)
	}
	a := entered(t, o)
	execute(t, a.Conn, "XA COMMIT 'two'")
	if got, err := texts(t.Context(), a.Conn, "SELECT a FROM t"); err != nil || len(got) != 1 {
		t.Errorf("the other tenant's transaction: %v %v", got, err)
	}
	if p, err := d.Deprovision(t.Context(), one); err != nil || !p.Done {
		t.Errorf("deprovision: %v", err)
	}
}

// What a tenant could do to the server or learn of its neighbours, beside what every conformance run tries.
func TestWhatATenantMayNotDo(t *testing.T) {
	d := open(t, mysql.Settings{})
	mine, theirs := made(t, d, "ins_curious"), made(t, d, "ins_quiet")
	_, c := bind(t, d, mine, "bnd_curious")
	_, o := bind(t, d, theirs, "bnd_quiet")
	a, other := entered(t, c), entered(t, o)
	execute(t, other.Conn, "CREATE TABLE t (a INT)", "CREATE PROCEDURE p() SELECT 1", "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SET @x = 1", "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET @x = 1", "INSERT INTO t VALUES (1)")
	ids, err := texts(t.Context(), other.Conn, "SELECT CONNECTION_ID()")
	if err != nil {
		t.Fatal(err)
	}
	them, me, base, id := fmt.Sprint(o["database"]), fmt.Sprint(c["username"]), fmt.Sprint(c["database"]), ids[0]
	for _, text := range []string{
		"KILL " + id, "KILL QUERY " + id, "SHOW EXPLAIN FOR " + id, "SHOW ANALYZE FOR " + id, "SHOW CREATE TABLE " + them + ".t", "SHOW CREATE PROCEDURE " + them + ".p", "SHOW TABLES FROM " + them, "SHOW CREATE DATABASE " + them,
		"HANDLER " + them + ".t OPEN", "CALL " + them + ".p()", "ALTER EVENT " + them + ".e DISABLE", "DROP TRIGGER " + them + ".tr", "RENAME TABLE t TO " + them + ".x", "CREATE TABLE stolen LIKE " + them + ".t", "ANALYZE TABLE " + them + ".t", "LOCK TABLES " + them + ".t READ",
		"BACKUP LOCK " + them + ".t", "BACKUP STAGE START", "FLUSH TABLES", "FLUSH TABLES WITH READ LOCK", "FLUSH PRIVILEGES", "FLUSH LOGS", "RESET MASTER", "SHOW BINLOG EVENTS", "SHOW MASTER STATUS", "SHOW REPLICA STATUS", "PURGE BINARY LOGS TO 'x'", "CHANGE MASTER TO MASTER_HOST = '127.0.0.1'",
		"CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST '127.0.0.1')", "CREATE TABLE far (a INT) ENGINE=FEDERATED CONNECTION='mysql://127.0.0.1/x/y'", "CREATE TABLE far (a INT) ENGINE=CONNECT FILE_NAME='/etc/passwd'", "INSTALL PLUGIN x SONAME 'x.so'", "CREATE ROLE r", "SET ROLE r",
		"CREATE DEFINER=root@localhost PROCEDURE q() SELECT 1", "CREATE DEFINER=root@localhost EVENT q ON SCHEDULE EVERY 1 DAY DO SELECT 1", "CREATE DEFINER=sutler@`%` TRIGGER q BEFORE INSERT ON u FOR EACH ROW SET @x = 1", "CREATE EVENT " + them + ".q ON SCHEDULE EVERY 1 DAY DO SELECT 1",
		"ALTER USER " + me + " ACCOUNT UNLOCK", "ALTER USER " + me + " IDENTIFIED BY 'x' PASSWORD EXPIRE NEVER", "DROP USER " + me, "RENAME USER " + me + " TO x", "GRANT PROXY ON root TO " + me, "REVOKE SELECT ON " + base + ".* FROM " + me, "SHOW CREATE USER root@localhost",
		"SET GLOBAL event_scheduler = ON", "SET GLOBAL general_log = 1", "SET GLOBAL secure_file_priv = ''", "SET GLOBAL max_connections = 1", "SET GLOBAL innodb_ft_aux_table = 'x/y'", "SET GLOBAL userstat = 0", "SET SESSION sql_log_off = 1", "SET SESSION gtid_domain_id = 7",
	} {
		if _, err := a.Conn.ExecContext(t.Context(), text); err == nil {
			t.Errorf("it was let: %s", text)
		}
	}
	for _, query := range []string{
		"SHOW OPEN TABLES WHERE `Database` NOT IN ('" + base + "', 'information_schema')", "SELECT TABLE_NAME FROM information_schema.TABLE_STATISTICS WHERE TABLE_SCHEMA <> '" + base + "'", "SELECT INDEX_NAME FROM information_schema.INDEX_STATISTICS WHERE TABLE_SCHEMA <> '" + base + "'",
		"SELECT USER FROM information_schema.USER_STATISTICS WHERE USER <> '" + me + "'", "SELECT CLIENT FROM information_schema.CLIENT_STATISTICS", "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA NOT IN ('" + base + "')", "SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA <> '" + base + "'",
		"SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA <> '" + base + "'", "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA NOT IN ('" + base + "', 'information_schema')", "SELECT TABLE_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA <> '" + base + "'",
		"SELECT PARTITION_NAME FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA NOT IN ('" + base + "', 'information_schema')", "SELECT CONSTRAINT_NAME FROM information_schema.TABLE_CONSTRAINTS WHERE TABLE_SCHEMA <> '" + base + "'", "SELECT ID FROM information_schema.PROCESSLIST WHERE USER <> '" + me + "'",
	} {
		if seen, err := texts(t.Context(), a.Conn, query); err == nil && len(seen) > 0 {
			t.Errorf("%s: %v", query, seen)
		}
	}
	for _, view := range []string{"INNODB_TRX", "INNODB_LOCKS", "INNODB_LOCK_WAITS", "INNODB_SYS_TABLES", "INNODB_SYS_TABLESPACES", "INNODB_SYS_INDEXES", "INNODB_BUFFER_PAGE", "INNODB_METRICS", "INNODB_TABLESPACES_ENCRYPTION"} {
		if _, err := a.Conn.ExecContext(t.Context(), "SELECT * FROM information_schema."+view); err == nil {
			t.Errorf("it may look into %s", view)
		}
	}
	_, _ = a.Conn.ExecContext(t.Context(), "KILL USER "+fmt.Sprint(o["username"])) // it is not refused, and does nothing
	if err := other.Conn.PingContext(t.Context()); err != nil {
		t.Errorf("the neighbour's connection is gone: %v", err)
	}
}
