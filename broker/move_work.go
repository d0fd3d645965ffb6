package broker

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/sutlerhq/sutler/internal/failpoint"
	"github.com/sutlerhq/sutler/internal/tasks"
)

// moveWork names a move that wants to go on.
type moveWork struct{ Move string }

// moveLook is how often a move looks whether what it waits for has come about.
const moveLook = 200 * time.Millisecond

func (b *Broker) wakeMove(ctx context.Context, r moveRow) error {
	return b.Tasks.Enqueue(ctx, "move", "move/"+r.ID, moveWork{r.ID}, "")
}

// scene is everything that the next step of a move depends on.
type scene struct {
	move     moveRow
	old, new instanceRow
	order    operationRow // that makes the new instance
	held     bool         // the old one is suspended, or being suspended, because of the move
	turning  bool         // the old one is being suspended or let in again
	made     []bindingRow // at the new instance, all of them
}

// workMove takes a move a step further. It asks no provider: every step is one transaction that looks where the operations of both instances stand and
// begins the next ones, so whatever process comes next goes on from there.
func (b *Broker) workMove(ctx context.Context, w moveWork) error {
	for {
		s, err := b.seen(ctx, w.Move)
		if err != nil || s.move.EndedAt > 0 || s.move.ID == "" || s.move.State == moveMoved {
			return err
		}
		to, _ := s.next()
		if to == s.move.State {
			return tasks.Snooze(moveLook)
		}
		if err := failpoint.Hit("broker", "move", "turning"); err != nil {
			return err
		}
		if err := b.goOn(ctx, s.move); err != nil {
			return err
		}
	}
}

// goOn looks again with both instances held, and does what is next.
func (b *Broker) goOn(ctx context.Context, m moveRow) error {
	var s scene
	err := b.DB.Tx(ctx, func(ctx context.Context) (err error) {
		if err = tasks.Hold(ctx); err != nil {
			return err
		}
		if s, err = b.held(ctx, m.ID, m.Instance, m.Target); err != nil {
			return err
		}
		to, why := s.next()
		if to == s.move.State {
			return nil
		}
		from := s.move.State
		s.move.State, s.move.Note = to, cmp.Or(why, s.move.Note)
		if err := b.enterMove(ctx, &s); err != nil {
			return err
		}
		b.changed(ctx, s.old, bindingRow{})
		b.changed(ctx, s.new, bindingRow{})
		if err := b.saveMove(ctx, s.move); err != nil {
			return err
		}
		if err := b.record(ctx, itself, s.move.scope(), "move."+event(to), "move/"+s.move.ID, map[string]string{"name": s.move.Name, "from": from, "note": s.move.Note}); err != nil {
			return err
		}
		b.DB.AfterCommit(ctx, func() { failpoint.Pass("broker", "move", "settled") })
		return failpoint.Hit("broker", "move", "settling")
	})
	if err == nil && s.move.State == moveFailing {
		b.halt(s.new.ID)
	}
	return err
}

// event is a state as the audit trail names it.
func event(state string) string {
	switch state {
	case moveUndoing:
		return "rolling_back"
	case moveUndone:
		return "rolled_back"
	}
	return state
}

// seen reads a move's scene as it stands.
func (b *Broker) seen(ctx context.Context, move string) (s scene, err error) {
	if s.move, _, err = b.findMove(ctx, "id = ?", move); err != nil || s.move.ID == "" {
		return s, err
	}
	if s.old, _, err = b.findInstance(ctx, "id = ?", s.move.Instance); err != nil {
		return s, err
	}
	if s.new, _, err = b.findInstance(ctx, "id = ?", s.move.Target); err != nil {
		return s, err
	}
	return s, b.around(ctx, &s)
}

// held reads it with the rows of both instances and the move locked, in the order in which everybody takes them.
func (b *Broker) held(ctx context.Context, move, from, to string) (s scene, err error) {
	if s.old, err = b.take(ctx, from); err != nil {
		return s, err
	}
	if s.new, err = b.take(ctx, to); err != nil {
		return s, err
	}
	if s.move, err = b.lockMove(ctx, move); err != nil {
		return s, err
	}
	return s, b.around(ctx, &s)
}

func (b *Broker) around(ctx context.Context, s *scene) (err error) {
	if s.order, err = b.provisionOf(ctx, s.new.ID); err != nil {
		return err
	}
	reasons, err := b.suspensionsOf(ctx, s.old.ID)
	if err != nil {
		return err
	}
	s.held = slices.ContainsFunc(reasons, func(r suspensionRow) bool { return r.Reason == ByMove })
	ops, err := b.liveOperations(ctx, s.old.ID)
	if err != nil {
		return err
	}
	s.turning = slices.ContainsFunc(ops, func(o operationRow) bool { return o.Verb == verbSuspend || o.Verb == verbResume })
	s.made, err = b.listBindings(ctx, "instance = ?", s.new.ID)
	return err
}

// next is the whole life of a move: the state that follows, which is the same one while something has to be waited for, and why when it is a failure.
func (s scene) next() (state, why string) {
	switch s.move.State {
	case moveUndoing, moveFailing:
		if s.turning {
			return s.move.State, ""
		}
		return map[string]string{moveUndoing: moveUndone, moveFailing: moveFailed}[s.move.State], ""
	case movePreparing, moveSuspending, moveCopying, moveBinding:
		if why := s.broken(); why != "" {
			return moveFailing, why
		}
	}
	switch {
	case s.move.State == movePreparing && s.order.Phase != phaseMaking:
		return moveSuspending, ""
	case s.move.State == moveSuspending && s.old.State == Suspended && !s.turning:
		return moveCopying, ""
	case s.move.State == moveCopying && s.new.State == Ready:
		return moveBinding, ""
	case s.move.State == moveBinding && !slices.ContainsFunc(s.made, func(bd bindingRow) bool { return bd.State != Ready }):
		return moveMoved, ""
	}
	return s.move.State, ""
}

// broken says why the switch cannot come about any more.
func (s scene) broken() string {
	switch {
	case s.new.State == Failed || s.new.State == Deleting || s.new.State == Gone:
		return cmp.Or(s.order.Note, "The new instance is gone.")
	case s.new.State == Suspended:
		return "The new instance is suspended: " + s.new.Note + "."
	case s.old.State != Ready && s.old.State != Suspended:
		return "The old instance is " + string(s.old.State) + "."
	case s.move.State != movePreparing && !s.held:
		return cmp.Or("The old instance could not be suspended. "+s.old.Note, "")
	}
	for _, bd := range s.made {
		if bd.State != Creating && bd.State != Ready {
			return "A binding could not be made at the new instance. " + bd.Note
		}
	}
	return ""
}
