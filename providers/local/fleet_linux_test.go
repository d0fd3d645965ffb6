package local

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func fleetFolder(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("short: no servers")
	}
	if err := Ensure(t.Context(), "redis"); err != nil {
		t.Fatal(err)
	}
	dir, err := Temporary("fleet")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func openFleet(t *testing.T, dir string, detached bool) *Fleet {
	t.Helper()
	f, err := OpenFleet(dir, FleetOptions{Kind: "redis", Detached: detached})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, name := range f.Names() {
			if err := f.Remove(name); err != nil {
				t.Error(err)
			}
		}
		f.Close()
	})
	return f
}

func server(t *testing.T, f *Fleet, name string) (Place, identity) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	p, err := f.Make(ctx, name, redis)
	if err != nil {
		t.Fatal(err)
	}
	var id identity
	if err := read(p.file("process"), &id); err != nil {
		t.Fatal(err)
	}
	return p, id
}

func say(t *testing.T, address, line string) string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := fmt.Fprintf(c, "%s\r\n", line); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	text, err := r.ReadString('\n')
	if err == nil && strings.HasPrefix(text, "$") && text != "$-1\r\n" {
		text, err = r.ReadString('\n')
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(text)
}

func TestDetachedServerOutlivesItsBrokerAndIsAdopted(t *testing.T) {
	dir := fleetFolder(t)
	broker := exec.Command(os.Args[0])
	broker.Env = append(os.Environ(), "LOCAL_TEST_FLEET="+dir)
	out, err := broker.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := broker.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	address := strings.TrimSpace(line)
	if err != nil || strings.HasPrefix(line, "error:") {
		t.Fatalf("%q %v", line, err)
	}
	if _, err := OpenFleet(dir, FleetOptions{Kind: "redis", Detached: true}); !errors.Is(err, ErrHeld) {
		t.Errorf("a second process took the folder: %v", err)
	}
	say(t, address, "SET kept yes")
	before := say(t, address, "CONFIG GET port")
	if err := broker.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = broker.Wait()
	if got := say(t, address, "GET kept"); got != "yes" || before == "" {
		t.Errorf("after the broker's end the server says %q", got)
	}
	var was identity
	f := openFleet(t, dir, true)
	if err := read(filepath.Join(f.Dir(), "one", "process"), &was); err != nil {
		t.Fatal(err)
	}
	p, is := server(t, f, "one")
	if is != was || p.Address != address {
		t.Errorf("not adopted: %v at %s became %v at %s", was, address, is, p.Address)
	}
	if os.Getuid() == 0 && owner(is.PID) != p.UID {
		t.Errorf("it runs as %d, not as its own user %d", owner(is.PID), p.UID)
	}
	limit := func(want uint64) {
		t.Helper()
		limits, _ := os.ReadFile(fmt.Sprintf("/proc/%d/limits", is.PID))
		if !strings.Contains(string(limits), strconv.FormatUint(want, 10)) {
			t.Errorf("its memory is not limited to %d", want)
		}
	}
	limit(1 << 30)
	if err := f.Change("one", func(r *Run) { r.Memory = 2 << 30 }); err != nil {
		t.Fatal(err)
	}
	limit(2 << 30)
}

func TestCrashedServerComesBackWithItsPortAndData(t *testing.T) {
	for _, detached := range []bool{true, false} {
		f := openFleet(t, fleetFolder(t), detached)
		p, id := server(t, f, "one")
		say(t, p.Address, "SET kept yes")
		if err := id.signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if got := say(t, comesBack(t, p, id).Address, "GET kept"); got != "yes" {
			t.Errorf("detached %v: after a crash it says %q", detached, got)
		}
	}
}

// comesBack waits for another process that answers on the same port.
func comesBack(t *testing.T, p Place, not identity) Place {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(beat) {
		var now identity
		if read(p.file("process"), &now) == nil && now != not && now.alive() && speaks("redis", p.Address) {
			return p
		}
	}
	t.Fatal("the server did not come back")
	return p
}

func TestDetachedFleetStartsAgainAfterABoot(t *testing.T) {
	dir := fleetFolder(t)
	f := openFleet(t, dir, true)
	p, id := server(t, f, "one")
	say(t, p.Address, "SET kept yes")
	f.Close()
	if !id.alive() {
		t.Fatal("a detached server went with its fleet")
	}
	if err := id.end(syscall.SIGKILL); err != nil { // what a boot does
		t.Fatal(err)
	}
	other := exec.Command("sleep", "1000") // and then the number is somebody else's
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Process.Kill(); _ = other.Wait() }()
	now, err := identify(other.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	for what, written := range map[string]identity{
		"another boot":       {PID: now.PID, Start: now.Start, Boot: "another"},
		"another start time": {PID: now.PID, Start: now.Start - 1, Boot: now.Boot},
	} {
		if err := write(p.file("process"), written); err != nil {
			t.Fatal(err)
		}
		f2 := openFleet(t, dir, true)
		if _, is := server(t, f2, "one"); is.PID == now.PID {
			t.Errorf("%s: somebody else's process was adopted", what)
		}
		if got := say(t, p.Address, "GET kept"); got != "yes" {
			t.Errorf("%s: %q", what, got)
		}
		f2.Close()
		if !now.alive() {
			t.Fatalf("%s: somebody else's process was ended", what)
		}
	}
}

func TestStraysAreReapedAndNobodyElse(t *testing.T) {
	dir := fleetFolder(t)
	f := openFleet(t, dir, true)
	p, stray := server(t, f, "stray")
	_, stays := server(t, f, "stays")
	f.Close()
	looking := exec.Command("sleep", "1000") // a person in the folder
	looking.Dir = p.Data
	if err := looking.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = looking.Process.Kill(); _ = looking.Wait() }()
	if err := os.Remove(p.file("claim")); err != nil { // as a Remove that was cut off
		t.Fatal(err)
	}
	f2 := openFleet(t, dir, true)
	if stray.alive() {
		t.Error("a server without a claim still runs")
	}
	if _, err := os.Stat(p.Dir); err == nil {
		t.Error("its folder is still there")
	}
	if !stays.alive() {
		t.Error("a claimed server was ended")
	}
	if id, err := identify(looking.Process.Pid); err != nil || !id.alive() {
		t.Error("a person's process was ended")
	}
	unwritten, was := server(t, f2, "unwritten")
	f2.drop("unwritten")
	if err := os.Remove(unwritten.file("process")); err != nil { // as a start that was cut off before it was written down
		t.Fatal(err)
	}
	if _, is := server(t, f2, "unwritten"); was.alive() || is == was {
		t.Error("two servers run on one folder")
	}
	if err := os.RemoveAll(unwritten.Dir); err != nil { // somebody removed the folder below a running server
		t.Fatal(err)
	}
	f2.drop("unwritten")
	if err := f2.Scan(); err != nil {
		t.Fatal(err)
	}
	if len(inhabitants(f2.dir, func(_, below string, _ int) bool { return strings.HasPrefix(below, "unwritten/") })) > 0 {
		t.Error("a server of a removed folder still runs")
	}
}

func TestAttachedFleetEndsItsServersAndStartsThemAgain(t *testing.T) {
	dir := fleetFolder(t)
	f := openFleet(t, dir, false)
	p, id := server(t, f, "one")
	say(t, p.Address, "SET kept yes")
	f.Close()
	if id.alive() {
		t.Fatal("an attached server outlived its fleet")
	}
	f2 := openFleet(t, dir, false)
	again, _ := server(t, f2, "one")
	if again.Address != p.Address || say(t, p.Address, "GET kept") != "yes" {
		t.Error("another port or other data")
	}
	if _, err := f2.Server(t.Context(), "two"); !errors.Is(err, ErrNoServer) {
		t.Errorf("a name that never was: %v", err)
	}
	if err := errors.Join(f2.Remove("one"), f2.Remove("one"), f2.Remove("../one")); err != nil {
		t.Error(err)
	}
	if _, err := f2.Make(t.Context(), "../one", redis); err == nil {
		t.Error("a name left the folder")
	}
}
