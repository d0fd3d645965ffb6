package broker

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

const (
	kindReconcile  = "reconcile"
	reconcileEvery = 10 * time.Minute
)

// The kinds of difference between what the market knows and what a backend holds.
const (
	Missing       = "missing"        // an instance is not at its backend
	AccessMissing = "access_missing" // a binding is not
	Left          = "left"           // an instance that is gone is at its backend
	AccessLeft    = "access_left"    // a binding that is gone is
	Unknown       = "unknown"        // something at the backend that the market's store has never heard of
	AccessUnknown = "access_unknown" // an access of that sort, to an instance that the market knows
	GivenUp       = "given_up"       // an instance that an operator gave up is still at its backend
)

// Difference is one thing that is otherwise at a backend than the market knows it.
type Difference struct {
	Kind, Provider         string
	Instance, InstanceName string // empty when unknown
	Org, Project           string // ids of where it lives; names are unique in a project alone
	Binding                string
	Backend                string // what it is called at the backend, of unknown ones
	What                   string // the difference, for people
	Done                   string // what the market did about it
	Next                   string // what a person can do; empty when there is nothing to do
}

// Reconciliation is what comparing with the backends came to.
type Reconciliation struct {
	Checked     int // instances
	Differences []Difference
	Skipped     []Skip
}

// Skip is what could not be compared, and why: that is no difference.
type Skip struct{ Provider, Instance, Why string }

// Condition counts instances that are not well alike.
type Condition struct {
	Provider, Health string
	Count            int64
}

// Conditions counts the instances that are not well, and by provider what the last round found at the backend that nobody knows. It names no
// tenant and asks no permission.
func (b *Broker) Conditions(ctx context.Context) (list []Condition, unknown map[string]int64, err error) {
	if list, err = b.conditions(ctx); err != nil {
		return nil, nil, err
	}
	rows, err := b.unknowns(ctx)
	unknown = map[string]int64{}
	for _, r := range rows {
		unknown[r.Provider] = r.Unknown
	}
	return list, unknown, err
}

// reconcile is the round that compares a provider's instances with their backends. What it finds is at the instances (health), in the audit trail
// and in the metrics.
func (b *Broker) reconcile(ctx context.Context, t tour) error {
	return b.goRound(ctx, t, roundPlan{
		kind: kindReconcile, can: providers.Inspects, every: reconcileEvery, within: reconcileEvery / 2, gone: true,
		look: func(ctx context.Context, p *providers.Provider, r instanceRow) error {
			_, err := b.compare(ctx, p, r)
			return err
		},
		end: func(ctx context.Context, p *providers.Provider, row *roundRow) error {
			found, err := b.strangers(ctx, p)
			row.Unknown = 0
			for _, d := range found {
				if d.Kind == Unknown {
					row.Unknown++
				}
				b.Log.Warn("reconcile", "provider", p.Name, "difference", d.Kind, "backend", d.Backend, "instance", d.Instance, "done", d.Done)
			}
			return err
		},
	})
}

// Reconcile compares all instances of one provider, or of all when none is named, with their backends now, and lists every difference with what was
// done about it: what is missing is shown as degraded and never made anew, what a late call left of things that are gone is removed by a
// durable operation, and what the store has never heard of is left alone. Operators only.
func (b *Broker) Reconcile(ctx context.Context, who identity.Principal, provider string) (out Reconciliation, err error) {
	if !identity.Can(who, identity.OperationManage, identity.Scope{}) {
		return out, fault.Forbidden.Errorf("Only an operator compares the whole market with its backends.")
	}
	list, object := b.Providers.All(), "market"
	if provider != "" {
		object = "provider/" + provider
		p, ok := b.Providers.Get(provider)
		if !ok {
			return out, fault.NotFound.Errorf("There is no provider %q.", provider)
		}
		list = []*providers.Provider{p}
	}
	err = b.DB.Tx(ctx, func(ctx context.Context) error {
		return b.record(ctx, who, identity.Scope{}, "market.reconcile", object, nil)
	})
	if err != nil {
		return out, err
	}
	for _, p := range list {
		if err := b.reconcileProvider(ctx, p, &out); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (b *Broker) reconcileProvider(ctx context.Context, p *providers.Provider, out *Reconciliation) error {
	if !p.Can(providers.Inspects) {
		out.Skipped = append(out.Skipped, Skip{Provider: p.Name, Why: "It has no way to " + string(providers.Inspects) + "."})
		return nil
	}
	if p.Away {
		out.Skipped = append(out.Skipped, Skip{Provider: p.Name, Why: "Its backends are at the node " + p.Node + ", which compares them by itself every ten minutes; ask that one for more."})
		return nil
	}
	if !answers(p) {
		out.Skipped = append(out.Skipped, Skip{Provider: p.Name, Why: "It is " + string(p.Status()) + ". " + p.Why()})
		return nil
	}
	var mu sync.Mutex
	row := roundRow{Provider: p.Name}
	plan := roundPlan{kind: kindReconcile, gone: true, look: func(ctx context.Context, p *providers.Provider, r instanceRow) error {
		found, err := b.compare(ctx, p, r)
		mu.Lock()
		defer mu.Unlock()
		out.Checked++
		out.Differences = append(out.Differences, found...)
		if err != nil {
			out.Skipped = append(out.Skipped, Skip{Provider: p.Name, Instance: r.ID, Why: fault.Of(err).Text})
		}
		return nil
	}}
	for last := false; !last; {
		var err error
		if last, err = b.lookAt(ctx, p, plan, &row); away(err) && !answers(p) {
			out.Skipped = append(out.Skipped, Skip{Provider: p.Name, Instance: row.Reached, Why: "It is " + string(p.Status()) + " since this instance was compared; those behind it were not. " + p.Why()})
			return nil // the others are compared all the same
		}
		if err != nil {
			return err
		}
	}
	if !p.Can(providers.Lists) {
		out.Skipped = append(out.Skipped, Skip{Provider: p.Name, Why: "It has no way to " + string(providers.Lists) + ": what is there and unknown to the market is not found, nor what went longer ago than is looked at."})
	}
	found, err := b.strangers(ctx, p)
	for _, d := range found {
		same := func(o Difference) bool { return d.Instance != "" && o.Instance == d.Instance && o.Kind == d.Kind }
		if !slices.ContainsFunc(out.Differences, same) { // it was seen by its id already
			out.Differences = append(out.Differences, d)
		}
	}
	if err != nil && fault.KindOf(err) != fault.Unprocessable {
		out.Skipped = append(out.Skipped, Skip{Provider: p.Name, Why: fault.Of(err).Text})
	}
	return nil
}
