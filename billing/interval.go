package billing

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
)

// Start opens an instance's first interval. An instance that has one, running or ended, is left as it is.
func (l *Ledger) Start(ctx context.Context, s catalog.Snapshot, at time.Time) error {
	return l.db.Tx(ctx, func(ctx context.Context) error {
		had, err := l.intervals(ctx, s.Instance)
		if err != nil || len(had) > 0 {
			return err
		}
		return l.begin(ctx, s, at)
	})
}

// begin opens an interval. Nothing may be charged for a closed period any more: what begins in one begins at its end.
func (l *Ledger) begin(ctx context.Context, s catalog.Snapshot, at time.Time) error {
	account, err := l.account(ctx, s.Account, shared)
	if err != nil {
		return err
	}
	snapshot, err := json.Marshal(s)
	if err != nil {
		return fault.Internal.Wrap(err, "What was sold could not be written down.")
	}
	_, err = l.insertInterval(ctx, intervalRow{
		ID: l.id("int"), Instance: s.Instance, Account: s.Account, Org: s.Org, Project: s.Project, App: s.App, Provider: s.Provider, Plan: s.Plan,
		Snapshot: string(snapshot), StartedAt: max(at.UnixMicro(), account.ClosedTo),
	})
	return err
}

// Change ends the interval of the old plan and opens one of the new. The plan that already runs, and an instance that was stopped, are left as they are;
// one that never started is fault.NotFound.
func (l *Ledger) Change(ctx context.Context, s catalog.Snapshot, at time.Time) error {
	return l.db.Tx(ctx, func(ctx context.Context) error {
		open, err := l.running(ctx, s.Instance)
		if err != nil || open == nil {
			return err
		}
		if open.Plan == s.Plan && open.Provider == s.Provider && open.Account == s.Account {
			return nil
		}
		end, err := l.end(ctx, *open, at)
		if err != nil {
			return err
		}
		return l.begin(ctx, s, end)
	})
}

// running gives the open interval, nil when the instance was stopped; one that never started is fault.NotFound.
func (l *Ledger) running(ctx context.Context, instance string) (*intervalRow, error) {
	had, err := l.intervals(ctx, instance)
	if err != nil {
		return nil, err
	}
	if len(had) == 0 {
		return nil, noInstance(instance)
	}
	if last := had[len(had)-1]; last.EndedAt == 0 {
		return &last, nil
	}
	return nil, nil
}

func noInstance(id string) error { return fault.NotFound.Errorf("There is no instance %q.", id) }

// end closes an interval, never before its beginning nor inside a closed period, and tells when.
func (l *Ledger) end(ctx context.Context, open intervalRow, at time.Time) (time.Time, error) {
	account, err := l.account(ctx, open.Account, shared)
	if err != nil {
		return at, err
	}
	micro := max(at.UnixMicro(), account.ClosedTo, open.StartedAt)
	return instant(micro), l.endInterval(ctx, open.ID, micro)
}

// Suspend marks the instance suspended: fixed rates rest. One that is suspended or was stopped is left as it is; one that never started is fault.NotFound.
func (l *Ledger) Suspend(ctx context.Context, instance string, at time.Time) error {
	return l.whileRunning(ctx, instance, at, l.insertSuspension)
}

// Resume ends a suspension; without one it changes nothing.
func (l *Ledger) Resume(ctx context.Context, instance string, at time.Time) error {
	return l.whileRunning(ctx, instance, at, l.endSuspension)
}

// whileRunning does something to an instance that is charged for now, at the time given or at the end of its account's closed months, whichever is later.
func (l *Ledger) whileRunning(ctx context.Context, instance string, at time.Time, do func(ctx context.Context, instance string, at int64) error) error {
	return l.db.Tx(ctx, func(ctx context.Context) error {
		open, err := l.running(ctx, instance)
		if err != nil || open == nil {
			return err
		}
		account, err := l.account(ctx, open.Account, shared)
		if err != nil {
			return err
		}
		return do(ctx, instance, max(at.UnixMicro(), account.ClosedTo))
	})
}

// Stop ends what is charged for the instance. One that was stopped, or never started, is left as it is: a create that failed is deleted, too.
func (l *Ledger) Stop(ctx context.Context, instance string, at time.Time) error {
	return l.db.Tx(ctx, func(ctx context.Context) error {
		open, err := l.running(ctx, instance)
		if errors.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil || open == nil {
			return err
		}
		end, err := l.end(ctx, *open, at)
		if err != nil {
			return err
		}
		return l.endSuspension(ctx, instance, end.UnixMicro())
	})
}
