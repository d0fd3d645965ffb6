package osb

import (
	"context"
	"strconv"
	"time"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/internal/fault"
)

// finish waits for an operation as long as the plan and the platform's patience say. Later tells that the platform has to ask again.
func (s *server) finish(ctx context.Context, op broker.Operation, asyncPlan, asyncAllowed bool) (later bool, err error) {
	if asyncPlan && asyncAllowed && !op.Done() {
		retryAfter(ctx, op)
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
	case op.State == "failed" && op.Note == broker.Replaced: // it lost against a delete; the provider did nothing wrong
		return false, fault.Busy.Errorf("%s", op.Note).WithCode("ConcurrencyError")
	case op.State == "failed":
		usable(ctx, op)
		return false, fault.ProviderFailed.Errorf("%s", op.Note)
	case op.Done():
		return false, nil
	case asyncAllowed:
		retryAfter(ctx, op)
		return true, nil
	}
	if s.Broker.Stopping() {
		boxOf(ctx).header.Set("Retry-After", "1")
		return false, fault.Unavailable.Errorf("This process of the market stops; the work goes on. Ask again.")
	}
	return false, fault.Timeout.Errorf("It takes longer than a request may; the work goes on. Ask again, with accepts_incomplete=true.")
}

// retryAfter says when to ask again: the longer it has been going on, the later.
func retryAfter(ctx context.Context, op broker.Operation) {
	age := time.Since(op.StartedAt)
	seconds := max(1, min(30, int(age/(4*time.Second))))
	boxOf(ctx).header.Set("Retry-After", strconv.Itoa(seconds))
}

// usable says of a failed update or delete what became of the instance; the protocol allows it there and nowhere else.
func usable(ctx context.Context, op broker.Operation) {
	switch op.Verb {
	case "update":
		deleted := op.Note == broker.Replaced
		boxOf(ctx).add("instance_usable", !deleted)
		boxOf(ctx).add("update_repeatable", op.Repeatable && !deleted)
	case "deprovision":
		boxOf(ctx).add("instance_usable", false)
	}
}

// takesTime tells whether a plan's work may outlast a request. An unknown plan is somebody else's finding.
func (s *server) takesTime(ctx context.Context, plan string) (bool, error) {
	p, err := s.Broker.PlanNow(ctx, plan)
	if err != nil && fault.KindOf(err) == fault.NotFound {
		err = nil
	}
	return p.Async, err
}

// hurried refuses a platform that would not wait, for a plan that takes its time.
func (s *server) hurried(ctx context.Context, plan string, asyncAllowed bool) (async bool, err error) {
	async, err = s.takesTime(ctx, plan)
	if err == nil && async && !asyncAllowed {
		err = fault.Unprocessable.Errorf("This plan takes longer than a request may: ask with accepts_incomplete=true.").WithCode("AsyncRequired")
	}
	return async, err
}
