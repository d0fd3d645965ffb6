package fake

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

var (
	_ providers.Driver      = (*Driver)(nil)
	_ providers.Updater     = (*Driver)(nil)
	_ providers.Metered     = (*Driver)(nil)
	_ providers.Suspender   = (*Driver)(nil)
	_ providers.Inspector   = (*Driver)(nil)
	_ providers.Prober      = (*Driver)(nil)
	_ providers.Targeter    = (*Driver)(nil)
	_ providers.Dashboarder = (*Driver)(nil)
	_ providers.Watcher     = (*Driver)(nil)
	_ providers.Lister      = (*Driver)(nil)
	_ providers.Backuper    = (*Driver)(nil)
	_ providers.Counter     = (*Driver)(nil)
)

// Options are what a fake can be told at birth; the zero value is a fake in memory that runs by the wall's clock.
type Options struct {
	Name    string      // of the offering; "fake"
	Dir     string      // where its objects are kept, so that they outlive the process; empty: in memory
	Clock   clock.Clock // what delays are measured by; the wall's
	Address string      // host:port in the credentials; "127.0.0.1:9"
	Version string      // the maintenance version of the plan maintained; "2.1.0"

	Lifetime time.Duration // of the credentials; 0: they last until they are revoked
}

// Driver is a fake with every capability. It is safe for use by many goroutines.
type Driver struct {
	name, address string
	version       string
	lifetime      time.Duration
	clock         clock.Clock
	control

	mu       sync.Mutex
	backend  backend
	sessions map[string][]*Session         // by binding id
	over     map[string][]providers.Excess // by instance id
}

// New gives a fake.
func New(o Options) *Driver {
	d := &Driver{name: cmp.Or(o.Name, "fake"), address: cmp.Or(o.Address, "127.0.0.1:9"), version: cmp.Or(o.Version, "2.1.0"), clock: o.Clock, lifetime: o.Lifetime, sessions: map[string][]*Session{}}
	if d.clock == nil {
		d.clock = clock.Wall{}
	}
	d.backend = backend{dir: o.Dir, objects: map[string]object{}}
	return d
}

// memory is the State of a fake's instances and bindings.
type memory struct {
	Tries map[string]int `json:"tries,omitempty"` // by verb, of the plan flaky
	Until time.Time      `json:"until,omitzero"`  // when the running verb ends
	Verb  string         `json:"verb,omitempty"`  // which one that is
}

func recall(state json.RawMessage) (m memory) {
	_ = json.Unmarshal(state, &m) // none yet: the zero memory
	m.Tries = maps.Clone(m.Tries)
	return m
}

func (m memory) progress(done bool, note string, after time.Duration) providers.Progress {
	state, _ := json.Marshal(m) // of strings, numbers and an instant: cannot fail
	return providers.Progress{Done: done, Note: note, RetryAfter: after, State: state}
}

// stumble fails the first two tries of each verb on the plan flaky. It counts in State, so it gets on only when State is kept on errors too.
func (m *memory) stumble(plan, verb string) error {
	if plan != "flaky" || m.Tries[verb] >= 2 {
		return nil
	}
	if m.Tries == nil {
		m.Tries = map[string]int{}
	}
	m.Tries[verb]++
	return fault.Unavailable.Errorf("The flaky backend stumbled at %s, try %d.", verb, m.Tries[verb])
}

// waits tells how long the running verb still takes, beginning it when it is new.
func (m *memory) waits(now time.Time, plan, verb string) time.Duration {
	if m.Verb != verb {
		m.Verb, m.Until = verb, now.Add(delay(plan, verb))
	}
	return m.Until.Sub(now)
}

// Provision makes the object at once, and says Done when the plan's delay is over.
func (d *Driver) Provision(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	m := recall(i.State)
	if err := d.enter(ctx, "provision", i.ID); err != nil {
		return m.progress(false, "", 0), err
	}
	if err := m.stumble(i.Plan.Name, "provision"); err != nil {
		return m.progress(false, "stumbled", 0), err
	}
	switch i.Plan.Name {
	case "failing":
		return m.progress(false, "", 0), fault.Refused.Errorf("The failing backend refuses every instance.")
	case "lying":
		return m.progress(true, "ready", 0), nil
	}
	wait := m.waits(d.clock.Now(), i.Plan.Name, "provision")
	err := d.change(func(b *backend) error {
		o, ok, err := b.read(i.ID)
		if err != nil {
			return err
		}
		if ok { // made before: its own clock counts, whatever became of State
			wait = o.ReadyAt.Sub(d.clock.Now())
			return nil
		}
		o = object{ID: i.ID, Plan: i.Plan.Name, Params: i.Params, ReadyAt: d.clock.Now().Add(wait), Epoch: 1, Logins: map[string]login{}}
		if err := b.note("made", i.ID); err != nil {
			return err
		}
		return b.write(o)
	})
	if err != nil {
		return m.progress(false, "", 0), err
	}
	d.step("provision", i.ID)
	if wait > 0 {
		return m.progress(false, "starting", wait), nil
	}
	return m.progress(true, "ready", 0), nil
}

// Deprovision removes the object, its logins and their sessions.
func (d *Driver) Deprovision(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	m := recall(i.State)
	if err := d.enter(ctx, "deprovision", i.ID); err != nil {
		return m.progress(false, "", 0), err
	}
	if err := m.stumble(i.Plan.Name, "deprovision"); err != nil {
		return m.progress(false, "stumbled", 0), err
	}
	err := d.change(func(b *backend) error {
		o, ok, err := b.read(i.ID)
		if err != nil || !ok {
			return err
		}
		for id := range o.Logins {
			d.kill(id)
		}
		if err := b.note("removed", i.ID); err != nil {
			return err
		}
		return b.remove(i.ID)
	})
	if err != nil {
		return m.progress(false, "", 0), err
	}
	d.step("deprovision", i.ID)
	if wait := m.waits(d.clock.Now(), i.Plan.Name, "deprovision"); wait > 0 {
		return m.progress(false, "stopping", wait), nil
	}
	return m.progress(true, "gone", 0), nil
}

// Bind makes a login whose password comes from the binding's Seed.
func (d *Driver) Bind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Grant, providers.Progress, error) {
	m := recall(b.State)
	if err := d.enter(ctx, "bind", b.ID); err != nil {
		return providers.Grant{}, m.progress(false, "", 0), err
	}
	if err := m.stumble(i.Plan.Name, "bind"); err != nil {
		return providers.Grant{}, m.progress(false, "stumbled", 0), err
	}
	if i.Plan.Name == "unbindable" {
		return providers.Grant{}, m.progress(false, "", 0), fault.Refused.Errorf("The plan %s cannot be bound.", i.Plan.Name)
	}
	password, err := providers.Password(b.Seed, "fake password")
	if err != nil {
		return providers.Grant{}, m.progress(false, "", 0), fault.Invalid.Wrap(err, "The binding has no seed.")
	}
	l := login{Username: providers.Name("u", b.ID), Password: password}
	err = d.edit(i.ID, func(o *object) error {
		if o.Suspended {
			return fault.Unprocessable.Errorf("The instance is suspended.")
		}
		o.Logins[b.ID] = l
		return nil
	})
	if err != nil {
		return providers.Grant{}, m.progress(false, "", 0), err
	}
	d.step("bind", b.ID)
	return d.grant(i.ID, l, b.ExpiresAt), m.progress(true, "bound", 0), nil
}

func (d *Driver) grant(instance string, l login, expires time.Time) providers.Grant {
	host, port, _ := net.SplitHostPort(d.address)
	if expires.IsZero() && d.lifetime > 0 {
		expires = d.clock.Now().Add(d.lifetime)
	}
	number, _ := strconv.Atoi(port)
	return providers.Grant{
		Credentials: map[string]any{
			"uri":  "fake://" + l.Username + ":" + l.Password + "@" + d.address + "/" + providers.Name("i", instance),
			"host": host, "port": number, "username": l.Username, "password": l.Password,
		},
		Endpoints: []providers.Endpoint{{Host: host, Ports: []string{port}, Protocol: "tcp"}},
		ExpiresAt: expires,
	}
}

// Unbind removes the login and ends its sessions.
func (d *Driver) Unbind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Progress, error) {
	m := recall(b.State)
	if err := d.enter(ctx, "unbind", b.ID); err != nil {
		return m.progress(false, "", 0), err
	}
	if err := m.stumble(i.Plan.Name, "unbind"); err != nil {
		return m.progress(false, "stumbled", 0), err
	}
	err := d.edit(i.ID, func(o *object) error {
		delete(o.Logins, b.ID)
		d.kill(b.ID)
		return nil
	})
	if err != nil && fault.KindOf(err) != fault.Refused { // refused: no such object, so no login either
		return m.progress(false, "", 0), err
	}
	d.step("unbind", b.ID)
	return m.progress(true, "unbound", 0), nil
}
