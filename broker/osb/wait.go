package osb

import (
	"context"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/internal/fault"
)

// finish waits for an operation as long as the plan and the platform's patience say. Later tells that the platform has to ask again.
func (s *server) finish(ctx context.Context, op broker.Operation, asyncPlan, asyncAllowed bool) (later bool, err error) {
	if asyncPlan && asyncAllowed && !op.Done() {
		return true, nil
	}
	wait := s.SyncWait
	if !asyncAllowed {
		wait = patient
	}
	if !op.Done() {
		if op, err = s.Broker.Wait(ctx, op.ID, wait); err != nil {
			return false, err
		}
	}
	switch {
	case op.State == "failed":
		return false, fault.ProviderFailed.Errorf("%s", op.Note)
	case op.Done():
		return false, nil
	case asyncAllowed:
		return true, nil
	}
	return false, fault.Timeout.Errorf("It takes longer than a request may; the work goes on. Ask again, with accepts_incomplete=true.")
}

// needsAsync refuses a platform that would not wait, for a plan that takes its time. An unknown plan is somebody else's finding.
func (s *server) needsAsync(ctx context.Context, plan string, allowed bool) (async bool, err error) {
	_, p, err := s.Broker.Plan(ctx, plan)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			err = nil
		}
		return false, err
	}
	if p.Async && !allowed {
		return true, fault.Unprocessable.Errorf("This plan takes longer than a request may: ask with accepts_incomplete=true.").WithCode("AsyncRequired")
	}
	return p.Async, nil
}
