package main

import (
	"cmp"
	"context"

	"github.com/cli/browser"
	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/client"
)

func newWhoHas(s *session) *cobra.Command {
	return reading(s, &cobra.Command{
		Use: "who-has NAME", Short: "List who holds credentials of an instance", Args: arguments("NAME"),
		Long: "List who holds credentials of an instance: apps and service keys, since when and until when. Credentials that were rotated are there until they end.",
		RunE: func(c *cobra.Command, args []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			return s.whoHas(c.Context(), api, args[0])
		},
	})
}

func (s *session) whoHas(ctx context.Context, api *client.Client, name string) error {
	i, err := api.Instance(ctx, s.place(), name)
	if err != nil {
		return err
	}
	bindings, err := api.Bindings(ctx, client.Place{}, i.ID, "")
	if err != nil {
		return err
	}
	return list(s, bindings, "Nobody. Next: sutler bind "+i.Name+" --app APP",
		column[client.Binding]{title: "App", cell: func(b client.Binding) string { return cmp.Or(b.App, "a service key") }},
		column[client.Binding]{title: "Alias", cell: func(b client.Binding) string { return b.Alias }},
		column[client.Binding]{title: "State", cell: func(b client.Binding) string { return b.State }},
		column[client.Binding]{title: "Since", cell: func(b client.Binding) string { return when(b.CreatedAt) }},
		column[client.Binding]{title: "Until", cell: func(b client.Binding) string { return whenever(b.ExpiresAt, "unbound") }},
		column[client.Binding]{title: "ID", cell: func(b client.Binding) string { return b.ID }, wide: true},
	)
}

func newOpen(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "open NAME", Short: "Open an instance's dashboard in the browser", Args: arguments("NAME"),
		Long: "Open an instance's dashboard in the browser. Its address goes to stdout, too.",
		RunE: func(c *cobra.Command, args []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			return s.open(c.Context(), api, args[0])
		},
	}
}

// open shows an instance's dashboard. Where nobody sits at a terminal only its address is given.
func (s *session) open(ctx context.Context, api *client.Client, name string) error {
	i, err := api.Instance(ctx, s.place(), name)
	if err != nil {
		return err
	}
	if i.Dashboard == "" {
		return fault.NotFound.Errorf("%s has no dashboard: %s gives none for %s.", i.Name, i.Provider, i.Offering).WithHint("sutler info %s shows what is known of it.", i.Name)
	}
	if err := s.line(i.Dashboard); err != nil {
		return err
	}
	if s.talking() && browser.OpenURL(i.Dashboard) != nil {
		s.say("No browser could be opened: open the address yourself.")
	}
	return nil
}
