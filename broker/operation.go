package broker

import (
	"context"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/failpoint"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
)

func newOperation(instance, binding, verb string) operationRow {
	return operationRow{ID: ids.New("op"), Instance: instance, Binding: binding, Verb: verb, State: inProgress, Live: 1, StartedAt: wall()}
}

// begin writes the intent and wakes the work, in the caller's transaction. One task serves all operations of an instance, so they never meet:
// a delete waits for the step that is running, and then has the instance to itself.
func (b *Broker) begin(ctx context.Context, op operationRow) error {
	if err := b.insertOperation(ctx, &op); err != nil {
		return err
	}
	b.DB.AfterCommit(ctx, func() { failpoint.Pass("broker", op.Verb, "accepted") })
	if err := b.wake(ctx, op.Instance); err != nil {
		return err
	}
	return failpoint.Hit("broker", op.Verb, "accepting")
}

func (b *Broker) wake(ctx context.Context, instance string) error {
	node, err := b.nodeOf(ctx, instance)
	if err != nil {
		return err
	}
	return b.Tasks.Enqueue(ctx, "operation", "instance/"+instance, work{Instance: instance}, node)
}

// take makes an instance the caller's for the rest of the transaction. The task's row comes before the instance's, in the order in which
// workers take them: the other way round two could wait for each other.
func (b *Broker) take(ctx context.Context, instance string) (instanceRow, error) {
	if err := b.wake(ctx, instance); err != nil {
		return instanceRow{}, err
	}
	r, found, err := b.lockInstance(ctx, instance)
	if err == nil && !found {
		err = noInstance(instance)
	}
	return r, err
}

// Replaced is the note of an operation that an accepted delete took the place of.
const Replaced = "A delete took its place."

// replace ends what is running on an instance (or only on one of its bindings), because an accepted delete takes its place.
func (b *Broker) replace(ctx context.Context, instance, binding string) error {
	ops, err := b.liveOperations(ctx, instance)
	if err != nil {
		return err
	}
	for _, op := range ops {
		deletes := op.Verb == verbUnbind || op.Verb == verbDeprovision
		if deletes || binding != "" && op.Binding != binding {
			continue
		}
		if err := b.end(ctx, &op, failed, Replaced); err != nil {
			return err
		}
	}
	return nil
}

// end closes an operation for good.
func (b *Broker) end(ctx context.Context, op *operationRow, state, note string) error {
	op.State, op.Live, op.Note, op.EndedAt = state, 0, note, wall()
	b.DB.AfterCommit(ctx, func() { b.hub.ended(op.ID) })
	return b.saveOperation(ctx, *op)
}

// Operation finds one by id.
func (b *Broker) Operation(ctx context.Context, who identity.Principal, id string) (Operation, error) {
	none := fault.NotFound.Errorf("There is no operation %q.", id)
	op, found, err := b.findOperation(ctx, id)
	if err != nil {
		return Operation{}, err
	}
	if !found {
		return Operation{}, none
	}
	r, err := b.seenInstance(ctx, who, op.Instance)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			err = none
		}
		return Operation{}, err
	}
	return op.of(r), nil
}

// Operations lists operations of the whole market, newest first, at most 200; stuck: only those that need a person.
func (b *Broker) Operations(ctx context.Context, who identity.Principal, stuck bool) ([]Operation, error) {
	if !identity.Can(who, identity.OperationRead, identity.Scope{}) {
		return nil, fault.Forbidden.Errorf("Only an operator sees the operations of the whole market.")
	}
	rows, err := b.recentOperations(ctx, stuck, 200)
	if err != nil {
		return nil, err
	}
	return b.named(ctx, rows)
}

// named gives operations with the names of their instances.
func (b *Broker) named(ctx context.Context, rows []operationRow) ([]Operation, error) {
	names, err := b.namesOf(ctx, rows)
	list := make([]Operation, 0, len(rows))
	for _, r := range rows {
		list = append(list, r.of(names[r.Instance]))
	}
	return list, err
}

// otherProcesses is how long it takes at most to hear of an end that came about in another process.
const otherProcesses = 250 * time.Millisecond

// StopWaiting lets everyone who waits for an operation know at once what it is now, and nobody wait any more: the process is about to stop. The work
// itself goes on, here as long as the process lives and then in the next one.
func (b *Broker) StopWaiting() { b.leave() }

// Stopping tells whether StopWaiting was called: what has not ended was cut short, and not by its own slowness.
func (b *Broker) Stopping() bool { return b.leaving.Err() != nil }

// Wait returns once the operation has ended, d has passed or StopWaiting was called, with what it is then; it wakes by signal and does not poll on
// one process.
// It asks no permission: whoever knows the id got it from a method that did.
func (b *Broker) Wait(ctx context.Context, operation string, d time.Duration) (Operation, error) {
	end, release := b.hub.wait(operation)
	defer release()
	deadline := time.NewTimer(d)
	defer deadline.Stop()
	var look <-chan time.Time
	pause := otherProcesses / 16 // most ends come soon: looked for often at first
	for late := false; ; {
		if !b.DB.SQLite {
			look = time.After(pause)
			pause = min(2*pause, otherProcesses)
		}
		op, found, err := b.findOperation(ctx, operation)
		if err == nil && !found {
			err = fault.NotFound.Errorf("There is no operation %q.", operation)
		}
		if err != nil || op.view().Done() || late {
			return op.view(), err
		}
		select {
		case <-end:
			end = nil // once is enough; what it says is read above
		case <-look:
		case <-deadline.C:
			late = true
		case <-b.leaving.Done():
			late = true
		case <-ctx.Done():
			return op.view(), ctx.Err()
		}
	}
}

// Watch streams changes in a project until ctx ends. Slow readers lose changes, never block work.
// It hears of what this process does; pages ask again now and then for what other processes of the market did.
func (b *Broker) Watch(ctx context.Context, who identity.Principal, project string) (<-chan Change, error) {
	seen, err := b.seesProject(ctx, who, project)
	if err != nil {
		return nil, err
	}
	if !seen {
		return nil, noProject(project)
	}
	c, stop := b.hub.watch(project)
	context.AfterFunc(ctx, stop)
	return c, nil
}

// seesProject tells whether a role of who's reaches a project of which only the id is known.
func (b *Broker) seesProject(ctx context.Context, who identity.Principal, project string) (bool, error) {
	if identity.Can(who, identity.InstanceRead, identity.Scope{Project: project}) {
		return true, nil // one who reads the whole market
	}
	for _, g := range who.Grants {
		s := identity.Scope{Org: g.Scope.Org, Project: project}
		if !identity.Can(who, identity.InstanceRead, s) {
			continue
		}
		if _, err := b.Tenants.Tenancy(ctx, s); err == nil {
			return true, nil
		} else if fault.KindOf(err) != fault.NotFound {
			return false, err
		}
	}
	return false, nil
}
