package mysql_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/mysql"
)

// made provisions an instance of the smallest plan that goes when the test ends.
func made(t testing.TB, d *mysql.Driver, id string) providers.Instance {
	t.Helper()
	list, err := d.Offerings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := providers.Instance{ID: id, Plan: list[0].Plans[0], Params: json.RawMessage(`{}`)}
	if p, err := d.Provision(t.Context(), i); err != nil || !p.Done {
		t.Fatalf("%+v %v", p, err)
	}
	t.Cleanup(func() {
		if _, err := d.Deprovision(context.Background(), i); err != nil {
			t.Error(err)
		}
	})
	return i
}

func bind(t testing.TB, d *mysql.Driver, i providers.Instance, id string) (providers.Binding, map[string]any) {
	t.Helper()
	b := providers.Binding{ID: id, Seed: []byte("0123456789abcdef" + id)}
	g, p, err := d.Bind(t.Context(), i, b)
	if err != nil || !p.Done {
		t.Fatalf("%+v %v", p, err)
	}
	return b, g.Credentials
}

func entered(t testing.TB, credentials map[string]any) *mysql.App {
	t.Helper()
	a, err := enter(t.Context(), credentials)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

func TestConnectionsAreHeldForEachLoginAndWatchedForAll(t *testing.T) {
	d := open(t, mysql.Settings{})
	i := made(t, d, "ins_limit")
	most := i.Plan.Limits["connections"]
	_, one := bind(t, d, i, "bnd_limit_1")
	var first []*mysql.App
	for range most {
		first = append(first, entered(t, one))
	}
	if a, err := enter(t.Context(), one); err == nil {
		a.Close()
		t.Error("one connection more than the plan allows one login")
	}
	_, two := bind(t, d, i, "bnd_limit_2")
	young := entered(t, two)
	excess, err := d.Watch(t.Context(), i)
	if err != nil || len(excess) != 1 || excess[0].Limit != "connections" || excess[0].Used != most+1 || !excess[0].Held {
		t.Fatalf("%+v %v", excess, err)
	}
	for deadline := time.Now().Add(30 * time.Second); young.Conn.PingContext(t.Context()) == nil; {
		if time.Now().After(deadline) {
			t.Fatal("the youngest connection beyond the limit lives on")
		}
	}
	if err := first[0].Conn.PingContext(t.Context()); err != nil {
		t.Errorf("an older connection was ended: %v", err)
	}
	if excess, err := d.Watch(t.Context(), i); err != nil || len(excess) > 0 {
		t.Errorf("within the plan again: %+v %v", excess, err)
	}
}

func TestWritesAreTakenAwayOverTheSizeAndGivenBack(t *testing.T) {
	d := open(t, mysql.Settings{})
	i := made(t, d, "ins_size")
	_, c := bind(t, d, i, "bnd_size")
	a := entered(t, c)
	if err := a.Put(t.Context(), "big", strings.Repeat("x", 6<<20)); err != nil {
		t.Fatal(err)
	}
	i.Plan.Limits = map[string]int64{"storage_bytes": 4 << 20, "connections": 5}
	excess, err := d.Watch(t.Context(), i)
	if err != nil || len(excess) != 1 || excess[0].Limit != "storage_bytes" || !excess[0].Held || excess[0].Used < 6<<20 {
		t.Fatalf("%+v %v", excess, err)
	}
	a = entered(t, c)
	if _, err := a.Conn.ExecContext(t.Context(), "INSERT INTO notes VALUES ('more', 'x')"); err == nil {
		t.Error("an instance over its size goes on writing")
	}
	_, late := bind(t, d, i, "bnd_size_late")
	if _, err := entered(t, late).Conn.ExecContext(t.Context(), "INSERT INTO notes VALUES ('more', 'x')"); err == nil {
		t.Error("a new login of an instance over its size writes")
	}
	if got, err := texts(t.Context(), a.Conn, "SELECT `key` FROM notes"); err != nil || len(got) != 1 {
		t.Errorf("it cannot read any more: %v %v", got, err)
	}
	execute(t, a.Conn, "DROP TABLE notes")
	if excess, err := d.Watch(t.Context(), i); err != nil || len(excess) > 0 {
		t.Fatalf("after dropping the table: %+v %v", excess, err)
	}
	if err := entered(t, c).Put(t.Context(), "again", "x"); err != nil {
		t.Errorf("the right to write did not come back: %v", err)
	}
}

func TestWhatAGoneLoginDefinedGoesOnWorking(t *testing.T) {
	d := open(t, mysql.Settings{})
	i := made(t, d, "ins_definer")
	gone, c := bind(t, d, i, "bnd_definer_1")
	a := entered(t, c)
	if err := a.Put(t.Context(), "k", "v"); err != nil {
		t.Fatal(err)
	}
	execute(t, a.Conn, "CREATE VIEW v AS SELECT * FROM notes", "CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 3", "CREATE TABLE l (n INT)", "CREATE TRIGGER tr AFTER INSERT ON notes FOR EACH ROW INSERT INTO l VALUES (f())")
	if _, err := d.Unbind(t.Context(), i, gone); err != nil {
		t.Fatal(err)
	}
	if in, err := d.Inspect(t.Context(), i); err != nil || len(in.Sessions) != 0 {
		t.Errorf("the unbound login is still listed: %+v %v", in, err)
	}
	_, other := bind(t, d, i, "bnd_definer_2")
	b := entered(t, other)
	execute(t, b.Conn, "SELECT * FROM v", "SELECT f()", "INSERT INTO notes VALUES ('k2', 'v')")
	su := super(t)
	kept := fmt.Sprint(c["username"])
	if list, err := texts(t.Context(), su, "SELECT User FROM mysql.user WHERE User = ?", kept); err != nil || len(list) != 1 {
		t.Errorf("the account of what it defined: %v %v", list, err)
	}
	if _, err := d.Suspend(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Resume(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	if a, err := enter(t.Context(), c); err == nil {
		a.Close()
		t.Error("a resume opened a login that was unbound")
	}
	b = entered(t, other)
	execute(t, b.Conn, "DROP VIEW v", "DROP FUNCTION f", "DROP TRIGGER tr")
	if _, err := d.Watch(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	if list, err := texts(t.Context(), su, "SELECT User FROM mysql.user WHERE User = ?", kept); err != nil || len(list) != 0 {
		t.Errorf("an account that defines nothing any more stays: %v %v", list, err)
	}
}

func TestALoginThatWasOnItsWayIsEnded(t *testing.T) {
	d := open(t, mysql.Settings{})
	i := made(t, d, "ins_slow")
	b, _ := bind(t, d, i, "bnd_slow")
	conn, err := net.Dial("tcp", running(t).Address) // it greets and then waits for us, as long as connect_timeout says
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Read(make([]byte, 256)); err != nil {
		t.Fatal(err)
	}
	if p, err := d.Unbind(t.Context(), i, b); err != nil || !p.Done {
		t.Fatalf("%+v %v", p, err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Errorf("a half-made login outlived Unbind: %v", err)
	}
}

func TestHardening(t *testing.T) {
	t.Parallel()
	s, err := start("mysql-soft", "--local-infile=1", "--userstat=0", "--max-connect-errors=10")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop(); _ = os.RemoveAll(s.Dir) })
	db, su, err := dial(t.Context(), s.Address, s.User, s.Password, "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	execute(t, su, "CREATE USER ''@'%'", "CREATE DATABASE test", "GRANT ALL ON test.* TO PUBLIC", "GRANT ALL ON `test\\_%`.* TO PUBLIC", "GRANT ALL ON test.* TO ''@'%'")
	d := open(t, mysql.Settings{Admin: mysql.Address(s.URL())})
	if err := d.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"SELECT COUNT(*) FROM mysql.user WHERE User = ''": "0", "SELECT COUNT(*) FROM mysql.db WHERE Db LIKE 'test%'": "0",
		"SELECT @@GLOBAL.local_infile": "0", "SELECT @@GLOBAL.userstat": "1",
	} {
		if got, err := texts(t.Context(), su, query); err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%s: %v %v, want %s", query, got, err, want)
		}
	}
	execute(t, su, "SET GLOBAL local_infile = 1") // as a restart would
	if err := d.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := texts(t.Context(), su, "SELECT @@GLOBAL.local_infile"); err != nil || got[0] != "0" {
		t.Errorf("a later probe leaves it: %v %v", got, err)
	}
	for name, c := range map[string]struct{ option, says string }{
		"files": {"--secure-file-priv=", "secure_file_priv"}, "links": {"--symbolic-links", "DATA DIRECTORY"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := start("mysql-"+name, c.option)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Stop(); _ = os.RemoveAll(s.Dir) })
			err = open(t, mysql.Settings{Admin: mysql.Address(s.URL())}).Probe(t.Context())
			if f := fault.Of(err); err == nil || !strings.Contains(f.Text, c.says) || f.Hint == "" {
				t.Errorf("%v", err)
			}
		})
	}
}
