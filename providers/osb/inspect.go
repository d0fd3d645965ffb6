package osb

import (
	"context"
	"net/http"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// Inspect asks whether the upstream knows the instance, where its catalog says that it can be asked, and which of its bindings it knows, where that
// can be asked too. It does not know sessions.
func (d *Driver) Inspect(ctx context.Context, i providers.Instance) (in providers.Inspection, err error) {
	s, err := readState(i.State)
	if err != nil {
		return in, err
	}
	t, err := d.instance(i, &s)
	if err != nil {
		return in, err
	}
	instances, bindings := d.retrievable(ctx, t.service)
	if !instances {
		return in, fault.Unprocessable.Errorf("The upstream cannot be asked whether an instance of this offering is there.")
	}
	if in.Exists, err = d.there(ctx, t); err != nil || !in.Exists || !bindings {
		return in, err
	}
	in.Sessions = map[string]int{}
	for _, id := range i.Bindings {
		t, err := d.binding(i, providers.Binding{ID: id})
		if err != nil {
			return providers.Inspection{}, err
		}
		there, err := d.there(ctx, t)
		if err != nil {
			return providers.Inspection{}, err
		}
		if there {
			in.Sessions[id] = 0
		}
	}
	return in, nil
}

// there fetches a thing to learn whether the upstream has it. What it says of it, a binding's credentials too, is dropped.
func (d *Driver) there(ctx context.Context, t item) (bool, error) {
	a := d.ask(ctx, request{method: http.MethodGet, path: t.path, query: t.query()})
	switch {
	case a.err != nil:
		return false, unanswered(a.err)
	case a.status == http.StatusOK, a.status == http.StatusUnprocessableEntity: // the latter while it is being changed
		return true, nil
	case a.status == http.StatusNotFound || a.status == http.StatusGone:
		return false, nil
	case a.status >= 500:
		return false, failed(t, a)
	}
	return false, fault.Unavailable.Wrap(refused(t, a), "The upstream does not say whether the %s is there (%d).", t.noun, a.status)
}
