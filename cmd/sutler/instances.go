package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/web/client"
)

func newInstances(s *session) *cobra.Command {
	return reading(s, &cobra.Command{
		Use: "instances", Aliases: []string{"ls", "list"}, Short: "List your instances",
		Args: arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			all, err := api.Instances(c.Context(), s.place())
			if err != nil {
				return err
			}
			return list(s, all, "There are no instances yet. Next: sutler marketplace",
				column[client.Instance]{title: "Name", cell: func(i client.Instance) string { return i.Name }},
				column[client.Instance]{title: "Plan", cell: func(i client.Instance) string { return i.Offering + ":" + i.Plan }},
				column[client.Instance]{title: "Provider", cell: func(i client.Instance) string { return i.Provider }},
				column[client.Instance]{title: "Region", cell: func(i client.Instance) string { return i.Region }},
				column[client.Instance]{title: "State", cell: state},
				column[client.Instance]{title: "Project", cell: func(i client.Instance) string { return i.Org + "/" + i.Project }, wide: true},
				column[client.Instance]{title: "Created", cell: func(i client.Instance) string { return when(i.CreatedAt) }, wide: true},
				column[client.Instance]{title: "ID", cell: func(i client.Instance) string { return i.ID }, wide: true},
			)
		},
	})
}

func newInfo(s *session) *cobra.Command {
	return reading(s, &cobra.Command{
		Use: "info NAME", Short: "Show an instance and what is bound to it", Args: arguments("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			return s.info(c.Context(), api, args[0])
		},
	})
}

func (s *session) info(ctx context.Context, api *client.Client, name string) error {
	i, err := api.Instance(ctx, s.place(), name)
	if err != nil {
		return err
	}
	if done, err := s.data(i); done {
		return err
	}
	bindings, err := api.Bindings(ctx, client.Place{}, i.ID, "")
	if err != nil {
		return err
	}
	latencies, err := api.Latencies(ctx, client.Place{}, i.ID)
	if err != nil {
		return err
	}
	return describe(s, i,
		pair{"name", i.Name}, pair{"id", i.ID}, pair{"kind", i.Kind}, pair{"plan", i.Offering + ":" + i.Plan}, pair{"provider", i.Provider},
		pair{"region", i.Region}, pair{"chosen", i.Why}, pair{"state", state(i)}, pair{"note", i.Note}, pair{"health", i.HealthNote}, pair{"project", i.Org + "/" + i.Project},
		pair{"created", when(i.CreatedAt)}, pair{"dashboard", i.Dashboard}, pair{"bound to", strings.Join(boundTo(bindings), "; ")},
		pair{"latency", strings.Join(spreads(latencies), "; ")},
	)
}

// boundTo writes what an instance is bound to. Of credentials that were rotated both appear until the old ones end: which those are, until when
// they are good and what replaces them is said.
func boundTo(list []client.Binding) []string {
	succeeds := map[string]bool{}
	for _, b := range list {
		succeeds[b.Successor] = true
	}
	var out []string
	for _, b := range list {
		var notes []string
		if succeeds[b.ID] {
			notes = append(notes, b.ID)
		}
		if b.State != "ready" {
			notes = append(notes, b.State)
		}
		if b.ExpiresAt != nil {
			notes = append(notes, "until "+when(*b.ExpiresAt)+" UTC")
		}
		if b.Successor != "" {
			notes = append(notes, "replaced by "+b.Successor)
		}
		text := cmp.Or(b.App, "a service key") + " as " + b.Alias
		if len(notes) > 0 {
			text += " (" + strings.Join(notes, ", ") + ")"
		}
		out = append(out, text)
	}
	return out
}

// spreads writes how far an instance is from each of its apps.
func spreads(list []client.Latency) []string {
	var out []string
	for _, l := range list {
		text := fmt.Sprintf("%s p50 %s, p95 %s (%d measured)", l.App, brief(l.Now.P50), brief(l.Now.P95), l.Now.Samples)
		if l.Regressed {
			text += fmt.Sprintf(", WORSE than before: p50 was %s", brief(l.Before.P50))
		}
		out = append(out, text)
	}
	return out
}

// brief shortens a duration of the API; one that cannot be read stays as it is.
func brief(text string) string {
	d, err := time.ParseDuration(text)
	if err != nil {
		return text
	}
	return clock.Brief(d)
}

// state is an instance's state with its health beside it.
func state(i client.Instance) string {
	if i.Health == "" || i.Health == "ok" {
		return i.State
	}
	return i.State + ", " + i.Health
}
