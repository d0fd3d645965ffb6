package osb

import (
	"context"
	"encoding/json"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/internal/fault"
)

// predecessor finds our id of the binding that a bind replaces, when it names one: a field that the library does not know.
func (s *server) predecessor(ctx context.Context, i broker.Instance) (string, error) {
	raw, ok := boxOf(ctx).body["predecessor_binding_id"]
	if !ok || string(raw) == "null" {
		return "", nil
	}
	var platformID string
	if json.Unmarshal(raw, &platformID) != nil || platformID == "" {
		return "", fault.Invalid.Errorf("predecessor_binding_id must be a binding's id.")
	}
	old, err := s.Broker.BindingOf(ctx, boxOf(ctx).who, i.ID, platformID)
	if err != nil && fault.KindOf(err) == fault.NotFound {
		err = fault.Invalid.Errorf("predecessor_binding_id names no binding of this instance.")
	}
	return old.ID, err
}
