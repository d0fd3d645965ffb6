package broker

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// roomier refuses to change a suspended instance, unless it is suspended for being over a limit alone and the new plan has room for what it holds.
// Without that way out nobody could mend it: its owners cannot log in to make it smaller.
func (b *Broker) roomier(ctx context.Context, r instanceRow, c change) error {
	if r.State != Suspended {
		return nil
	}
	reasons, err := b.suspensionsOf(ctx, r.ID)
	if err != nil {
		return err
	}
	if len(reasons) != 1 || reasons[0].Reason != ByLimit || c.plan.ID == r.PlanID {
		return fault.Unprocessable.Errorf("%s is suspended and cannot be changed now: %s.", r.Name, because(reasons))
	}
	ops, err := b.liveOperations(ctx, r.ID)
	if err != nil {
		return err
	}
	for _, op := range ops {
		if op.Binding == "" {
			return fault.Busy.Errorf("%s is being suspended. Try again when that is done.", r.Name).WithCode("ConcurrencyError")
		}
	}
	for _, x := range r.exceeds() {
		if room, limited := c.plan.Limits[x.Limit]; limited && room < x.Used {
			return fault.Unprocessable.Errorf("%s holds more than %s:%s allows: %s.", r.Name, r.Offering, c.plan.Name, figures([]providers.Excess{{Limit: x.Limit, Allowed: room, Used: x.Used}})).
				WithHint("Choose a plan with more room.")
		}
	}
	return nil
}

// restand puts an instance whose update has ended where its reasons want it. One that was suspended for a limit begins anew on its roomier plan.
func (b *Broker) restand(ctx context.Context, j *job, updated bool) error {
	reasons, err := b.suspensionsOf(ctx, j.instance.ID)
	if err != nil {
		return err
	}
	for _, s := range reasons {
		if s.Reason == ByLimit {
			j.instance.State, j.instance.Note = Suspended, because(reasons) // it was all the time
		}
	}
	if updated && j.instance.State == Suspended {
		if _, err := b.dropSuspension(ctx, j.instance.ID, ByLimit); err != nil {
			return err
		}
		j.instance.Excess, j.instance.ExcessDue = "", 0
	}
	return b.stand(ctx, &j.instance)
}

// exceeds gives the limits that the instance passed when it was last looked at.
func (r instanceRow) exceeds() (list []providers.Excess) {
	_ = json.Unmarshal([]byte(r.Excess), &list) // empty: none
	return list
}

func (r instanceRow) showExcess(i *Instance) {
	i.Excess = r.exceeds()
	if len(i.Excess) == 0 || r.State == Gone {
		return
	}
	note := figures(i.Excess)
	switch {
	case r.State == Suspended:
	case r.ExcessDue > 0:
		note += "; it is suspended at " + instant(r.ExcessDue).Format(time.DateTime) + " UTC unless it is within its plan by then"
	default:
		note += "; the backend holds the limit itself"
	}
	if i.Health == "" {
		i.Health = OverLimit
	} else {
		note = i.HealthNote + " " + note
	}
	i.HealthNote = note + "."
}

// figures tells how far limits are passed.
func figures(list []providers.Excess) string {
	parts := make([]string, len(list))
	for n, x := range list {
		parts[n] = fmt.Sprintf("%s %d of %d", x.Limit, x.Used, x.Allowed)
	}
	return strings.Join(parts, ", ")
}
