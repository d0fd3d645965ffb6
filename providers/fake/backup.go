package fake

import (
	"context"
	"encoding/json"
	"io"
	"maps"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// Backup writes the instance's data as one JSON object.
func (d *Driver) Backup(ctx context.Context, i providers.Instance, to io.Writer) error {
	if err := d.enter(ctx, "backup", i.ID); err != nil {
		return err
	}
	var data map[string]string
	if err := d.edit(i.ID, func(o *object) error { data = maps.Clone(o.Data); return nil }); err != nil {
		return err
	}
	return json.NewEncoder(to).Encode(data)
}

// Restore reads what Backup wrote. An instance that holds data already is refused: it was not just made.
func (d *Driver) Restore(ctx context.Context, i providers.Instance, from io.Reader) error {
	if err := d.enter(ctx, "restore", i.ID); err != nil {
		return err
	}
	var data map[string]string
	if err := json.NewDecoder(from).Decode(&data); err != nil {
		return err
	}
	return d.edit(i.ID, func(o *object) error {
		if len(o.Data) > 0 {
			return fault.Refused.Errorf("The instance %s holds data already.", i.ID)
		}
		o.Data = data
		return nil
	})
}

// Count counts the instance's keys.
func (d *Driver) Count(_ context.Context, i providers.Instance) (n map[string]int64, err error) {
	err = d.edit(i.ID, func(o *object) error { n = map[string]int64{"keys": int64(len(o.Data))}; return nil })
	return n, err
}
