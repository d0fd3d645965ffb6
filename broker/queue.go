package broker

import (
	"context"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/tasks"
)

// Queue is the durable work beneath the operations, as operators see it.
type Queue struct {
	Due        int64         // tasks that are due and that nobody runs
	Oldest     time.Duration // for how long the operation that waits longest has been due
	Failing    []Failing     // tasks and rows of the calendar that failed the last time and are tried again
	Operations []Operation   // operations that failed the last time and are tried again; those that are Stuck need a person
}

// Failing is a task, or a row of the market's calendar, whose last run failed.
type Failing struct {
	Kind, Key string
	Calendar  bool // it is a row of the calendar
	Attempts  int64
	Note      string    // what the last failure said; holds no secret
	Owner     string    // the process that runs it right now; empty when none does
	Next      time.Time // when it is tried again
}

// longestQueue bounds what Queue lists of each sort.
const longestQueue = 200

// Queue tells how the work stands and lists what fails, the most often failed first. Operators only.
func (b *Broker) Queue(ctx context.Context, who identity.Principal) (q Queue, err error) {
	if !identity.Can(who, identity.OperationRead, identity.Scope{}) {
		return q, fault.Forbidden.Errorf("Only an operator sees the queue of the market.")
	}
	if q.Due, err = b.Tasks.Due(ctx); err != nil {
		return q, err
	}
	since, err := b.dueSince(ctx)
	if err != nil {
		return q, err
	}
	if since > 0 {
		q.Oldest = time.Since(instant(since))
	}
	operations, err := b.failingOperations(ctx, longestQueue)
	if err != nil {
		return q, err
	}
	if q.Operations, err = b.named(ctx, operations); err != nil {
		return q, err
	}
	failing, err := b.Tasks.List(ctx, 1, longestQueue)
	if err != nil {
		return q, err
	}
	rows, err := b.Calendar.Failing(ctx, longestQueue)
	if err != nil {
		return q, err
	}
	for _, r := range failing {
		if r.Note != "" { // without a note it is at its first run
			q.Failing = append(q.Failing, failingOf(r, false))
		}
	}
	for _, r := range rows {
		q.Failing = append(q.Failing, failingOf(r, true))
	}
	return q, nil
}

func failingOf(r tasks.Row, calendar bool) Failing {
	return Failing{Kind: r.Kind, Key: r.Key, Calendar: calendar, Attempts: r.Attempt, Note: r.Note, Owner: r.Owner, Next: r.WakeAt}
}
