package pages

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// counted is how many counts a move's table has at most; what differs is always in it.
const counted = 8

// moving fills an instance's latest move into its page: as a part of its own while somebody has to know of it, as a story afterwards.
func (p *Pages) moving(ctx context.Context, v visit, i broker.Instance, page *look.Instance) error {
	m, err := p.Broker.MoveOf(ctx, v.who, i.ID)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	page.Steps = append(moveSteps(m, i), page.Steps...)
	slices.SortStableFunc(page.Steps, func(x, y look.Step) int {
		if x.At.IsZero() != y.At.IsZero() { // what is under way stays on top
			return map[bool]int{true: -1, false: 1}[x.At.IsZero()]
		}
		return y.At.Compare(x.At)
	})
	if over(m, i) {
		return nil
	}
	page.Pending = page.Pending || m.EndedAt.IsZero() && m.State != "moved"
	page.Move = moveOf(m, i)
	page.Move.URL = page.Row.URL
	if page.Move.Other, err = p.otherHalf(ctx, v, m, i); err != nil {
		return err
	}
	if named(m, i) && m.EndedAt.IsZero() && v.can(identity.InstanceWrite) {
		page.Move.Confirm, page.Move.Back = ends(m)
		page.Move.Commands = moveCommands(v, m)
	}
	if i.ID == m.Instance && i.State == broker.Suspended && m.EndedAt.IsZero() {
		page.Note = "" // the move says it better
	}
	return nil
}

// over tells whether a move is nobody's concern any more: it has ended, and this instance is the one that stayed, unless the move failed.
func over(m broker.Move, i broker.Instance) bool {
	stayed := m.Instance
	if m.State == "confirmed" {
		stayed = m.Target
	}
	return !m.EndedAt.IsZero() && i.ID == stayed && m.State != "failed"
}

// named tells whether an instance is the half of a move that has the name.
func named(m broker.Move, i broker.Instance) bool {
	return (i.ID == m.Target) == m.Switched
}

// otherHalf finds the instance that the move makes or leaves.
func (p *Pages) otherHalf(ctx context.Context, v visit, m broker.Move, i broker.Instance) (look.Half, error) {
	id := m.Target
	if i.ID == m.Target {
		id = m.Instance
	}
	other, err := p.Broker.Instance(ctx, v.who, v.project.ID, id)
	if fault.KindOf(err) == fault.NotFound {
		return look.Half{}, nil
	}
	half := look.Half{Name: other.Name}
	if err == nil && other.State != broker.Gone {
		half.URL = v.frame.Base() + "/instances/" + other.Name
	}
	return half, err
}

// moveStates are the chip of each state, and what it means for those who use the instance.
var moveStates = map[string]struct {
	tone, word, text string
}{
	"preparing":    {"note", "preparing", "A new, empty instance is being made at %[2]s. Apps go on using the old one as before."},
	"suspending":   {"note", "suspending", "The old instance at %[1]s is being suspended, so that nothing changes while it is copied. From now until the switch apps are turned away."},
	"copying":      {"note", "copying", "Data are being copied from %[1]s to %[2]s. Then what both hold is counted and compared. Apps wait until the switch."},
	"binding":      {"note", "binding", "Every app is being given credentials at %[2]s. Apps wait until the switch."},
	"moved":        {"care", "waits for you", "It lives at %[2]s now, under the same name and aliases. Start the apps that use it again, look whether all is well, then confirm. Until then the old instance at %[1]s is kept, suspended and without charge."},
	"rolling back": {"note", "rolling back", "It is being given back to the old instance at %[1]s."},
	"failing":      {"bad", "failing", "Something failed before the switch, so all is being put back as it was at %[1]s."},
	"confirmed":    {"good", "confirmed", "The move to %[2]s was confirmed. The old instance at %[1]s is destroyed."},
	"rolled back":  {"good", "rolled back", "The move was rolled back. The new instance at %[2]s is destroyed; the old one at %[1]s has its place again."},
	"failed":       {"bad", "failed", "The move to %[2]s failed, and all is as it was at %[1]s. Nothing was lost."},
}

func moveOf(m broker.Move, i broker.Instance) *look.Move {
	told := moveStates[m.State]
	view := &look.Move{
		Title: fmt.Sprintf("Moving from %s to %s", m.From, m.To), State: look.Chip{Tone: told.tone, Word: told.word}, Text: fmt.Sprintf(told.text, m.From, m.To),
		Note: m.Note, From: m.From, To: m.To, Stages: stages(m),
	}
	view.Counts, view.Same = counts(m)
	switch {
	case !m.EndedAt.IsZero():
		view.Title = fmt.Sprintf("Move from %s to %s", m.From, m.To)
	case m.State == "moved" && named(m, i):
		view.Title = fmt.Sprintf("Moved from %s to %s", m.From, m.To)
	case m.State == "moved":
		view.Title, view.State = "Replaced by "+m.Name, look.Chip{Tone: "off", Word: "kept until the move is confirmed"}
		view.Text = fmt.Sprintf("%s lives at %s now. This is what it was moved from: suspended, without charge, with all its data as they were at the switch.", m.Name, m.To)
	case !named(m, i):
		view.Title = "Being filled for " + m.Name
	}
	return view
}

// stages is the way of a move, with how far it is.
func stages(m broker.Move) []look.Stage {
	list := []look.Stage{
		{Text: "New instance made at " + m.To, Note: m.Offering + ":" + m.Plan},
		{Text: "Old one suspended at " + m.From},
		{Text: "Data copied and counted"},
		{Text: "Apps bound to the new one"},
		{Text: "Name and aliases handed over"},
	}
	if m.Bytes > 0 {
		list[2].Note = look.Bytes(m.Bytes)
	}
	at := slices.Index([]string{"preparing", "suspending", "copying", "binding"}, m.State)
	if m.State == "moved" || m.State == "confirmed" {
		at = len(list)
	}
	if at < 0 {
		return nil // on the way back it has no stages
	}
	for n := range list {
		list[n].Tone = map[bool]string{true: "good", false: "off"}[n < at]
		if n == at {
			list[n].Tone = "note"
		}
	}
	return list
}

// counts sets what both halves hold side by side, what differs first.
func counts(m broker.Move) (list []look.Count, same int) {
	if len(m.Copied) == 0 {
		return nil, 0
	}
	all := maps.Clone(m.Counted)
	if all == nil {
		all = map[string]int64{}
	}
	maps.Copy(all, m.Copied)
	number := func(n int64) string { return look.Quantity(big.NewInt(n).String()) }
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, look.Count{Name: name, Old: number(m.Counted[name]), New: number(m.Copied[name]), Differs: m.Counted[name] != m.Copied[name]})
	}
	slices.SortStableFunc(list, func(x, y look.Count) int {
		if x.Differs != y.Differs {
			return map[bool]int{true: -1, false: 1}[x.Differs]
		}
		return 0
	})
	for len(list) > counted && !list[len(list)-1].Differs {
		list, same = list[:len(list)-1], same+1
	}
	return list, same
}

// ends are the forms that end a move.
func ends(m broker.Move) (*look.Check, *look.Return) {
	switch m.State {
	case "moved":
		return &look.Check{Name: "confirm", Label: "I know that the old instance at " + m.From + " is destroyed with its data"}, &look.Return{
			Verb: "Roll back", Text: "Gives the old instance its place again and destroys the new one. What was written since the switch is lost; apps have to be started again.",
			Name: &look.Field{Name: "name", Label: "Type " + m.Name + " to roll back", Required: true},
		}
	case "preparing", "suspending", "copying", "binding":
		return nil, &look.Return{
			Verb: "Stop the move", Text: "Gives the move up: the old instance goes on as before, and the new one is destroyed. Nothing is lost.",
			Sure: &look.Check{Name: "confirm", Label: "I know that the move is given up"},
		}
	}
	return nil, nil
}

func moveCommands(v visit, m broker.Move) []look.Command {
	at := []string{"--org", v.org.Name, "--project", v.project.Name}
	if m.State != "moved" {
		return []look.Command{command(append([]string{"sutler", "move", m.Name}, at...)...)}
	}
	return []look.Command{
		command(append([]string{"sutler", "move", m.Name, "--confirm"}, at...)...),
		command(append([]string{"sutler", "move", m.Name, "--roll-back", "--name", m.Name}, at...)...),
	}
}

// moveSteps are a move's part of an instance's story.
func moveSteps(m broker.Move, i broker.Instance) []look.Step {
	begun := look.Step{Text: "Move to " + m.To + " begun", Note: m.Offering + " " + m.Plan, Tone: "good", At: m.CreatedAt}
	if i.ID == m.Target {
		begun.Text = "Move from " + m.From + " begun"
	}
	if m.EndedAt.IsZero() {
		return []look.Step{begun}
	}
	end := look.Step{Text: "Move " + m.State, Note: m.Note, Tone: "good", At: m.EndedAt}
	if m.State == "failed" {
		end.Tone = "bad"
	}
	return []look.Step{end, begun}
}
