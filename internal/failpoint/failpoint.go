package failpoint

import (
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
)

// Variable is the environment variable that arms places: "NAME=ACTION[@N]", several with commas between them. ACTION is kill (the process dies as by
// kill -9), error, freeze DURATION, or count; @N waits for the Nth time that the place is passed and lets the others by.
const Variable = "SUTLER_FAILPOINTS"

// armed is nil unless places were armed. It is the one thing here that changes: a place must be reachable from everywhere without being handed on.
var armed atomic.Pointer[set]

type set map[string]*trap

type trap struct {
	action string
	wait   time.Duration // of freeze
	nth    int64         // 0: every time
	hits   atomic.Int64
}

// Arm sets the places that spec names, in place of what was armed before; "" arms nothing. A name that is not in Points, and an action that the
// place cannot take, is fault.Invalid and changes nothing.
func Arm(spec string) error {
	if strings.TrimSpace(spec) == "" {
		armed.Store(nil)
		return nil
	}
	s := set{}
	for part := range strings.SplitSeq(spec, ",") {
		name, what, _ := strings.Cut(strings.TrimSpace(part), "=")
		p, ok := find(name)
		if !ok {
			return fault.Invalid.Errorf("There is no failpoint %q.", name).WithHint("internal/failpoint/points.go lists them.")
		}
		t, err := parse(p, what)
		if err != nil {
			return err
		}
		s[name] = t
	}
	armed.Store(&s)
	return nil
}

func find(name string) (Point, bool) {
	for _, p := range Points() {
		if p.Name == name {
			return p, true
		}
	}
	return Point{}, false
}

func parse(p Point, what string) (*trap, error) {
	wrong := fault.Invalid.Errorf("The failpoint %s cannot be set to %q.", p.Name, what).WithHint("kill, error, freeze 8s or count, each with @N for the Nth time; error only where somebody hears it.")
	t := &trap{}
	action, nth, counted := strings.Cut(what, "@")
	if counted {
		n, err := strconv.ParseInt(nth, 10, 64)
		if err != nil || n < 1 {
			return nil, wrong
		}
		t.nth = n
	}
	action, wait, _ := strings.Cut(action, " ")
	t.action = action
	switch {
	case action == "freeze":
		var err error
		if t.wait, err = time.ParseDuration(wait); err != nil || t.wait <= 0 {
			return nil, wrong
		}
	case wait != "", action != "kill" && action != "count" && (action != "error" || !p.Fails):
		return nil, wrong
	}
	return t, nil
}

// Hit passes the place "room.verb.stage". It gives an error only when that was set, and costs next to nothing when nothing is armed.
func Hit(room, verb, stage string) error {
	s := armed.Load()
	if s == nil {
		return nil
	}
	return s.hit(room + "." + verb + "." + stage)
}

// Pass is Hit at a place where nobody hears an error.
func Pass(room, verb, stage string) { _ = Hit(room, verb, stage) }

func (s *set) hit(name string) error {
	t, ok := (*s)[name]
	if !ok {
		return nil
	}
	if n := t.hits.Add(1); t.nth > 0 && n != t.nth {
		return nil
	}
	switch t.action {
	case "kill":
		_ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
		select {} // the signal is on its way
	case "freeze":
		time.Sleep(t.wait)
	case "error":
		return fault.Unavailable.Errorf("The failpoint %s was set to fail.", name)
	}
	return nil
}

// Hits tells how often a place was passed since it was armed.
func Hits(name string) int64 {
	if s := armed.Load(); s != nil && (*s)[name] != nil {
		return (*s)[name].hits.Load()
	}
	return 0
}
