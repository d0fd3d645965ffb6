package broker

import (
	"context"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/audit"
	"github.com/sutlerhq/sutler/internal/fault"
)

// noInstance and noBinding are said alike of what is not there and of what may not be seen.
func noInstance(ref string) error { return fault.NotFound.Errorf("There is no instance %q.", ref) }
func noBinding(ref string) error  { return fault.NotFound.Errorf("There is no binding %q.", ref) }
func noProject(ref string) error  { return fault.NotFound.Errorf("There is no project %q.", ref) }

// may answers nil when who may do a in s. hidden is said to those who may not even see that s has something there.
func may(who identity.Principal, a identity.Action, s identity.Scope, hidden error) error {
	if identity.Can(who, a, s) {
		return nil
	}
	if !identity.Can(who, identity.InstanceRead, s) {
		return hidden
	}
	return fault.Forbidden.Errorf("You may see this and may not do it (%s).", a).WithHint("Ask an admin of the org for a role that carries %s.", a)
}

// seenInstance finds the instance by id, for somebody who may see it.
func (b *Broker) seenInstance(ctx context.Context, who identity.Principal, id string) (instanceRow, error) {
	r, found, err := b.findInstance(ctx, "id = ?", id)
	if err == nil && (!found || !identity.Can(who, identity.InstanceRead, r.scope())) {
		err = noInstance(id)
	}
	return r, err
}

// seenBinding finds the binding by id, for somebody who may see it.
func (b *Broker) seenBinding(ctx context.Context, who identity.Principal, id string) (bindingRow, error) {
	r, found, err := b.findBinding(ctx, "id = ?", id)
	if err == nil && (!found || !identity.Can(who, identity.InstanceRead, r.scope())) {
		err = noBinding(id)
	}
	return r, err
}

// record appends to the audit trail, in the caller's transaction. No detail is ever a parameter's value or a credential.
func (b *Broker) record(ctx context.Context, who identity.Principal, s identity.Scope, action, object string, detail map[string]string) error {
	return b.Audit.Append(ctx, audit.Entry{Org: s.Org, Project: s.Project, At: b.Clock.Now(), Who: who.Label(), Via: who.Via(), Action: action, Object: object, Detail: detail})
}
