package pages

import (
	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// healthOf is what is wrong with an instance; nil when it is well.
func healthOf(i broker.Instance) *look.Health {
	if i.Health == "" || i.State == broker.Gone {
		return nil
	}
	h := &look.Health{Word: i.Health, Due: i.SuspendDue}
	if i.Health != broker.OverLimit { // the figures say the rest
		h.Note = i.HealthNote
	}
	for _, x := range i.Excess {
		one := look.LimitsOf(map[string]int64{x.Limit: x.Allowed})[0]
		used := look.LimitsOf(map[string]int64{x.Limit: x.Used})[0]
		h.Over = append(h.Over, look.Overrun{Name: one.Name, Used: used.Value, Allowed: one.Value, Held: x.Held})
	}
	return h
}

// holders are the reasons of suspensions in people's words.
var holders = map[string]string{
	broker.ByOwner: "By its owners", broker.ByOperator: "By the market's operator", broker.ByLimit: "Over a limit of its plan",
	broker.ByBudget: "A budget is used up", broker.ByUnpaid: "An invoice is overdue", broker.ByMove: "It was moved",
}

// turnOf is the form that suspends an instance, or lets a suspended one in again; nil when neither can be done.
func turnOf(v visit, i broker.Instance, ways broker.Ways, why string) *look.Turn {
	may := v.can(identity.InstanceWrite) || identity.Can(v.who, identity.OperationManage, identity.Scope{})
	if !may || !ways.Suspend || i.State != broker.Ready && i.State != broker.Suspended {
		return nil
	}
	if len(i.Suspensions) == 1 && i.Suspensions[0].Reason == broker.ByMove {
		return nil // it opens again when the move is taken back
	}
	t := &look.Turn{Verb: "suspend", Confirm: look.Check{Name: "confirm", Label: "I know that its apps lose their connections now"}}
	t.Why = look.Field{Name: "why", Label: "Why", Value: why, Help: "Whoever wonders will read it."}
	if i.State == broker.Suspended {
		t.Verb, t.Confirm.Label = "resume", "Its apps may log in again, and charging goes on"
	}
	for _, s := range i.Suspensions {
		t.Holds = append(t.Holds, look.Hold{Who: holders[s.Reason], Why: s.Why, Since: s.Since})
	}
	return t
}

// changeOf is the form that puts an instance on another plan, with what that costs more or less; nil when its plan leads nowhere.
func changeOf(v visit, i broker.Instance, ways broker.Ways, wish string) *look.PlanChange {
	if !v.can(identity.InstanceWrite) || len(ways.Plans) == 0 || i.State == broker.Deleting || i.State == broker.Gone || i.State == broker.Failed {
		return nil
	}
	currency := v.frame.Currency
	c := &look.PlanChange{Now: planTitle(ways.Plan), Price: look.PriceOf(ways.Plan, currency), WhyNot: whyNoChange(i)}
	to := "PLAN"
	for _, plan := range ways.Plans {
		choice := look.PlanChoice{
			Name: plan.Name, Title: planTitle(plan), Price: look.PriceOf(plan, currency), Limits: look.LimitsOf(plan.Limits), On: plan.Name == wish,
			Differs: look.Differs(ways.Plan, plan, currency),
		}
		if choice.On {
			to = plan.Name
		}
		c.Choices = append(c.Choices, choice)
	}
	c.Command = command("sutler", "update", i.Name, "--plan", to, "--org", v.org.Name, "--project", v.project.Name)
	return c
}

func whyNoChange(i broker.Instance) string {
	switch {
	case i.State == broker.Creating || i.State == broker.Updating:
		return "Its plan can be changed as soon as it is ready."
	case i.State == broker.Suspended && (len(i.Suspensions) != 1 || i.Suspensions[0].Reason != broker.ByLimit):
		return "Its plan can be changed when it is no longer suspended."
	}
	return ""
}
