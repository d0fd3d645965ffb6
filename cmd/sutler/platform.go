package main

import (
	"time"

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
				column[client.Platform]{title: "Project", cell: platformHome},
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
	return group("platform", "Open Service Broker clients: Cloud Foundry, Kubernetes…", show, newPlatformCreate(s), newPlatformRotate(s), remove)
}

// platformHome is where a platform's instances live.
func platformHome(p client.Platform) string {
	if p.Map {
		return "its own, on the account of " + p.Org
	}
	return p.Org + "/" + p.Project
}

func newPlatformCreate(s *session) *cobra.Command {
	var mapped bool
	c := &cobra.Command{
		Use: "create NAME", Short: "Register a platform and write its password, once", Args: arguments("NAME"),
		Long: "Registers an Open Service Broker client. Its instances live in one project; with --map each of its organisations and spaces\n" +
			"becomes an org and a project on first sight, under the account of the org that is named.",
		RunE: func(c *cobra.Command, args []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			p, err := api.CreatePlatform(c.Context(), client.NewPlatform{Name: args[0], Org: s.org, Project: s.home(), Map: mapped})
			if err != nil {
				return err
			}
			if mapped {
				s.say("Registered %s; its organisations and spaces become orgs and projects on the account of %s. The password is shown this once.", p.Name, p.Org)
			} else {
				s.say("Registered %s; its instances live in %s/%s. The password is shown this once.", p.Name, p.Org, p.Project)
			}
			s.say("Next, in Cloud Foundry: cf create-service-broker sutler %s PASSWORD %s", p.Name, api.Address())
			return s.password(p)
		},
	}
	c.Flags().BoolVar(&mapped, "map", false, "make an org and a project of each of its organisations and spaces")
	return reading(s, c)
}

func newPlatformRotate(s *session) *cobra.Command {
	var keep time.Duration
	var now bool
	c := &cobra.Command{
		Use: "rotate NAME", Short: "Give a platform a new password and write it, once", Args: arguments("NAME"),
		Long: "Two passwords are good at a time: rotating again ends the older one at once, whatever was kept. Without a former one (--now), other processes\n" +
			"of the market take it for up to two seconds.",
		Example: "  sutler platform rotate cf-eu --keep 2h\n  sutler platform rotate cf-eu --now",
		RunE: func(c *cobra.Command, args []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			if now {
				keep = 0
			}
			p, err := api.RotatePlatform(c.Context(), args[0], client.Rotation{KeepSeconds: int64(keep / time.Second)})
			if err != nil {
				return err
			}
			if p.FormerUntil == nil {
				s.say("The former password of %s has ended. The new one is shown this once.", p.Name)
			} else {
				s.say("The former password of %s stays good until %s. The new one is shown this once.", p.Name, when(*p.FormerUntil))
			}
			return s.password(p)
		},
	}
	c.Flags().DurationVar(&keep, "keep", 24*time.Hour, "how long the former password stays good, 720h at most")
	c.Flags().BoolVar(&now, "now", false, "end the former password at once")
	return reading(s, c)
}

// password writes a platform with its password, or the password alone.
func (s *session) password(p client.Platform) error {
	if done, err := s.data(p); done {
		return err
	}
	return s.line(p.Password)
}
