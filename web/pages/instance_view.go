package pages

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// steps tell an instance's story from what is known of it and its bindings, newest first.
func steps(i broker.Instance, bindings []broker.Binding) []look.Step {
	list := []look.Step{{Text: "Ordered", Note: i.Offering + " " + i.Plan, Tone: "good", At: i.CreatedAt}}
	if !i.ReadyAt.IsZero() {
		list = append(list, look.Step{Text: "Ready after " + took(i.ReadyAt.Sub(i.CreatedAt)), Tone: "good", At: i.ReadyAt})
	}
	for _, b := range bindings {
		if b.State == broker.Ready {
			list = append(list, look.Step{Text: "Bound to " + appOf(b), Note: "as " + b.Alias, Tone: "good", At: b.CreatedAt})
		}
	}
	slices.SortStableFunc(list, func(a, b look.Step) int { return b.At.Compare(a.At) })
	var running []look.Step
	for _, o := range append([]broker.Operation{i.Operation}, operationsOf(bindings)...) {
		if step, ok := stepOf(o); ok {
			running = append(running, step)
		}
	}
	return append(running, list...)
}

func operationsOf(bindings []broker.Binding) []broker.Operation {
	list := make([]broker.Operation, 0, len(bindings))
	for _, b := range bindings {
		list = append(list, b.Operation)
	}
	return list
}

// verbs are the operations in people's words: while they run, and when they failed.
var verbs = map[string][2]string{
	"provision": {"Being created", "Could not be created"}, "update": {"Being changed", "Could not be changed"},
	"deprovision": {"Being destroyed", "Could not be destroyed yet"}, "bind": {"Being bound", "Could not be bound"},
	"unbind": {"Being unbound", "Could not be unbound yet"}, "rotate": {"Credential being rotated", "Credential could not be rotated"},
	"suspend": {"Being suspended", "Could not be suspended"}, "resume": {"Being resumed", "Could not be resumed"},
}

// stepOf tells of an operation that is running or failed; one that succeeded is seen in the state of things.
func stepOf(o broker.Operation) (look.Step, bool) {
	words, known := verbs[o.Verb]
	switch {
	case o.ID == "" || o.State == "succeeded" || !known:
		return look.Step{}, false
	case o.State == "failed":
		return look.Step{Text: words[1], Note: o.Note, Tone: "bad"}, true
	}
	note := o.Note
	if o.Attempts > 1 {
		note = fmt.Sprintf("try %d: %s", o.Attempts, note)
	}
	return look.Step{Text: words[0], Note: note, Tone: "note"}, true
}

func took(d time.Duration) string {
	switch {
	case d < 0:
		return "a moment"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

func appOf(b broker.Binding) string {
	if b.AppName != "" {
		return b.AppName
	}
	return "a service key"
}

// bindingRow is an app's access, with masked credentials.
func bindingRow(v visit, i broker.Instance, b broker.Binding) look.BindingRow {
	row := look.BindingRow{
		ID: b.ID, App: b.AppName, Alias: b.Alias, State: stateChip(b.State), CreatedAt: b.CreatedAt, ExpiresAt: b.ExpiresAt, Successor: b.Successor,
		Ready: b.State == broker.Ready, CanReveal: v.can(identity.CredentialsRead), Values: variables(i.Kind, b.Alias),
	}
	row.Values = append(row.Values, look.Variable{Name: "VCAP_SERVICES", Secret: true})
	row.State.Note = b.Note
	if b.AppName != "" {
		row.AppURL = v.frame.Base() + "/apps/" + b.AppName
	}
	return row
}

func whyNoBinding(i broker.Instance) string {
	switch i.State {
	case broker.Ready:
		return ""
	case broker.Creating, broker.Updating:
		return "It can be bound as soon as it is ready."
	}
	return "It is " + string(i.State) + " and cannot be bound."
}

func limitsOf(offers []broker.Offer, i broker.Instance) []look.Limit {
	for _, o := range offers {
		for _, plan := range o.Plans {
			if plan.ID == i.PlanID {
				return look.LimitsOf(plan.Limits)
			}
		}
	}
	return nil
}

func instanceCommands(v visit, i broker.Instance) []look.Command {
	at := []string{"--org", v.org.Name, "--project", v.project.Name}
	return []look.Command{
		command(append([]string{"sutler", "info", i.Name}, at...)...),
		command(append([]string{"sutler", "bind", i.Name, "--app", "APP"}, at...)...),
		command(append([]string{"sutler", "destroy", i.Name, "--confirm", i.Name}, at...)...),
	}
}

// measured is what was used this month, by an instance or by all of the project. A ledger that does not answer takes only the numbers off.
func (p *Pages) measured(ctx context.Context, v visit, instance string) []look.Measure {
	if !v.can(identity.UsageRead) {
		return nil
	}
	now := p.Clock.Now()
	rows, err := p.Ledger.Usage(ctx, v.who, v.scope(), billing.Period{From: monthOf(now), To: now})
	if err != nil {
		p.Log.LogAttrs(ctx, slog.LevelWarn, "usage", slog.String("project", v.project.ID), slog.Any("cause", err))
		return nil
	}
	var list []look.Measure
	for _, r := range rows {
		if instance == "" || r.Instance == instance {
			quantity, unit := quantity(r.Quantity.String(), r.Unit)
			list = append(list, look.Measure{Instance: r.InstanceName, Name: look.Sentence(r.Metric), Quantity: quantity, Unit: unit})
		}
	}
	return list
}

// monthOf is the beginning of the month that t is in.
func monthOf(t time.Time) time.Time {
	t = t.UTC()
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}
