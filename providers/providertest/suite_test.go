package providertest_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/internal/ids"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/fake"
	"github.com/sutlerhq/sutler/providers/providertest"
)

func planOf(t *testing.T, d *fake.Driver, name string) catalog.Plan {
	t.Helper()
	list, err := d.Offerings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list[0].Plans {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("no plan %s", name)
	return catalog.Plan{}
}

// harness tests driver, which is backend itself or something broken around it.
func harness(t *testing.T, backend *fake.Driver, driver providers.Driver) providertest.Harness {
	t.Helper()
	wrap := func() *providers.Provider {
		return providers.New(providers.Settings{Name: "fake", Failures: 1000}, driver, nil)
	}
	return providertest.Harness{
		Bench:    providertest.BenchOf(backend.Login, backend.Trespass, backend.Cling),
		Provider: wrap(), Plan: planOf(t, backend, "sync"), Other: planOf(t, backend, "maintained"),
		Leftovers: func(context.Context) ([]string, error) { return backend.Leftovers() },
		Reopen:    func(context.Context) (*providers.Provider, error) { return wrap(), nil },
		Overfill: func(_ context.Context, i providers.Instance, _ providertest.Session) error {
			backend.Exceed(i.ID, providers.Excess{Limit: "connections", Allowed: 10, Used: 11})
			return nil
		},
		Reset:   func(context.Context, providers.Instance) error { return nil }, // the fake's counters are thrown away by nobody
		Restart: func(context.Context, providers.Instance) error { return nil },
		Use:     func(_ context.Context, i providers.Instance, n int) error { return backend.Use(i.ID, int64(n)) },
	}
}

// listening gives an address that accepts connections.
func listening(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

func TestFakePasses(t *testing.T) {
	for where, dir := range map[string]string{"memory": "", "folder": t.TempDir()} {
		for _, plan := range []string{"sync", "rotatable", "flaky"} {
			d := fake.New(fake.Options{Dir: dir, Address: listening(t)})
			h := harness(t, d, d)
			h.Plan = planOf(t, d, plan)
			if plan == "flaky" {
				h.Plan.Name = "flaky"
			}
			for _, c := range providertest.Checks() {
				if plan == "flaky" && c.Name != "nothing_left" && c.Name != "credentials_work" {
					continue // stumbling is what it is for; two whole lives show that it gets up again
				}
				t.Run(where+"/"+plan+"/"+c.Name, func(t *testing.T) {
					if r := c.Try(t.Context(), h); !r.Passed() {
						t.Error(r.Err, r.NotOffered)
					}
				})
			}
		}
	}
}

// The drivers below are broken, each in one way, around a fake that is not.
type (
	doubling    struct{ *fake.Driver }
	forgetful   struct{ *fake.Driver }
	liar        struct{ *fake.Driver }
	keeper      struct{ *fake.Driver }
	strictGone  struct{ *fake.Driver }
	reseeding   struct{ *fake.Driver }
	bare        struct{ *fake.Driver }
	oneLogin    struct{ *fake.Driver }
	oneForAll   struct{ *fake.Driver }
	idle        struct{ *fake.Driver }
	sloppy      struct{ *fake.Driver }
	hasty       struct{ *fake.Driver }
	zealous     struct{ *fake.Driver }
	strictBound struct{ *fake.Driver }
	negative    struct{ *fake.Driver }
	backwards   struct {
		*fake.Driver
		mu sync.Mutex
		n  int64
	}
	winker   struct{ *fake.Driver }
	wiper    struct{ *fake.Driver }
	reopener struct{ *fake.Driver }
	folder   struct{ *fake.Driver }
	silent   struct{ *fake.Driver }
)

// doubling makes another object each time it is asked.
func (d doubling) Provision(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	p, err := d.Driver.Provision(ctx, i)
	if err == nil {
		i.ID = ids.New("ins")
		_, err = d.Driver.Provision(ctx, i)
	}
	return p, err
}

// forgetful asks for nothing to be removed when the State was lost.
func (d forgetful) Deprovision(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	if i.State == nil {
		return providers.Progress{Done: true}, nil
	}
	return d.Driver.Deprovision(ctx, i)
}

// liar says done and does nothing.
func (d liar) Provision(context.Context, providers.Instance) (providers.Progress, error) {
	return providers.Progress{Done: true}, nil
}

// keeper says gone and keeps everything.
func (d keeper) Deprovision(context.Context, providers.Instance) (providers.Progress, error) {
	return providers.Progress{Done: true}, nil
}

// strictGone fails to remove what is not there.
func (d strictGone) Deprovision(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	in, err := d.Inspect(ctx, i)
	if err == nil && !in.Exists {
		return providers.Progress{}, errors.New("no such instance")
	}
	return d.Driver.Deprovision(ctx, i)
}

// reseeding invents a new password each time.
func (d reseeding) Bind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Grant, providers.Progress, error) {
	b.Seed = []byte(ids.New("seed"))
	return d.Driver.Bind(ctx, i, b)
}

// bare gives no uri.
func (d bare) Bind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Grant, providers.Progress, error) {
	g, p, err := d.Driver.Bind(ctx, i, b)
	delete(g.Credentials, "uri")
	return g, p, err
}

// oneLogin gives all bindings of an instance the same login.
func (d oneLogin) Bind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Grant, providers.Progress, error) {
	b.ID, b.Seed = i.ID, []byte("the same for everybody, always")
	return d.Driver.Bind(ctx, i, b)
}

// oneForAll keeps all tenants in one object.
func (d oneForAll) Provision(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	i.ID = "shared"
	return d.Driver.Provision(ctx, i)
}

func (d oneForAll) Bind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Grant, providers.Progress, error) {
	i.ID = "shared"
	return d.Driver.Bind(ctx, i, b)
}

// idle says unbound and does nothing.
func (d idle) Unbind(context.Context, providers.Instance, providers.Binding) (providers.Progress, error) {
	return providers.Progress{Done: true}, nil
}

// sloppy shuts the login and leaves connections open: the commonest mistake there is.
func (d sloppy) Unbind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Progress, error) {
	return providers.Progress{Done: true}, d.Forget(i.ID, b.ID)
}

// hasty ends connections first and shuts the login after: whoever comes between stays.
func (d hasty) Unbind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Progress, error) {
	d.Kick(b.ID)
	for came := false; !came; { // one that comes between, for certain
		if in, err := d.Inspect(ctx, i); err != nil || in.Sessions[b.ID] > 0 || ctx.Err() != nil {
			came = true
		}
	}
	return providers.Progress{Done: true}, d.Forget(i.ID, b.ID)
}

// zealous cuts every app off when one is unbound.
func (d zealous) Unbind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Progress, error) {
	if _, err := d.Suspend(ctx, i); err == nil {
		defer func() { _, _ = d.Resume(ctx, i) }()
	}
	return d.Driver.Unbind(ctx, i, b)
}

// strictBound fails to remove a binding that is not there.
func (d strictBound) Unbind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Progress, error) {
	in, err := d.Inspect(ctx, i)
	if _, there := in.Sessions[b.ID]; err == nil && !there {
		return providers.Progress{}, errors.New("no such binding")
	}
	return d.Driver.Unbind(ctx, i, b)
}

// negative counts below zero.
func (d negative) Read(ctx context.Context, i providers.Instance) ([]providers.Reading, error) {
	list, err := d.Driver.Read(ctx, i)
	for n := range list {
		list[n].Value = money.FromInt(-1)
	}
	return list, err
}

// backwards counts down in one epoch.
func (d *backwards) Read(ctx context.Context, i providers.Instance) ([]providers.Reading, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.n--
	return []providers.Reading{{Metric: fake.Metric, Value: money.FromInt(1000 + d.n), Type: "counter", Epoch: "1"}}, nil
}

// winker says suspended and does nothing.
func (d winker) Suspend(context.Context, providers.Instance) (providers.Progress, error) {
	return providers.Progress{Done: true}, nil
}

// wiper makes the instance anew at an update.
func (d wiper) Update(ctx context.Context, _, new providers.Instance) (providers.Progress, error) {
	if _, err := d.Deprovision(ctx, new); err != nil {
		return providers.Progress{}, err
	}
	return d.Provision(ctx, new)
}

// reopener opens a suspended instance when a Provision comes late.
func (d reopener) Provision(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	p, err := d.Driver.Provision(ctx, i)
	if err == nil {
		_, err = d.Resume(ctx, i)
	}
	return p, err
}

// folder takes ids that begin alike for one.
func (d folder) Bind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Grant, providers.Progress, error) {
	b.ID = b.ID[:min(len(b.ID), 63)]
	return d.Driver.Bind(ctx, i, b)
}

// silent forgets to say that it is done.
func (d silent) Deprovision(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	p, err := d.Driver.Deprovision(ctx, i)
	p.Done, p.RetryAfter, p.State = false, time.Minute, json.RawMessage(`{}`)
	return p, err
}
