package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
)

// Trespass tries the database of theirs and the server's own with the login of mine, and what can be done from inside one's own database. It
// names the first way in, "" when there is none. What it made where a way was open it takes back.
func Trespass(ctx context.Context, mine, theirs map[string]any) (way string, err error) {
	there := maps.Clone(mine)
	for _, database := range []any{theirs["database"], "mysql", "sutler", "sys", "test"} {
		there["database"] = database
		if a, err := Login(ctx, there); err == nil {
			a.Close()
			return fmt.Sprint("the database ", database), nil
		}
	}
	a, err := Login(ctx, mine)
	if err != nil {
		return "", err
	}
	defer a.Close()
	own, other, them := fmt.Sprint(mine["database"]), fmt.Sprint(theirs["database"]), fmt.Sprint(theirs["username"])
	if way, err := a.shown(ctx, overviews(own, other, them)); way != "" || err != nil {
		return way, err // one that has a right of the whole server tries no statement that could harm it
	}
	for _, try := range attempts(own, other, them) {
		if _, err := a.Conn.ExecContext(ctx, try.sql); err != nil {
			continue
		}
		if try.undo != "" {
			_, _ = a.Conn.ExecContext(ctx, try.undo) // it is told of as a way in, whatever becomes of it
		}
		return try.sql, nil
	}
	var file sql.NullString
	if err := a.Conn.QueryRowContext(ctx, "SELECT LOAD_FILE('/etc/passwd')").Scan(&file); err != nil || file.Valid {
		return "LOAD_FILE of the server's files", err
	}
	_, _ = a.Conn.ExecContext(ctx, "CREATE TABLE elsewhere (a INT) DATA DIRECTORY = '/tmp'") // the option is ignored, or the statement refused
	return a.shown(ctx, []string{"SELECT 1 FROM information_schema.TABLES WHERE CREATE_OPTIONS LIKE '%DIRECTORY%'"})
}

// shown gives the first of the queries that has an answer, or none.
func (a *App) shown(ctx context.Context, queries []string) (string, error) {
	for _, query := range queries {
		if some, err := a.answers(ctx, query); some || err != nil {
			return query, err
		}
	}
	return "", nil
}

func (a *App) answers(ctx context.Context, query string) (bool, error) {
	rows, err := a.Conn.QueryContext(ctx, query)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	return rows.Next(), rows.Err()
}

// overviews are queries that must have no answer for a tenant.
func overviews(own, other, them string) []string {
	return []string{
		"SELECT PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE <> 'USAGE'",
		"SHOW DATABASES LIKE '" + other + "'",
		"SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN ('information_schema', '" + own + "')",
		"SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '" + other + "'",
		"SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '" + them + "'",
		"SELECT GRANTEE FROM information_schema.SCHEMA_PRIVILEGES WHERE TABLE_SCHEMA <> '" + own + "'",
		"SELECT GRANTEE FROM information_schema.USER_PRIVILEGES WHERE GRANTEE LIKE '%" + them + "%'",
	}
}

// attempt is a statement that must be refused, and what takes it back where it was not.
type attempt struct{ sql, undo string }

func attempts(own, other, them string) (list []attempt) {
	more := own + "x"
	like := own[:len(own)-1] + "_"
	for _, text := range []string{
		"USE " + other, "SELECT * FROM " + other + ".notes", "INSERT INTO " + other + ".notes VALUES ('x', 'y')", "CREATE TABLE " + other + ".x (a INT)", "DROP DATABASE " + other,
		"CREATE VIEW spy AS SELECT * FROM " + other + ".notes", "SELECT * FROM mysql.user", "SELECT * FROM mysql.global_priv", "SELECT * FROM mysql.db", "SELECT * FROM sutler.logins",
		"SELECT 1 INTO OUTFILE '/tmp/" + more + "'", "SELECT 1 INTO DUMPFILE '/var/tmp/" + more + "'", "LOAD DATA INFILE '/etc/passwd' INTO TABLE notes", "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE notes",
		"GRANT SELECT ON " + own + ".* TO " + them, "GRANT ALL ON `db%`.* TO CURRENT_USER()", "SET GLOBAL local_infile = @@GLOBAL.local_infile",
		"ALTER USER CURRENT_USER() WITH MAX_USER_CONNECTIONS 1000", "ALTER USER CURRENT_USER() REQUIRE NONE WITH MAX_USER_CONNECTIONS 0", "SET PASSWORD FOR " + them + " = PASSWORD('x')", "SHOW GRANTS FOR " + them,
		"CREATE FUNCTION sys_exec RETURNS INT SONAME 'x.so'", "CREATE DEFINER=" + them + " VIEW theirs AS SELECT 1", "SELECT * FROM information_schema.INNODB_TRX", "SHOW ENGINE INNODB STATUS", "SET SESSION SQL_LOG_BIN = 0",
		"SELECT LOAD_FILE('/etc/passwd') + (SELECT 1 FROM " + other + ".notes)", "FLUSH USER_STATISTICS",
	} {
		list = append(list, attempt{sql: text})
	}
	return append(
		list,
		attempt{"CREATE DATABASE " + more, "DROP DATABASE " + more}, attempt{"CREATE DATABASE `" + like + "`", "DROP DATABASE `" + like + "`"},
		attempt{"CREATE DATABASE test_" + more, "DROP DATABASE test_" + more}, attempt{"CREATE TABLE test." + more + " (a INT)", "DROP TABLE test." + more},
		attempt{"CREATE USER " + more, "DROP USER " + more}, attempt{"INSTALL SONAME 'ha_federated'", "UNINSTALL SONAME 'ha_federated'"}, attempt{sql: "SHUTDOWN"},
	)
}

// Cling owns every kind of thing that runs with its owner's rights, and changes its own password.
func Cling(ctx context.Context, a *App) error {
	for _, text := range []string{
		"CREATE TABLE `mine'\"``x` (a INT PRIMARY KEY, n INT)", "CREATE VIEW v AS SELECT * FROM `mine'\"``x`", "CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN (SELECT COUNT(*) FROM notes)",
		"CREATE TRIGGER tr BEFORE INSERT ON `mine'\"``x` FOR EACH ROW SET NEW.n = f()", "CREATE PROCEDURE p() BEGIN SELECT 1; END", "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SET @x = 1",
		"CREATE TEMPORARY TABLE tmp (a INT)", "SET PASSWORD = PASSWORD('changed by the app itself')", "START TRANSACTION", "INSERT INTO `mine'\"``x` VALUES (1, 0)",
	} {
		if _, err := a.Conn.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return nil
}
