package broker

import (
	"context"
	"crypto/rand"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/ids"
)

// enterMove does what a move's new state begins with. Only with both instances held.
func (b *Broker) enterMove(ctx context.Context, s *scene) error {
	switch s.move.State {
	case moveSuspending:
		if err := b.holdBack(ctx, itself, &s.old, ByMove, "to "+s.move.TargetProvider); err != nil {
			return err
		}
		return b.saveInstance(ctx, s.old)
	case moveCopying:
		if err := b.sendOut(ctx, s); err != nil {
			return err
		}
		return b.hasten(ctx, s.new.ID) // held has woken it
	case moveBinding:
		if err := b.tidy(ctx, s.move); err != nil {
			return err
		}
		return b.rebind(ctx, s)
	case moveMoved:
		return b.swap(ctx, s)
	case moveFailing:
		return b.undo(ctx, itself, s)
	case moveUndone, moveFailed:
		s.move.EndedAt = b.Clock.Now().UnixMicro()
	}
	return nil
}

// rebind begins a binding at the new instance for each that is in use at the old one. Until the switch the alias stays with the old one: who has a
// successor has given its alias away.
func (b *Broker) rebind(ctx context.Context, s *scene) error {
	bindings, err := b.listBindings(ctx, "instance = ? AND state = 'ready' AND successor = ''", s.old.ID)
	if err != nil {
		return err
	}
	for _, old := range bindings {
		row := bindingRow{
			ID: ids.New("bnd"), Instance: s.new.ID, Org: old.Org, Project: old.Project, App: old.App, AppName: old.AppName, Alias: old.Alias, State: Creating,
			Successor: old.ID, CreatedAt: b.Clock.Now().UnixMicro(),
		}
		params, err := b.openJSON(ctx, old.Org, "binding/"+old.ID+"/params", old.Params)
		if err != nil {
			return err
		}
		if row.Params, err = b.Box.Seal(ctx, row.Org, "binding/"+row.ID+"/params", params); err != nil {
			return err
		}
		seed := make([]byte, 32)
		_, _ = rand.Read(seed) // never fails: the runtime ends the process instead
		if row.Seed, err = b.Box.Seal(ctx, row.Org, "binding/"+row.ID+"/seed", seed); err != nil {
			return err
		}
		op := newOperation(s.new.ID, row.ID, verbBind)
		row.Operation = op.ID
		if _, err := b.insertBinding(ctx, &row); err != nil {
			return err
		}
		if err := b.begin(ctx, op); err != nil {
			return err
		}
	}
	return nil
}

// swap is the switch: in one transaction the new instance gets the name, and its bindings get the aliases.
func (b *Broker) swap(ctx context.Context, s *scene) error {
	for _, bd := range s.made {
		old, found, err := b.findBinding(ctx, "id = ?", bd.Successor)
		if err != nil || !found {
			return err
		}
		old.Successor, bd.Successor = bd.ID, ""
		if err := b.saveBinding(ctx, old); err != nil { // the old one first: an alias has one owner
			return err
		}
		if err := b.saveBinding(ctx, bd); err != nil {
			return err
		}
	}
	if err := b.rename(ctx, &s.old, beside(s.move.Name, "moved")); err != nil {
		return err
	}
	s.move.Switched, s.move.Note = 1, ""
	return b.rename(ctx, &s.new, s.move.Name)
}

// undo gives the old instance back what it had, lets apps in again, and sends the new one to its end.
func (b *Broker) undo(ctx context.Context, who identity.Principal, s *scene) error {
	if err := b.tidy(ctx, s.move); err != nil {
		return err
	}
	if s.move.Switched == 1 {
		if err := b.swapBack(ctx, s); err != nil {
			return err
		}
	}
	if _, err := b.letBack(ctx, itself, &s.old, ByMove); err != nil {
		return err
	}
	if err := b.saveInstance(ctx, s.old); err != nil {
		return err
	}
	if s.new.State == Failed || s.new.State == Deleting || s.new.State == Gone {
		return nil
	}
	return b.acceptDelete(ctx, who, &s.new)
}

func (b *Broker) swapBack(ctx context.Context, s *scene) error {
	if err := b.rename(ctx, &s.new, beside(s.move.Name, "undone")); err != nil {
		return err
	}
	if err := b.rename(ctx, &s.old, s.move.Name); err != nil {
		return err
	}
	s.move.Switched = 0
	here := map[string]bool{}
	for _, bd := range s.made { // rotated and later ones included
		here[bd.ID] = true
		if bd.Successor == "" && bd.State != Gone {
			bd.Successor = bd.ID
			if err := b.saveBinding(ctx, bd); err != nil {
				return err
			}
		}
	}
	bindings, err := b.listBindings(ctx, "instance = ? AND state = 'ready'", s.old.ID)
	if err != nil {
		return err
	}
	for _, old := range bindings {
		if !here[old.Successor] {
			continue
		}
		if err := b.takeBack(ctx, s.old, old); err != nil {
			return err
		}
	}
	return nil
}

// takeBack gives an old binding its alias again. Should the app have given that to something else meanwhile, the binding ends.
func (b *Broker) takeBack(ctx context.Context, r instanceRow, old bindingRow) error {
	_, taken, err := b.findBinding(ctx, "app <> '' AND app = ? AND alias = ? AND state <> 'gone' AND successor = ''", old.App, old.Alias)
	if err != nil {
		return err
	}
	if taken {
		return b.startUnbind(ctx, r, &old, true)
	}
	old.Successor = ""
	return b.saveBinding(ctx, old)
}
