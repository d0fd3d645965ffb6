package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/web/client"
)

func newUpdate(s *session) *cobra.Command {
	var change client.InstanceChange
	var raw string
	var params []string
	c := &cobra.Command{
		Use: "update NAME", Short: "Change an instance's plan, parameters or maintenance version", Args: arguments("NAME"),
		Example: "  sutler update shopdb --plan large\n  sutler update shopdb -p size=3\n  sutler update shopdb --maintenance",
		RunE: func(c *cobra.Command, args []string) error {
			var err error
			if change.Params, err = parameters(raw, params); err != nil {
				return err
			}
			if change.Plan == "" && !change.Maintenance && change.Params == nil {
				return usagef("Nothing to change was named.").next("Add --plan PLAN, -p key=value or --maintenance.")
			}
			api, err := s.connect()
			if err != nil {
				return err
			}
			return s.update(c.Context(), api, args[0], change)
		},
	}
	f := c.Flags()
	f.StringVar(&change.Plan, "plan", "", "another plan of the same offering")
	f.BoolVar(&change.Maintenance, "maintenance", false, "bring it to its plan's maintenance version")
	f.StringArrayVarP(&params, "param", "p", nil, "a parameter as key=value (can be repeated); the others stay")
	f.StringVar(&raw, "params", "", "parameters as one JSON object")
	return c
}

// update asks for a change and waits until it is in force.
func (s *session) update(ctx context.Context, api *client.Client, name string, change client.InstanceChange) error {
	i, err := api.UpdateInstance(ctx, s.place(), name, change)
	if err != nil {
		return err
	}
	if i.State != "updating" && !i.Fresh {
		s.say("%s is that way already.", i.Name)
		return nil
	}
	return s.follow(ctx, api, i.Operation, "Updating "+i.Name, bindPatience)
}
