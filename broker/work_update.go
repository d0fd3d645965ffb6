package broker

import (
	"context"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/failpoint"
)

// prepareUpdate adds what an update leads to. The old instance is told with the maintenance version that it is on.
func (b *Broker) prepareUpdate(ctx context.Context, j *job) (err error) {
	if _, j.target, err = b.Plan(ctx, j.op.Plan); err != nil {
		return err
	}
	j.toldNext = j.told
	j.toldNext.Plan = j.target
	j.told.Plan.Maintenance = at(j.plan, j.instance.Maintenance)
	j.toldNext.Plan.Maintenance = at(j.target, j.op.Maintenance)
	j.toldNext.Params, err = b.openJSON(ctx, j.instance.Org, "operation/"+j.op.ID+"/params", j.op.Params)
	return err
}

// at is a plan's maintenance as an instance has it.
func at(p catalog.Plan, version string) *catalog.Maintenance {
	if version == "" {
		return nil
	}
	m := catalog.Maintenance{Version: version}
	if p.Maintenance != nil && p.Maintenance.Version == version {
		m.Description = p.Maintenance.Description
	}
	return &m
}

// finishUpdate puts the instance on its new plan, and charges for it from this very transaction on.
func (b *Broker) finishUpdate(ctx context.Context, j *job, out outcome, now time.Time) error {
	r := &j.instance
	params, err := b.openJSON(ctx, r.Org, "operation/"+j.op.ID+"/params", j.op.Params)
	if err != nil {
		return err
	}
	if r.Params, err = b.Box.Seal(ctx, r.Org, "instance/"+r.ID+"/params", params); err != nil {
		return err
	}
	bought := r.PlanID != j.target.ID
	r.State, r.Plan, r.PlanID, r.Maintenance, r.DashboardURL = Ready, j.target.Name, j.target.ID, j.op.Maintenance, out.dashboard
	if err := b.restand(ctx, j, true); err != nil || !bought {
		return err
	}
	s, err := b.snapshotOf(ctx, *r, j.offering.Category)
	if err != nil {
		return err
	}
	if err := b.Meter.Change(ctx, s, now); err != nil {
		return err
	}
	return failpoint.Hit("broker", verbUpdate, "charged")
}
