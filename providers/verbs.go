package providers

import (
	"cmp"
	"context"
	"slices"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
	"github.com/sutlerhq/sutler/providers/latency"
)

// Offerings asks the driver what it sells, and adds the provider's name, its region and, where the driver gave none, stable ids.
// It does not pass the breaker: what is on sale can be told while instances fail.
func (p *Provider) Offerings(ctx context.Context) ([]catalog.Offering, error) {
	list, err := bounded(ctx, p.Deadline, p.driver.Offerings)
	if err != nil {
		return nil, p.class(ctx, "list its offerings", err)
	}
	list = slices.Clone(list)
	for n := range list {
		o := &list[n]
		o.Provider, o.Region = p.Name, cmp.Or(o.Region, p.Region)
		o.ID = cmp.Or(o.ID, ids.Stable("offering", p.Name, o.Name))
		o.Plans = slices.Clone(o.Plans)
		for m := range o.Plans {
			o.Plans[m].ID = cmp.Or(o.Plans[m].ID, ids.Stable("plan", o.ID, o.Plans[m].Name))
		}
	}
	return list, nil
}

// Provision makes the instance or goes on making it: call again, with the State it returned, until Done.
func (p *Provider) Provision(ctx context.Context, i Instance) (Progress, error) {
	return call(ctx, p, "provision", about{instance: i.ID}, func(ctx context.Context) (Progress, error) { return p.driver.Provision(ctx, i) })
}

// Deprovision removes the instance, half-made ones too: call again until Done.
func (p *Provider) Deprovision(ctx context.Context, i Instance) (Progress, error) {
	return call(ctx, p, "deprovision", about{instance: i.ID}, func(ctx context.Context) (Progress, error) { return p.driver.Deprovision(ctx, i) })
}

// Bind makes credentials: call again until Done. The Grant counts only then.
func (p *Provider) Bind(ctx context.Context, i Instance, b Binding) (Grant, Progress, error) {
	type both struct {
		Grant
		Progress
	}
	out, err := call(ctx, p, "bind", about{i.ID, b.ID}, func(ctx context.Context) (both, error) {
		g, pr, err := p.driver.Bind(ctx, i, b)
		return both{g, pr}, err
	})
	if err != nil {
		return Grant{}, out.Progress, err
	}
	return out.Grant, out.Progress, nil
}

// Unbind takes the access away: call again until Done, which says that old logins fail and open connections are dead.
func (p *Provider) Unbind(ctx context.Context, i Instance, b Binding) (Progress, error) {
	return call(ctx, p, "unbind", about{i.ID, b.ID}, func(ctx context.Context) (Progress, error) { return p.driver.Unbind(ctx, i, b) })
}

// Update changes the instance from old to new, plan and parameters. A failed update leaves the old ones in force.
func (p *Provider) Update(ctx context.Context, old, new Instance) (Progress, error) {
	u, ok := p.driver.(Updater)
	if !ok {
		return Progress{}, p.lacks(Updates)
	}
	return call(ctx, p, "update", about{instance: new.ID}, func(ctx context.Context) (Progress, error) { return u.Update(ctx, old, new) })
}

// Read gives the instance's gauges and counters.
func (p *Provider) Read(ctx context.Context, i Instance) ([]Reading, error) {
	m, ok := p.driver.(Metered)
	if !ok {
		return nil, p.lacks(Meters)
	}
	return call(ctx, p, "read", about{instance: i.ID}, func(ctx context.Context) ([]Reading, error) { return m.Read(ctx, i) })
}

// Suspend refuses logins, ends open connections, and keeps the data: call again until Done.
func (p *Provider) Suspend(ctx context.Context, i Instance) (Progress, error) {
	s, ok := p.driver.(Suspender)
	if !ok {
		return Progress{}, p.lacks(Suspends)
	}
	return call(ctx, p, "suspend", about{instance: i.ID}, func(ctx context.Context) (Progress, error) { return s.Suspend(ctx, i) })
}

// Resume lets in again after Suspend: call again until Done.
func (p *Provider) Resume(ctx context.Context, i Instance) (Progress, error) {
	s, ok := p.driver.(Suspender)
	if !ok {
		return Progress{}, p.lacks(Suspends)
	}
	return call(ctx, p, "resume", about{instance: i.ID}, func(ctx context.Context) (Progress, error) { return s.Resume(ctx, i) })
}

// Inspect compares with the backend.
func (p *Provider) Inspect(ctx context.Context, i Instance) (Inspection, error) {
	n, ok := p.driver.(Inspector)
	if !ok {
		return Inspection{}, p.lacks(Inspects)
	}
	return call(ctx, p, "inspect", about{instance: i.ID}, func(ctx context.Context) (Inspection, error) { return n.Inspect(ctx, i) })
}

// Target says what to measure the latency to.
func (p *Provider) Target(ctx context.Context, i Instance) (latency.Target, error) {
	t, ok := p.driver.(Targeter)
	if !ok {
		return latency.Target{}, p.lacks(Targets)
	}
	return call(ctx, p, "name a target", about{instance: i.ID}, func(ctx context.Context) (latency.Target, error) { return t.Target(ctx, i) })
}

// Excess names the limits of the plan that the instance has passed; none when it is within its plan.
func (p *Provider) Excess(ctx context.Context, i Instance) ([]Excess, error) {
	w, ok := p.driver.(Watcher)
	if !ok {
		return nil, p.lacks(Watches)
	}
	return call(ctx, p, "watch", about{instance: i.ID}, func(ctx context.Context) ([]Excess, error) { return w.Watch(ctx, i) })
}

// List names every instance at the backend, by the names that they go by there; NameOf gives that name for one of ours.
func (p *Provider) List(ctx context.Context) ([]string, error) {
	l, ok := p.driver.(Lister)
	if !ok {
		return nil, p.lacks(Lists)
	}
	return call(ctx, p, "list", about{}, l.List)
}

// NameOf gives the name that List has for one of our instance ids, or "" when the driver cannot list.
func (p *Provider) NameOf(instance string) string {
	l, ok := p.driver.(Lister)
	if !ok {
		return ""
	}
	return l.NameOf(instance)
}

// Dashboard gives the address of the instance's page, or "" when there is none.
func (p *Provider) Dashboard(i Instance) string {
	d, ok := p.driver.(Dashboarder)
	if !ok || p.Away {
		return ""
	}
	address, err := bounded(context.Background(), p.Deadline, func(context.Context) (string, error) { return d.Dashboard(i), nil })
	p.log.Debug("provider call", "verb", "dashboard", "subject", i.ID, "failed", err != nil)
	return address
}

func (p *Provider) lacks(c Capability) error {
	return fault.Unprocessable.Errorf("%s cannot do that: it has no way to %s.", p.Name, c)
}
