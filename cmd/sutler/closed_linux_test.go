package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// inside is the address that the closed network's backends are advertised at beside the loopback's own.
const inside = "10.20.0.7"

// TestMainJobWithAllEgressDenied runs the demo and a private market in a network of their own, whose only addresses are the backends': there is no
// route to anything else, and the kernel counts whoever looks for one. Nobody does.
func TestMainJobWithAllEgressDenied(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts servers")
	}
	if os.Getenv(insideVariable) != "" {
		inClosedNetwork(t)
		return
	}
	t.Parallel()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.timeout=9m", "-test.v")
	again.Env = append(os.Environ(), insideVariable+"="+path)
	again.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if id := os.Getuid(); id != 0 {
		again.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		again.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: id, HostID: id, Size: 1}}
		again.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
		again.SysProcAttr.AmbientCaps = []uintptr{capNetAdmin}
	}
	out, err := again.CombinedOutput()
	if errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOSPC) {
		t.Logf("the kernel gives no network of our own here (%v): the job runs in the open one, where nothing is denied", err)
		privateMarket(t, "127.0.0.2")
		return
	}
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	t.Logf("%s", out)
}

const capNetAdmin = 12

func inClosedNetwork(t *testing.T) {
	raise(t, inside)
	demo := exec.CommandContext(t.Context(), filepath.Join(root, "scripts", "demo.sh"))
	demo.Env = append(os.Environ(), "SUTLER_BIN="+filepath.Dir(os.Getenv(insideVariable)), "TMPDIR="+t.TempDir())
	out, err := demo.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	for _, want := range []string{"agrees with what was stored", "two providers, one app, one invoice"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the demo does not say %q:\n%s", want, out)
		}
	}
	privateMarket(t, inside)
	if n := strayed(t); n != 0 {
		t.Errorf("%d packets or connections wanted to go where no backend is", n)
	}
	// The counter counts: a connection to elsewhere is seen.
	if c, err := net.DialTimeout("tcp", "192.0.2.1:443", time.Second); err == nil {
		_ = c.Close()
		t.Error("the network is not closed")
	}
	if strayed(t) == 0 {
		t.Error("nothing counts what wants to go elsewhere")
	}
}

// strayed is how often the kernel was asked for a way that there is not.
func strayed(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/net/snmp")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		names, values := strings.Fields(lines[i]), strings.Fields(lines[i+1])
		for n, name := range names {
			if names[0] == "Ip:" && name == "OutNoRoutes" {
				count, err := strconv.Atoi(values[n])
				if err != nil {
					t.Fatal(err)
				}
				return count
			}
		}
	}
	t.Fatal("the kernel does not count what has no route")
	return 0
}

// raise brings the loopback up, with one more address on it.
func raise(t *testing.T, address string) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	up := make([]byte, 2)
	binary.NativeEndian.PutUint16(up, syscall.IFF_UP|syscall.IFF_RUNNING)
	mask := []byte{255, 255, 255, 255}
	for _, c := range []struct {
		what    string
		request uintptr
		name    string
		value   []byte
	}{
		{"up", syscall.SIOCSIFFLAGS, "lo", up},
		{"address", syscall.SIOCSIFADDR, "lo:1", append([]byte{syscall.AF_INET, 0, 0, 0}, net.ParseIP(address).To4()...)},
		{"mask", syscall.SIOCSIFNETMASK, "lo:1", append([]byte{syscall.AF_INET, 0, 0, 0}, mask...)},
	} {
		var ifreq [40]byte
		copy(ifreq[:16], c.name)
		copy(ifreq[16:], c.value)
		if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), c.request, uintptr(unsafe.Pointer(&ifreq[0]))); e != 0 { //nolint:gosec // the kernel's own way to say it
			t.Fatalf("loopback %s: %v", c.what, e)
		}
	}
	if !bytes.Contains([]byte(fmt.Sprint(net.InterfaceAddrs())), []byte(address)) {
		t.Fatalf("the loopback has no address %s", address)
	}
}
