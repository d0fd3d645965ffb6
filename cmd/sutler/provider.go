package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/web/client"
)

func newProvider(s *session) *cobra.Command {
	key := reading(s, &cobra.Command{
		Use: "key NAME", Short: "Make the key that a provider reports usage with; a former one ends", Args: arguments("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			k, err := api.CreateProviderKey(c.Context(), args[0])
			if err != nil {
				return err
			}
			s.say("The key of %s is shown this once.", k.Provider)
			if done, err := s.data(k); done {
				return err
			}
			return s.line(k.Secret)
		},
	})
	return group("provider", "Sellers of backends (operators)", newProviderList(s), newProviderCordon(s), newProviderUncordon(s), newProviderCertify(s), key)
}

func newProviderList(s *session) *cobra.Command {
	return reading(s, &cobra.Command{
		Use: "list", Short: "List the providers: whether they answer, what they sell", Args: arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			all, err := api.Providers(c.Context())
			if err != nil {
				return err
			}
			return list(s, all, "There are no providers. Next: name one in the configuration.",
				column[client.Provider]{title: "Name", cell: func(p client.Provider) string { return p.Name }},
				column[client.Provider]{title: "Driver", cell: func(p client.Provider) string { return p.Driver }},
				column[client.Provider]{title: "Region", cell: func(p client.Provider) string { return p.Region }},
				column[client.Provider]{title: "Status", cell: func(p client.Provider) string { return p.Status }},
				column[client.Provider]{title: "Instances", cell: func(p client.Provider) string { return fmt.Sprint(p.Instances) }, right: true},
				column[client.Provider]{title: "Sells", cell: func(p client.Provider) string { return strings.Join(p.Offerings, ", ") }, prose: true},
				column[client.Provider]{title: "Note", cell: func(p client.Provider) string { return p.Note }, prose: true, foot: func(p client.Provider) string { return p.Name }},
			)
		},
	})
}

func newProviderCordon(s *session) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "cordon NAME --reason TEXT", Short: "Let a provider take no new instances; what is there goes on", Args: arguments("NAME"),
		Example: "  sutler provider cordon pg-eu --reason 'moves to new disks until Friday'",
		RunE: func(c *cobra.Command, args []string) error {
			if reason == "" {
				return usagef("--reason is missing.").next("People who want an instance there will read it.")
			}
			api, err := s.connect()
			if err != nil {
				return err
			}
			if err := api.CordonProvider(c.Context(), args[0], reason); err != nil {
				return err
			}
			s.say("%s takes no new instances. Next: sutler provider uncordon %s", args[0], args[0])
			return nil
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for people who want an instance there")
	return c
}

func newProviderUncordon(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "uncordon NAME", Short: "Let a provider take new instances again", Args: arguments("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			if err := api.UncordonProvider(c.Context(), args[0]); err != nil {
				return err
			}
			s.say("%s takes new instances.", args[0])
			return nil
		},
	}
}
