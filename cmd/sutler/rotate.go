package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/client"
)

func newRotate(s *session) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use: "rotate NAME --app APP", Short: "Give an app new credentials; the old ones stay valid for a while", Args: arguments("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			if app == "" {
				return usagef("--app is missing.").next("Say which app: sutler rotate %s --app APP.", args[0])
			}
			api, err := s.connect()
			if err != nil {
				return err
			}
			return s.rotate(c.Context(), api, args[0], app)
		},
	}
	c.Flags().StringVar(&app, "app", "", "the app")
	return c
}

func (s *session) rotate(ctx context.Context, api *client.Client, name, app string) error {
	bound, err := api.Bindings(ctx, s.place(), "", app)
	if err != nil {
		return err
	}
	rotated := false
	for _, b := range bound {
		if b.Name != name && b.Instance != name || b.State != "ready" {
			continue
		}
		fresh, err := api.Rotate(ctx, b.ID)
		if err != nil {
			return err
		}
		if err := s.follow(ctx, api, fresh.Operation, "Rotating "+b.Name+" ("+b.Alias+") of "+app, bindPatience); err != nil {
			return err
		}
		s.say("%s has new credentials as %s_URL; restart it to use them. The old ones expire by themselves.", app, b.Alias)
		rotated = true
	}
	if !rotated {
		return fault.NotFound.Errorf("%s is not bound to %s.", name, app).WithHint("sutler info %s shows what is.", name)
	}
	return nil
}
