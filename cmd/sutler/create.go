package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/client"
)

// wait is how a command follows what it began.
type wait struct {
	on      bool
	timeout time.Duration
}

func (w *wait) flags(c *cobra.Command) {
	c.Flags().BoolVar(&w.on, "wait", false, "wait until it is finished")
	c.Flags().DurationVar(&w.timeout, "timeout", 15*time.Minute, "how long to wait at most")
}

// copying are the flags of what copies data: it is waited for, and for long, unless the flag says otherwise.
func (w *wait) copying(c *cobra.Command) {
	c.Flags().BoolVar(&w.on, "wait", true, "wait until it is finished; --wait=false leaves it to itself")
	c.Flags().DurationVar(&w.timeout, "timeout", 6*time.Hour, "how long to wait at most")
}

// creation is what the create command was given.
type creation struct {
	client.NewInstance
	alias, raw, network string
	params              []string
	wait                wait
}

func newCreate(s *session) *cobra.Command {
	var n creation
	c := &cobra.Command{
		Use: "create KIND|OFFERING[:PLAN] [NAME]", Short: "Create an instance of a kind or an offering",
		Example: "  sutler create postgresql shopdb --wait\n  sutler create nats:small --app web --as EVENTS\n  sutler create postgresql near --max-rtt 5ms\n  sutler create fake:async orders -p size=3 --wait",
		Args:    arguments("KIND or OFFERING[:PLAN]", "[NAME]"),
		RunE: func(c *cobra.Command, args []string) error {
			n.Want = args[0]
			if len(args) == 2 {
				n.Name = args[1]
			}
			return s.create(c.Context(), n)
		},
	}
	f := c.Flags()
	f.StringVar(&n.Plan, "plan", "", "plan, by name (default: the cheapest that fits)")
	f.StringVar(&n.Region, "region", "", "in this region")
	f.StringVar(&n.Provider, "provider", "", "of this provider")
	f.StringVar(&n.MaxRTT, "max-rtt", "", "answering here within this time, as 5ms: measured from where this command runs")
	f.StringArrayVarP(&n.params, "param", "p", nil, "a parameter as key=value; the value may be JSON (can be repeated)")
	f.StringVar(&n.raw, "params", "", "all parameters as one JSON object")
	f.StringVar(&n.App, "app", "", "bind it to this app as soon as it is ready (implies --wait)")
	f.StringVar(&n.alias, "as", "", "with --app: prefix of the variables (default: the kind's customary one)")
	f.StringVar(&n.network, "network", "", "with --app: "+networkHelp)
	n.wait.flags(c)
	return reading(s, c)
}

func (s *session) create(ctx context.Context, n creation) error {
	if n.alias != "" && n.App == "" {
		return usagef("--as names the variables in an app, and no --app is given.").next("Add --app APP.")
	}
	if n.network != "" && n.App == "" {
		return usagef("--network says where an app stands, and no --app is given.").next("Add --app APP.")
	}
	if offering, plan, found := strings.Cut(n.Want, ":"); found && n.Plan != "" && n.Plan != plan {
		return usagef("%s names the plan %q and --plan the plan %q.", n.Want, plan, n.Plan).next("Name one of them: sutler create %s --plan %s.", offering, n.Plan)
	}
	var err error
	if n.Params, err = parameters(n.raw, n.params); err != nil {
		return err
	}
	api, err := s.connect()
	if err != nil {
		return err
	}
	n.Org, n.Project = s.org, s.project
	if n.App == "" { // an app's backends live beside it
		n.Project = s.home()
	}
	if err := s.nearness(ctx, api, &n.NewInstance); err != nil {
		return err
	}
	made, err := s.order(ctx, api, n)
	if err != nil {
		return err
	}
	s.say("Creating %s: %s:%s of %s%s, %s.", made.Name, made.Offering, made.Plan, made.Provider, in(made.Region), made.Price)
	if made.Why != "" {
		s.say("Chosen: %s", made.Why)
	}
	if !made.Fresh {
		s.say("It was ordered before; nothing new is made.")
	}
	if n.wait.on || n.App != "" {
		if err := s.follow(ctx, api, made.Operation, "Creating "+made.Name, n.wait.timeout); err != nil {
			return err
		}
		if made.Instance, err = api.Instance(ctx, s.place(), made.ID); err != nil {
			return err
		}
	}
	if n.App != "" {
		params, err := standing("", nil, n.network)
		if err != nil {
			return err
		}
		if err := s.bind(ctx, api, client.NewBinding{Instance: made.ID, App: n.App, Alias: n.alias, Params: params, Org: made.Org, Project: made.Project}, n.wait.timeout); err != nil {
			return err
		}
	}
	s.nextAfterCreate(made, n.App)
	if done, err := s.data(made); done {
		return err
	}
	return s.line(made.Name)
}

// startPause is how often an order is tried again while a provider starts.
const startPause = 250 * time.Millisecond

// order takes the order to the market. With --wait it also waits for a provider that is only starting.
func (s *session) order(ctx context.Context, api *client.Client, n creation) (client.Ordered, error) {
	ctx, cancel := context.WithTimeout(ctx, n.wait.timeout)
	defer cancel()
	for said, last := false, false; ; {
		made, err := api.CreateInstance(ctx, n.NewInstance)
		refusal, ok := errors.AsType[*client.Error](err)
		if !ok || refusal.Code != string(fault.Unavailable) || !n.wait.on || last {
			return made, err
		}
		last = !starting(ctx, api, n.NewInstance) // once more: it may have come up between the two questions
		if !last && !said {
			said = true
			s.say("%s Waiting for it.", refusal.Detail)
		}
		select {
		case <-ctx.Done():
			return made, err
		case <-time.After(startPause):
		}
	}
}

// starting tells whether a provider that could serve the order is on its way up.
func starting(ctx context.Context, api *client.Client, n client.NewInstance) bool {
	want, _, _ := strings.Cut(n.Want, ":")
	offerings, err := api.Market(ctx)
	return err == nil && slices.ContainsFunc(offerings, func(o client.Offering) bool {
		return o.Status == "starting" && (o.Name == want || o.Kind == want)
	})
}

func (s *session) nextAfterCreate(made client.Ordered, app string) {
	switch {
	case app != "":
		s.say("Next: sutler run --app %s -- COMMAND", app)
	case made.State == "ready":
		s.say("Next: sutler bind %s --app APP", made.Name)
	default:
		s.say("Next: sutler info %s", made.Name)
	}
}

// parameters makes one JSON object of --params and of every -p key=value. A value that is JSON is taken as it is, any other as a string.
func parameters(raw string, pairs []string) (json.RawMessage, error) {
	if raw == "" && len(pairs) == 0 {
		return nil, nil
	}
	if len(pairs) == 0 {
		var object map[string]json.RawMessage
		if err := json.Unmarshal([]byte(raw), &object); err != nil {
			return nil, usagef("--params is no JSON object.").next(`Write it like --params '{"size":"small"}'.`)
		}
		return json.RawMessage(raw), nil // as it is: the market checks it strictly
	}
	if raw != "" {
		return nil, usagef("--params and -p exclude each other.").next("Use one of them.")
	}
	object := map[string]json.RawMessage{}
	for _, p := range pairs {
		key, value, found := strings.Cut(p, "=")
		if !found || key == "" {
			return nil, usagef("%q is no key=value.", p).next("Write -p size=small.")
		}
		if json.Valid([]byte(value)) {
			object[key] = json.RawMessage(value)
			continue
		}
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		object[key] = text
	}
	return json.Marshal(object)
}

// in says where, when there is a where.
func in(region string) string {
	if region == "" {
		return ""
	}
	return " in " + region
}
