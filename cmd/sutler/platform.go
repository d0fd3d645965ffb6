package main

import (
	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/web/client"
)

func newPlatform(s *session) *cobra.Command {
	show := reading(s, &cobra.Command{
		Use: "list", Short: "List registered platforms", Args: arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			all, err := api.Platforms(c.Context())
			if err != nil {
				return err
			}
			return list(s, all, "No platform is registered. Next: sutler platform create NAME",
				column[client.Platform]{title: "Name", cell: func(p client.Platform) string { return p.Name }},
				column[client.Platform]{title: "Project", cell: func(p client.Platform) string { return p.Org + "/" + p.Project }},
				column[client.Platform]{title: "Created", cell: func(p client.Platform) string { return when(p.CreatedAt) }},
				column[client.Platform]{title: "ID", cell: func(p client.Platform) string { return p.ID }, wide: true},
			)
		},
	})
	remove := &cobra.Command{
		Use: "delete NAME", Short: "End a platform's access; its instances stay", Args: arguments("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			if err := api.DeletePlatform(c.Context(), args[0]); err != nil {
				return err
			}
			s.say("%s has no access any more; its instances stay.", args[0])
			return nil
		},
	}
	return group("platform", "Open Service Broker clients: Cloud Foundry, Kubernetes…", show, newPlatformCreate(s), remove)
}

func newPlatformCreate(s *session) *cobra.Command {
	return reading(s, &cobra.Command{
		Use: "create NAME", Short: "Register a platform and write its password, once", Args: arguments("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			p, err := api.CreatePlatform(c.Context(), client.NewPlatform{Name: args[0], Org: s.org, Project: s.home()})
			if err != nil {
				return err
			}
			s.say("Registered %s; its instances live in %s/%s. The password is shown this once.", p.Name, p.Org, p.Project)
			s.say("Next, in Cloud Foundry: cf create-service-broker sutler %s PASSWORD %s", p.Name, api.Address())
			if done, err := s.data(p); done {
				return err
			}
			return s.line(p.Password)
		},
	})
}

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
	return group("provider", "Sellers of backends", key)
}
