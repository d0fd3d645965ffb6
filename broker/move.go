package broker

import (
	"context"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/failpoint"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
	"github.com/sutlerhq/sutler/providers"
)

// The states of a move. All but "moved" go on by themselves; the last three are its ends.
const (
	movePreparing  = "preparing"    // the new instance is being made, empty
	moveSuspending = "suspending"   // nothing may be written to the old one any more
	moveCopying    = "copying"      // data are copied, and what both hold is compared
	moveBinding    = "binding"      // each binding is made at the new one as well
	moveMoved      = "moved"        // name and aliases are the new one's; waits for Confirm or RollBack
	moveUndoing    = "rolling back" // it was rolled back
	moveFailing    = "failing"      // something failed before the switch, so it is rolled back
	moveConfirmed  = "confirmed"
	moveUndone     = "rolled back"
	moveFailed     = "failed"
)

// Move takes an instance to another provider or plan. Until it is confirmed both instances exist: the old one suspended, which is not charged for.
type Move struct {
	ID, Instance, Target string // ids: of the move, the old instance, the new one
	Name                 string // the instance's, which goes to the new one
	Org, Project         string // ids
	From, To             string // providers
	Offering, Plan       string // of the new instance
	State                string // preparing suspending copying binding moved "rolling back" failing confirmed "rolled back" failed
	Note                 string // what failed, for people
	Switched             bool   // name and aliases are the new instance's
	Bytes                int64  // copied
	Counted, Copied      map[string]int64
	CreatedAt, EndedAt   time.Time // market time
}

// MoveOrder asks for a move. Provider is needed; Plan is chosen there when it is empty.
type MoveOrder struct{ Instance, Provider, Plan, Currency string }

// Move orders a new instance of the same kind elsewhere that takes the old one's place. It goes on by itself up to the switch; MoveOf tells how far
// it is. What fails before the switch is rolled back by itself.
func (b *Broker) Move(ctx context.Context, who identity.Principal, o MoveOrder) (Move, catalog.Choice, error) {
	r, err := b.seenInstance(ctx, who, o.Instance)
	if err == nil {
		err = may(who, identity.InstanceWrite, r.scope(), noInstance(o.Instance))
	}
	if err == nil {
		err = b.movable(r)
	}
	if err != nil {
		return Move{}, catalog.Choice{}, err
	}
	choice, err := b.destination(ctx, who, r, o)
	if err == nil {
		err = b.bridged(r.Provider, choice.Offering.Provider)
	}
	if err != nil {
		return Move{}, choice, err
	}
	params, err := b.openJSON(ctx, r.Org, "instance/"+r.ID+"/params", r.Params)
	if err != nil {
		return Move{}, choice, err
	}
	row := moveRow{
		ID: ids.New("mov"), Instance: r.ID, Name: r.Name, Org: r.Org, Project: r.Project, SourceProvider: r.Provider, TargetProvider: choice.Offering.Provider,
		Offering: choice.Offering.Name, Plan: choice.Plan.Name, State: movePreparing, CreatedAt: b.Clock.Now().UnixMicro(),
	}
	order := ProvisionOrder{
		Org: r.Org, Project: r.Project, App: r.App, Name: beside(r.Name, "moving"), Offering: choice.Offering.ID, Plan: choice.Plan.ID, Params: params,
		AcceptsAsync: true, source: "instance/" + r.ID,
	}
	err = b.DB.Tx(ctx, func(ctx context.Context) error { return b.acceptMove(ctx, who, &row, order, choice.Plan) })
	return row.view(), choice, err
}

// movable tells why an instance cannot be moved now.
func (b *Broker) movable(r instanceRow) error {
	if r.Platform != "" {
		return fault.Unprocessable.Errorf("%s belongs to a platform, whose apps hold credentials that only the platform can change: it cannot be moved from here.", r.Name).
			WithHint("Make another instance through the platform, and bind its apps to that one.")
	}
	if r.State != Ready {
		return fault.Busy.Errorf("%s is %s; it can be moved when it is ready.", r.Name, r.State).WithCode("ConcurrencyError")
	}
	p, ok := b.Providers.Get(r.Provider)
	if !ok {
		return fault.Unavailable.Errorf("The provider %s is not configured any more.", r.Provider)
	}
	for _, c := range []providers.Capability{providers.BacksUp, providers.Counts, providers.Suspends} {
		if !p.Can(c) {
			return fault.Unprocessable.Errorf("%s cannot be moved: %s has no way to %s.", r.Name, r.Provider, c)
		}
	}
	return nil
}

// destination chooses where the instance goes: the same kind, and a provider that takes a copy in and can count it.
func (b *Broker) destination(ctx context.Context, who identity.Principal, r instanceRow, o MoveOrder) (catalog.Choice, error) {
	if o.Provider == "" {
		return catalog.Choice{}, fault.Invalid.Errorf("A move needs the provider to move to.").WithFields(fault.Field{Path: "/provider", Reason: "is required"})
	}
	choice, err := b.chooseBackable(ctx, who, catalog.Need{Want: r.Kind, Provider: o.Provider, Plan: o.Plan, Currency: o.Currency})
	if err != nil {
		return choice, err
	}
	if p, ok := b.Providers.Get(choice.Offering.Provider); ok && !p.Can(providers.Counts) {
		return choice, fault.Unprocessable.Errorf("%s has no way to %s, so a copy there could not be checked.", p.Name, providers.Counts)
	}
	if choice.Plan.ID == r.PlanID {
		return choice, fault.Conflict.Errorf("%s is on %s:%s of %s already.", r.Name, r.Offering, r.Plan, r.Provider).WithHint("Name another provider or plan: --to PROVIDER:PLAN.")
	}
	return choice, nil
}

// acceptMove is the transaction of a new move: the new instance's order and the move's first row.
func (b *Broker) acceptMove(ctx context.Context, who identity.Principal, row *moveRow, order ProvisionOrder, plan catalog.Plan) error {
	if err := b.wakeMove(ctx, *row); err != nil { // the task's row comes first
		return err
	}
	r, err := b.take(ctx, row.Instance)
	if err != nil {
		return err
	}
	if err := b.movable(r); err != nil {
		return err
	}
	if err := b.stays(ctx, r, false); err != nil {
		return err
	}
	if err := b.portable(ctx, r, plan); err != nil {
		return err
	}
	i, _, err := b.Provision(ctx, who, order)
	if err != nil {
		return err
	}
	row.Target = i.ID
	if err := b.insertMove(ctx, row); err != nil {
		return err
	}
	err = b.record(ctx, who, row.scope(), "move.start", "move/"+row.ID, map[string]string{
		"instance": row.Instance, "name": row.Name, "target": row.Target, "from": row.SourceProvider, "to": row.TargetProvider, "plan": row.Plan,
	})
	if err != nil {
		return err
	}
	b.DB.AfterCommit(ctx, func() { failpoint.Pass("broker", "move", "accepted") })
	return failpoint.Hit("broker", "move", "accepting")
}

// portable refuses a move while something is under way at the old instance, and one whose bindings the new plan would not take.
func (b *Broker) portable(ctx context.Context, r instanceRow, plan catalog.Plan) error {
	ops, err := b.liveOperations(ctx, r.ID)
	if err != nil {
		return err
	}
	for _, op := range ops {
		if op.Verb != verbUnbind || op.NextAt <= wall() { // what expires later does not matter
			return fault.Busy.Errorf("Something else is being done with %s (%s). Try again when that has ended.", r.Name, op.Verb).WithCode("ConcurrencyError")
		}
	}
	bindings, err := b.listBindings(ctx, "instance = ? AND state = 'ready'", r.ID)
	if err != nil {
		return err
	}
	for _, bd := range bindings {
		params, err := b.openJSON(ctx, bd.Org, "binding/"+bd.ID+"/params", bd.Params)
		if err != nil {
			return err
		}
		if !plan.Bindable {
			return fault.Unprocessable.Errorf("The plan %s cannot be bound, and %s has bindings.", plan.Name, r.Name)
		}
		if _, err := b.fitting(plan.Schemas.Bind, params); err != nil {
			return fault.Unprocessable.Wrap(err, "The plan %s does not take the parameters of the binding %s.", plan.Name, bd.Alias)
		}
	}
	return nil
}

// stays refuses what would get into the way of a move. additive is what the new instance takes once the switch has been made: it is lost when the move
// is rolled back, as all that is done there is.
func (b *Broker) stays(ctx context.Context, r instanceRow, additive bool) error {
	m, moving, err := b.moveOf(ctx, r.ID)
	if err != nil || !moving || additive && m.Target == r.ID && m.State == moveMoved {
		return err
	}
	f := fault.Busy.Errorf("%s is being moved from %s to %s (%s).", m.Name, m.SourceProvider, m.TargetProvider, m.State).WithCode("ConcurrencyError")
	if m.State == moveMoved {
		return f.WithHint("End the move first: sutler move %s --confirm, or --roll-back.", m.Name)
	}
	return f.WithHint("Try again when that is done, or end it: sutler move %s --roll-back.", m.Name)
}

// beside gives a name of its own to the half of a move that does not have the instance's.
func beside(name, word string) string {
	return strings.TrimRight(name[:min(len(name), 48)], "-") + "-" + word + "-" + letters(5)
}

func noMove(ref string) error {
	return fault.NotFound.Errorf("%s is not being moved.", ref).WithHint("sutler move %s --to PROVIDER begins a move.", ref)
}

// MoveOf finds the latest move of an instance, the old one or the new one.
func (b *Broker) MoveOf(ctx context.Context, who identity.Principal, instance string) (Move, error) {
	r, err := b.seenInstance(ctx, who, instance)
	if err != nil {
		return Move{}, err
	}
	m, found, err := b.findMove(ctx, `instance = ? OR target = ? ORDER BY CASE WHEN ended_at = 0 THEN 0 ELSE 1 END, created_at DESC, id DESC`, instance, instance)
	if err == nil && !found {
		err = noMove(r.Name)
	}
	return m.view(), err
}
