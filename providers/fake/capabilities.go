package fake

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/latency"
)

// Update puts the object on another plan or other parameters.
func (d *Driver) Update(ctx context.Context, old, new providers.Instance) (providers.Progress, error) {
	m := recall(new.State)
	if err := d.enter(ctx, "update", new.ID); err != nil {
		return m.progress(false, "", 0), err
	}
	if err := m.stumble(new.Plan.Name, "update"); err != nil {
		return m.progress(false, "stumbled", 0), err
	}
	if new.Plan.Name == "failing" {
		return m.progress(false, "", 0), fault.Refused.Errorf("The failing backend refuses every update.")
	}
	var told struct{ Label string }
	if json.Unmarshal(new.Params, &told) == nil && told.Label == "stubborn" {
		return m.progress(false, "", 0), fault.Refused.Errorf("The backend is stubborn and refuses every update.")
	}
	if wait := m.waits(d.clock.Now(), old.Plan.Name, "update"); wait > 0 {
		return m.progress(false, "updating", wait), nil
	}
	err := d.edit(new.ID, func(o *object) error { o.Plan, o.Params = new.Plan.Name, new.Params; return nil })
	if err != nil {
		return m.progress(false, "", 0), err
	}
	d.step("update", new.ID)
	m.Verb = "" // the next update takes its own time
	return m.progress(true, "updated", 0), nil
}

// Suspend refuses logins, ends sessions and keeps the object.
func (d *Driver) Suspend(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	return d.pause(ctx, i, "suspend", true)
}

// Resume lets in again.
func (d *Driver) Resume(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	return d.pause(ctx, i, "resume", false)
}

func (d *Driver) pause(ctx context.Context, i providers.Instance, verb string, suspended bool) (providers.Progress, error) {
	if err := d.enter(ctx, verb, i.ID); err != nil {
		return providers.Progress{}, err
	}
	err := d.edit(i.ID, func(o *object) error {
		o.Suspended = suspended
		for id := range o.Logins {
			if suspended {
				d.kill(id)
			}
		}
		return nil
	})
	d.step(verb, i.ID)
	return providers.Progress{Done: err == nil}, err
}

// Read gives the counter that Use moves.
func (d *Driver) Read(ctx context.Context, i providers.Instance) ([]providers.Reading, error) {
	if err := d.enter(ctx, "read", i.ID); err != nil {
		return nil, err
	}
	var reading providers.Reading
	err := d.edit(i.ID, func(o *object) error {
		reading = providers.Reading{Metric: Metric, Value: money.FromInt(o.Requests), Type: "counter", Epoch: strconv.FormatInt(o.Epoch, 10)}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return []providers.Reading{reading}, nil
}

// Inspect tells whether the object is there and who is connected.
func (d *Driver) Inspect(ctx context.Context, i providers.Instance) (providers.Inspection, error) {
	if err := d.enter(ctx, "inspect", i.ID); err != nil {
		return providers.Inspection{}, err
	}
	in := providers.Inspection{Sessions: map[string]int{}}
	err := d.change(func(b *backend) error {
		o, ok, err := b.read(i.ID)
		in.Exists = ok
		for id := range o.Logins {
			in.Sessions[id] = len(d.sessions[id])
		}
		return err
	})
	return in, err
}

// Watch gives the limits that Exceed was told of.
func (d *Driver) Watch(ctx context.Context, i providers.Instance) ([]providers.Excess, error) {
	if err := d.enter(ctx, "watch", i.ID); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.over[i.ID], nil
}

// List names every object there is.
func (d *Driver) List(ctx context.Context) (names []string, err error) {
	if err := d.enter(ctx, "list", ""); err != nil {
		return nil, err
	}
	err = d.change(func(b *backend) error {
		list, err := b.list()
		for _, o := range list {
			names = append(names, d.NameOf(o.ID))
		}
		return err
	})
	return names, err
}

// NameOf is an object's name: one that is made of its id.
func (d *Driver) NameOf(instance string) string { return providers.Name("i", instance) }

// Probe answers nil unless the fake was told to be down.
func (d *Driver) Probe(ctx context.Context) error { return d.enter(ctx, "probe", "") }

// Target is the address in the credentials.
func (d *Driver) Target(ctx context.Context, i providers.Instance) (latency.Target, error) {
	if err := d.enter(ctx, "target", i.ID); err != nil {
		return latency.Target{}, err
	}
	return latency.Target{Address: d.address, Protocol: "tcp"}, nil
}

// Dashboard is an address that shows nothing but its form.
func (d *Driver) Dashboard(i providers.Instance) string {
	return "http://" + d.address + "/" + providers.Name("i", i.ID)
}
