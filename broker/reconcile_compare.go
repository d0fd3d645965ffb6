package broker

import (
	"context"
	"maps"
	"slices"

	"github.com/sutlerhq/sutler/internal/tasks"
	"github.com/sutlerhq/sutler/providers"
)

// sight is one instance as the store knows it, beside what its backend shows.
type sight struct {
	row      instanceRow
	ops      []operationRow
	bindings []bindingRow // those that live
	in       providers.Inspection
}

// compare looks at one instance's backend and acts on what differs. One that changes while it is looked at is looked at again, and left for the
// next round when it keeps changing.
func (b *Broker) compare(ctx context.Context, p *providers.Provider, r instanceRow) (found []Difference, err error) {
	for range 3 {
		found, changed, err := b.compareOnce(ctx, p, r)
		if err != nil || !changed {
			return found, err
		}
		if r, _, err = b.findInstance(ctx, "id = ?", r.ID); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// compareOnce tells whether the instance has changed meanwhile. While something is being done with the instance it is left alone.
func (b *Broker) compareOnce(ctx context.Context, p *providers.Provider, r instanceRow) (found []Difference, changed bool, err error) {
	s := sight{row: r}
	if s.ops, err = b.liveOperations(ctx, r.ID); err != nil {
		return nil, false, err
	}
	if !s.quiet() {
		return s.leaving(), false, nil
	}
	known, err := b.listBindings(ctx, "instance = ? AND (state <> 'gone' OR gone_at >= ?)", r.ID, b.goneSince(true))
	if err != nil {
		return nil, false, err
	}
	s.bindings = slices.DeleteFunc(slices.Clone(known), func(bd bindingRow) bool { return bd.State == Gone })
	_, plan, err := b.Plan(ctx, r.PlanID)
	if err != nil {
		return nil, false, err
	}
	told, err := b.told(ctx, r, plan)
	if err != nil {
		return nil, false, err
	}
	for _, bd := range known {
		told.Bindings = append(told.Bindings, bd.ID)
	}
	asking, cancel := context.WithTimeout(ctx, readPatience)
	defer cancel()
	err = b.ask(asking, func(ctx context.Context) (err error) { s.in, err = p.Inspect(ctx, told); return err })
	if err != nil {
		return nil, false, err
	}
	if found, err = b.differences(ctx, &s); err != nil || len(found) == 0 && r.Health == "" {
		return nil, false, err
	}
	return b.mend(ctx, r, found)
}

// leaving tells of an instance that was found again after its end, and is being removed already.
func (s sight) leaving() []Difference {
	for _, op := range s.ops {
		if s.row.State == Gone && op.Verb == verbDeprovision {
			d := s.row.differs(Left, "It is gone, and is at its backend again: a call landed late.")
			d.Done = "Its removal has begun: " + op.ID + "."
			return []Difference{d}
		}
	}
	return nil
}

// differs is a difference of the instance.
func (r instanceRow) differs(kind, what string) Difference {
	return Difference{Kind: kind, Provider: r.Provider, Instance: r.ID, InstanceName: r.Name, Org: r.Org, Project: r.Project, What: what}
}

// quiet tells whether nothing is being done with the instance as a whole.
func (s sight) quiet() bool {
	switch s.row.State {
	case Ready, Suspended, Gone:
		return !slices.ContainsFunc(s.ops, func(o operationRow) bool { return o.Binding == "" })
	}
	return false // it is on its way, by an operation
}

// underway tells whether something is being done with a binding.
func (s sight) underway(binding string) bool {
	return slices.ContainsFunc(s.ops, func(o operationRow) bool { return o.Binding == binding })
}

func (b *Broker) differences(ctx context.Context, s *sight) ([]Difference, error) {
	r := s.row
	d := r.differs(Missing, "It is not at its backend any more.")
	if r.State == Gone {
		if !s.in.Exists {
			return nil, nil
		}
		return b.left(ctx, r)
	}
	if !s.in.Exists {
		d.Next = "Find out who removed it. Restore it there, or destroy it: sutler destroy " + r.ID + " --confirm " + r.Name
		return []Difference{d}, nil
	}
	if s.in.Sessions == nil {
		return nil, nil // the backend tells of no binding: what it does not tell is not missing
	}
	var found []Difference
	for _, bd := range s.bindings {
		if _, there := s.in.Sessions[bd.ID]; !there && !s.underway(bd.ID) {
			d.Kind, d.Binding, d.What, d.Next = AccessMissing, bd.ID, "The access "+bd.ID+bd.names()+" is not at the backend any more.", "Bind anew: unbind it and bind again, or rotate it."
			found = append(found, d)
		}
	}
	more, err := b.strangeAccess(ctx, s, d)
	return append(found, more...), err
}

func (r bindingRow) names() string {
	switch {
	case r.Alias == "":
		return ""
	case r.AppName == "": // a service key
		return " (" + r.Alias + ")"
	}
	return " (" + r.AppName + " as " + r.Alias + ")"
}

// strangeAccess finds what the backend lets in and the market does not.
func (b *Broker) strangeAccess(ctx context.Context, s *sight, d Difference) (found []Difference, err error) {
	for _, id := range slices.Sorted(maps.Keys(s.in.Sessions)) {
		if s.underway(id) || slices.ContainsFunc(s.bindings, func(bd bindingRow) bool { return bd.ID == id }) {
			continue
		}
		bd, known, err := b.findBinding(ctx, "id = ?", id)
		if err != nil {
			return found, err
		}
		d.Binding, d.Next = id, ""
		switch {
		case known && bd.Instance == s.row.ID && bd.State == Gone:
			d.Kind, d.What = AccessLeft, "The access "+id+" was taken away and is at the backend."
		default:
			d.Kind, d.Backend, d.What = AccessUnknown, id, "The backend lets in "+id+", which the market's store has never heard of."
			d.Done, d.Next = "Nothing: it may be newer than the store.", "It was made after the backup that the store was restored from, or by hand. Remove it at the backend when it is not wanted."
		}
		found = append(found, d)
	}
	return found, nil
}

// left tells of an instance that is gone and is at its backend all the same. One that an operator gave up is left alone, as was promised then.
func (b *Broker) left(ctx context.Context, r instanceRow) ([]Difference, error) {
	d := r.differs(Left, "It is gone, and is at its backend again: a call landed late.")
	op, _, err := b.findOperation(ctx, r.Operation)
	if err != nil {
		return nil, err
	}
	if op.Verb == verbDeprovision && op.State == failed {
		d.Kind, d.What, d.Done = GivenUp, "An operator gave it up, and it is still at its backend.", "Nothing: it was given up."
		d.Next = "Remove it at the backend by hand."
	}
	return []Difference{d}, nil
}

// mend writes what was found to the instance and begins the removals, unless the instance has changed since it was looked at.
func (b *Broker) mend(ctx context.Context, seen instanceRow, found []Difference) (done []Difference, changed bool, err error) {
	err = b.DB.Tx(ctx, func(ctx context.Context) error {
		if err := tasks.Hold(ctx); err != nil {
			return err
		}
		r, err := b.take(ctx, seen.ID)
		if err != nil {
			return err
		}
		if changed = r.Rev != seen.Rev+1; changed {
			return nil
		}
		for n := range found {
			if err := b.remove(ctx, r, &found[n]); err != nil {
				return err
			}
		}
		return b.diagnose(ctx, r, found)
	})
	return found, changed, err
}

// remove begins the durable operation that takes away what a late call left.
func (b *Broker) remove(ctx context.Context, r instanceRow, d *Difference) error {
	verb := map[string]string{Left: verbDeprovision, AccessLeft: verbUnbind}[d.Kind]
	if verb == "" {
		return nil
	}
	op := newOperation(r.ID, d.Binding, verb)
	d.Done = "Its removal has begun: " + op.ID + "."
	if err := b.begin(ctx, op); err != nil {
		return err
	}
	return b.record(ctx, itself, r.scope(), "reconcile.remove", "instance/"+r.ID,
		map[string]string{"name": r.Name, "binding": d.Binding, "difference": d.Kind, "operation": op.ID})
}

// diagnose puts what is missing into the instance's health, and takes it out when it is back.
func (b *Broker) diagnose(ctx context.Context, r instanceRow, found []Difference) error {
	health, note := "", ""
	for n := range found {
		if d := &found[n]; d.Kind == Missing || d.Kind == AccessMissing {
			health, d.Done = Degraded, "It is shown as degraded. Nothing was made anew."
			note += " " + d.What
		}
	}
	if note != "" {
		note = note[1:]
	}
	if r.Health == health && r.HealthNote == note {
		return nil
	}
	was := r.Health
	r.Health, r.HealthNote = health, note
	if err := b.saveInstance(ctx, r); err != nil {
		return err
	}
	b.changed(ctx, r, bindingRow{})
	action := "instance.degraded"
	switch {
	case health == "":
		action = "instance.recovered"
	case was != "":
		return nil // it was so before, in other words
	}
	return b.record(ctx, itself, r.scope(), action, "instance/"+r.ID, map[string]string{"name": r.Name, "why": note})
}
