package osb

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/internal/fault"
)

// predecessor finds our id of the binding that a bind replaces, when it names one: a field that the library does not know. successor is the bind's
// own id: what is there already and came from a binding of that name goes on coming from it, even when that is long gone and its name used again.
func (s *server) predecessor(ctx context.Context, i broker.Instance, successor string) (string, error) {
	raw, ok := boxOf(ctx).body["predecessor_binding_id"]
	if !ok || string(raw) == "null" {
		return "", nil
	}
	var platformID string
	if json.Unmarshal(raw, &platformID) != nil || platformID == "" {
		return "", fault.Invalid.Errorf("predecessor_binding_id must be a binding's id.")
	}
	who := boxOf(ctx).who
	if there, err := s.Broker.BindingOf(ctx, who, i.ID, successor); err == nil && there.State != broker.Gone && there.Predecessor != "" {
		if came, err := s.Broker.Binding(ctx, who, there.Predecessor); err == nil && came.PlatformBinding == platformID {
			return came.ID, nil
		}
	}
	old, err := s.Broker.BindingOf(ctx, who, i.ID, platformID)
	if err != nil && fault.KindOf(err) == fault.NotFound {
		err = fault.Invalid.Errorf("predecessor_binding_id names no binding of this instance.")
	}
	return old.ID, err
}

// complete gives a rotation that names its predecessor alone, which is all that the protocol asks of it, the service and the plan of its instance:
// the library wants them in every bind.
func (d *door) complete(r *http.Request, b *box) error {
	if _, rotates := b.body["predecessor_binding_id"]; !rotates || r.Method != http.MethodPut || named(b.body, "service_id") && named(b.body, "plan_id") {
		return nil
	}
	rest, _ := strings.CutPrefix(r.URL.EscapedPath(), "/v2/service_instances/")
	encoded, _, binding := strings.Cut(rest, "/service_bindings/")
	if !binding {
		return nil
	}
	platformID, err := id(encoded)
	if err != nil {
		return err
	}
	i, err := d.Broker.InstanceOf(r.Context(), b.who, b.who.ID, platformID)
	if err == nil && i.State == broker.Gone {
		err = noInstance(platformID)
	}
	if err != nil {
		return err
	}
	for field, own := range map[string]string{"service_id": i.OfferingID, "plan_id": i.PlanID} {
		if !named(b.body, field) {
			b.body[field] = encode(own)
		}
	}
	carry(r, encode(b.body))
	return nil
}

// named tells whether a body has a text that is not empty in a field.
func named(body map[string]json.RawMessage, field string) bool {
	var s string
	return json.Unmarshal(body[field], &s) == nil && s != ""
}
