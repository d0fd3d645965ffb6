package broker

import (
	"context"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/failpoint"
	"github.com/sutlerhq/sutler/internal/fault"
)

// ConfirmMove ends a move for good: the old instance is destroyed with its data. The same again changes nothing.
func (b *Broker) ConfirmMove(ctx context.Context, who identity.Principal, instance string) (Move, error) {
	return b.endMove(ctx, who, instance, [2]string{"confirming", "confirmed"}, func(ctx context.Context, s *scene) error {
		switch s.move.State {
		case moveConfirmed:
			return nil
		case moveMoved:
		default:
			return fault.Conflict.Errorf("The move of %s is %s; it can be confirmed when it is moved.", s.move.Name, s.move.State)
		}
		if s.old.State != Deleting && s.old.State != Gone {
			if err := b.acceptDelete(ctx, who, &s.old); err != nil {
				return err
			}
		}
		s.move.State, s.move.Note, s.move.EndedAt = moveConfirmed, "", b.Clock.Now().UnixMicro()
		return b.record(ctx, who, s.move.scope(), "move.confirm", "move/"+s.move.ID, map[string]string{"name": s.move.Name, "destroyed": s.old.ID})
	})
}

// RollBackMove takes a move back: the old instance has its name, its bindings and their aliases again, and the new one is destroyed. What was written to
// the new one since the switch is lost, so name must be the instance's name then.
func (b *Broker) RollBackMove(ctx context.Context, who identity.Principal, instance, name string) (Move, error) {
	m, err := b.endMove(ctx, who, instance, [2]string{"returning", "returned"}, func(ctx context.Context, s *scene) error {
		switch s.move.State {
		case moveUndoing, moveUndone, moveFailing, moveFailed:
			return nil
		case moveConfirmed:
			return fault.Conflict.Errorf("The move of %s is confirmed: what it was moved from is gone.", s.move.Name)
		}
		if s.move.Switched == 1 && name != s.move.Name {
			return fault.Invalid.Errorf("Rolling back loses what was written to %s since it was moved. Nothing was done: this needs the instance's name.", s.move.Name).
				WithFields(fault.Field{Path: "/name", Reason: "must be the instance's name"})
		}
		if err := b.record(ctx, who, s.move.scope(), "move.roll_back", "move/"+s.move.ID, map[string]string{"name": s.move.Name, "from": s.move.State, "destroyed": s.new.ID}); err != nil {
			return err
		}
		s.move.State = moveUndoing
		return b.undo(ctx, who, s)
	})
	if err == nil && m.State == moveUndoing {
		b.halt(m.Target)
	}
	return m, err
}

// endMove changes a move with both instances held. places are the failpoints before and after that has committed.
func (b *Broker) endMove(ctx context.Context, who identity.Principal, instance string, places [2]string, f func(context.Context, *scene) error) (Move, error) {
	m, err := b.MoveOf(ctx, who, instance)
	if err == nil {
		err = may(who, identity.InstanceWrite, identity.Scope{Org: m.Org, Project: m.Project}, noInstance(instance))
	}
	if err != nil {
		return m, err
	}
	err = b.DB.Tx(ctx, func(ctx context.Context) error {
		if err := b.wakeMove(ctx, moveRow{ID: m.ID}); err != nil {
			return err
		}
		s, err := b.held(ctx, m.ID, m.Instance, m.Target)
		if err != nil {
			return err
		}
		if err := f(ctx, &s); err != nil {
			return err
		}
		m = s.move.view()
		b.changed(ctx, s.old, bindingRow{})
		b.changed(ctx, s.new, bindingRow{})
		if err := b.saveMove(ctx, s.move); err != nil {
			return err
		}
		b.DB.AfterCommit(ctx, func() { failpoint.Pass("broker", "move", places[1]) })
		return failpoint.Hit("broker", "move", places[0])
	})
	return m, err
}
