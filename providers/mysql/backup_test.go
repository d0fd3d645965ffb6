package mysql_test

import (
	"bytes"
	"context"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers/mysql"
)

func TestBackupCarriesEveryKindOfObject(t *testing.T) {
	d := open(t, mysql.Settings{})
	from, to := made(t, d, "ins_from"), made(t, d, "ins_to")
	_, c := bind(t, d, from, "bnd_from")
	a := entered(t, c)
	odd := "it's; \"odd\" -- `x` # /* \\ ; DELIMITER ;;\n/*!50013 DEFINER=`root`@`localhost` */ größe 🐘\x00\x1a"
	if err := a.Put(t.Context(), "odd", odd); err != nil {
		t.Fatal(err)
	}
	execute(t, a.Conn, "CREATE TABLE `mine'\"``x` (a INT PRIMARY KEY AUTO_INCREMENT, b BLOB, CHECK (LENGTH(b) > 0))", "INSERT INTO `mine'\"``x` (b) VALUES (X'00FF275C22')",
		"CREATE VIEW v AS SELECT `key`, 'a;b' AS semi FROM notes", "CREATE TABLE l (n INT)", "CREATE TRIGGER tr AFTER INSERT ON notes FOR EACH ROW BEGIN INSERT INTO l VALUES (1); /* it's; */ INSERT INTO l VALUES (2); -- don't\n END",
		"CREATE PROCEDURE p() BEGIN SELECT 'DEFINER=`x`@`y`'; END", "CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN (SELECT COUNT(*) FROM notes)", "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO INSERT INTO l VALUES (3)")
	if _, err := d.Suspend(t.Context(), from); err != nil {
		t.Fatal(err)
	}
	var stream bytes.Buffer
	if err := d.Backup(t.Context(), from, &stream); err != nil {
		t.Fatalf("of a suspended instance: %v", err)
	}
	if err := d.Restore(t.Context(), to, bytes.NewReader(stream.Bytes())); err != nil {
		t.Fatal(fault.Of(err).Unwrap(), err)
	}
	one, err := d.Count(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	two, err := d.Count(t.Context(), to)
	if err != nil || !reflect.DeepEqual(one, two) || one["notes"] != 1 {
		t.Errorf("%v, %v: %v", one, two, err)
	}
	_, c = bind(t, d, to, "bnd_to")
	b := entered(t, c)
	if got, err := b.Get(t.Context(), "odd"); err != nil || got != odd {
		t.Errorf("%q %v", got, err)
	}
	execute(t, b.Conn, "INSERT INTO notes VALUES ('new', 'x')", "CALL p()", "ALTER TABLE `mine'\"``x` ADD COLUMN c INT")
	for query, want := range map[string]string{"SELECT semi FROM v LIMIT 1": "a;b", "SELECT COUNT(*) FROM l": "2", "SELECT f()": "2", "SELECT COUNT(*) FROM information_schema.EVENTS": "1", "SELECT HEX(b) FROM `mine'\"``x`": "00FF275C22"} {
		if got, err := texts(t.Context(), b.Conn, query); err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%s: %v %v, want %s", query, got, err, want)
		}
	}
}

// looking calls f at the first write.
type looking struct {
	f    func()
	once sync.Once
}

func (l *looking) Write(p []byte) (int, error) {
	l.once.Do(l.f)
	return len(p), nil
}

func TestACopyLeavesNoPasswordInAFile(t *testing.T) {
	d := open(t, mysql.Settings{})
	from := made(t, d, "ins_no_file")
	folder, looked := t.TempDir(), false
	t.Setenv("TMPDIR", folder)
	err := d.Backup(t.Context(), from, &looking{f: func() {
		looked = true
		if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
			t.Errorf("a process that is killed now leaves its password in %v: %v", left, err)
		}
	}})
	if err != nil || !looked {
		t.Error(looked, err)
	}
}

func TestAHostileBackupReachesNothingElse(t *testing.T) {
	d := open(t, mysql.Settings{})
	mine, theirs := made(t, d, "ins_hostile"), made(t, d, "ins_victim")
	_, c := bind(t, d, theirs, "bnd_victim")
	if err := entered(t, c).Put(t.Context(), "secret", "x"); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"other database": "DROP TABLE " + c["database"].(string) + ".notes;", "account": "CREATE USER intruder;", "accounts": "SELECT * FROM mysql.user;", "file": "SELECT 1 INTO OUTFILE '/tmp/x';",
		"use": "USE " + c["database"].(string) + ";", "program": "\\! touch /tmp/x\n;", "broken off": "INSERT INTO notes VALUES ('", "another's rights": "CREATE DEFINER=`root`@`localhost` VIEW v AS SELECT 1; SELECT * FROM mysql.user;",
	} {
		if err := d.Restore(t.Context(), mine, strings.NewReader(text+"\n-- Dump completed\n")); err == nil {
			t.Errorf("%s: it was run", name)
		}
	}
	if counts, err := d.Count(t.Context(), theirs); err != nil || counts["notes"] != 1 {
		t.Errorf("%v %v", counts, err)
	}
	if in, err := d.Inspect(context.Background(), mine); err != nil || len(in.Sessions) > 0 {
		t.Errorf("%+v %v", in, err)
	}
}
