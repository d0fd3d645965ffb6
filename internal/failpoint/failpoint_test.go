package failpoint

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
)

func arm(t *testing.T, spec string) {
	t.Helper()
	if err := Arm(spec); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = Arm("") })
}

func TestWhatCannotBeArmedIsRefused(t *testing.T) {
	arm(t, "broker.bind.called=error")
	for _, spec := range []string{
		"broker.bind.nowhere=kill", "broker.bind.called", "broker.bind.called=", "broker.bind.called=explode", "broker.bind.called=kill@0", "broker.bind.called=kill@x",
		"broker.bind.called=freeze", "broker.bind.called=freeze -1s", "broker.bind.called=kill now", "broker.bind.accepted=error", "broker.bind.charged=kill",
		"broker.bind.called=kill,=kill",
	} {
		if err := Arm(spec); !errors.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", spec, err)
		}
	}
	if err := Hit("broker", "bind", "called"); err == nil {
		t.Error("a refused spec disarmed what was armed before")
	}
}

func TestOnlyTheNthTime(t *testing.T) {
	arm(t, "broker.bind.called=error@2, broker.unbind.called=count")
	for n, want := range []bool{false, true, false} {
		if err := Hit("broker", "bind", "called"); (err != nil) != want {
			t.Error(n, err)
		}
	}
	if Pass("broker", "unbind", "called"); Hits("broker.bind.called") != 3 || Hits("broker.unbind.called") != 1 || Hits("broker.unbind.calling") != 0 {
		t.Error("not counted")
	}
}

func TestFreeze(t *testing.T) {
	arm(t, "tasks.operation.ending=freeze 8s")
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if Pass("tasks", "operation", "ending"); time.Since(began) != 8*time.Second {
			t.Error(time.Since(began))
		}
	})
}

func TestKill(t *testing.T) {
	if os.Getenv("FAILPOINT_TEST_DIE") != "" {
		arm(t, "tasks.operation.ending=kill@2")
		Pass("tasks", "operation", "ending")
		Pass("tasks", "operation", "ending")
		return // alive: the parent sees it
	}
	c := exec.Command(os.Args[0], "-test.run=^TestKill$")
	c.Env = append(os.Environ(), "FAILPOINT_TEST_DIE=1")
	_ = c.Run()
	if s, ok := c.ProcessState.Sys().(syscall.WaitStatus); !ok || s.Signal() != syscall.SIGKILL {
		t.Error(c.ProcessState)
	}
}

func TestPointsAreToldApart(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range Points() {
		if seen[p.Name] || p.When == "" {
			t.Error(p)
		}
		seen[p.Name] = true
	}
}

// BenchmarkOff is what a place costs in production: under a nanosecond, no memory.
func BenchmarkOff(b *testing.B) {
	_ = Arm("")
	b.ReportAllocs()
	for b.Loop() {
		if Hit("broker", "provision", "called") != nil {
			b.Fatal("armed")
		}
	}
}
