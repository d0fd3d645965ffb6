package main

import (
	"cmp"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/web/client"
)

func newOrg(s *session) *cobra.Command {
	show := reading(s, &cobra.Command{
		Use: "list", Short: "List the orgs that you see", Args: arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			orgs, err := api.Orgs(c.Context())
			if err != nil {
				return err
			}
			return list(s, orgs, "You see no org yet. Next: ask to be let into one, or sutler org create NAME",
				column[client.Org]{title: "Name", cell: func(o client.Org) string { return o.Name }},
				column[client.Org]{title: "Title", cell: func(o client.Org) string { return o.Title }, prose: true},
				column[client.Org]{title: "Account", cell: func(o client.Org) string { return o.Account }, wide: true},
				column[client.Org]{title: "ID", cell: func(o client.Org) string { return o.ID }, wide: true},
			)
		},
	})
	var n client.NewOrg
	create := &cobra.Command{
		Use: "create NAME", Short: "Make an org with an account and a first project", Args: arguments("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			n.Name = args[0]
			org, err := api.CreateOrg(c.Context(), n)
			if err != nil {
				return err
			}
			if n.Owner == "" {
				s.say("Made the org %s, which is yours. Next: sutler member set EMAIL owner --org %s", org.Name, org.Name)
			} else {
				s.say("Made the org %s, which is %s's: only its owner lets others in.", org.Name, n.Owner)
			}
			return s.line(org.Name)
		},
	}
	create.Flags().StringVar(&n.Title, "title", "", "name for people")
	create.Flags().StringVar(&n.Currency, "currency", "EUR", "currency of its account; it cannot change")
	create.Flags().StringVar(&n.Owner, "owner", "", "email of its first owner (default: you)")
	create.Flags().StringVar(&n.Account, "account", "", "id of an account that pays for it (default: a new one)")
	return group("org", "Orgs: who has instances, and who pays for them", show, create)
}

func newProject(s *session) *cobra.Command {
	show := reading(s, &cobra.Command{
		Use: "list", Short: "List the projects that you see", Args: arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			projects, err := api.Projects(c.Context(), s.org)
			if err != nil {
				return err
			}
			return list(s, projects, "You see no project yet. Next: sutler project create NAME",
				column[client.Project]{title: "Name", cell: func(p client.Project) string { return p.Name }},
				column[client.Project]{title: "Org", cell: func(p client.Project) string { return p.Org }},
				column[client.Project]{title: "ID", cell: func(p client.Project) string { return p.ID }, wide: true},
			)
		},
	})
	create := &cobra.Command{
		Use: "create NAME", Short: "Make a project in an org", Args: arguments("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			p, err := api.CreateProject(c.Context(), client.NewProject{Name: args[0], Org: s.org})
			if err != nil {
				return err
			}
			s.say("Made the project %s in %s.", p.Name, p.Org)
			return s.line(p.Name)
		},
	}
	return group("project", "Projects: spaces in an org", show, create)
}

func newApp(s *session) *cobra.Command {
	show := reading(s, &cobra.Command{
		Use: "list", Short: "List the apps that you see", Args: arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			apps, err := api.Apps(c.Context(), s.place())
			if err != nil {
				return err
			}
			return list(s, apps, "There are no apps yet. Next: sutler app create NAME",
				column[client.App]{title: "Name", cell: func(a client.App) string { return a.Name }},
				column[client.App]{title: "Project", cell: func(a client.App) string { return a.Org + "/" + a.Project }},
				column[client.App]{title: "ID", cell: func(a client.App) string { return a.ID }, wide: true},
			)
		},
	})
	create := &cobra.Command{
		Use: "create NAME", Short: "Make an app in a project", Args: arguments("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			a, err := api.CreateApp(c.Context(), client.NewApp{Name: args[0], Org: s.org, Project: s.home()})
			if err != nil {
				return err
			}
			s.say("Made the app %s in %s/%s. Next: sutler bind NAME --app %s", a.Name, a.Org, a.Project, a.Name)
			return s.line(a.Name)
		},
	}
	return group("app", "Apps: what backends are bound to", show, create, newAppBindings(s))
}

func newAppBindings(s *session) *cobra.Command {
	return reading(s, &cobra.Command{
		Use: "bindings NAME", Short: "List what is bound to an app", Args: arguments("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			bound, err := api.Bindings(c.Context(), s.place(), "", args[0])
			if err != nil {
				return err
			}
			return list(s, bound, "Nothing is bound to it yet. Next: sutler bind NAME --app "+args[0],
				column[client.Binding]{title: "Alias", cell: func(b client.Binding) string { return b.Alias }},
				column[client.Binding]{title: "Instance", cell: func(b client.Binding) string { return b.Name }},
				column[client.Binding]{title: "State", cell: func(b client.Binding) string { return b.State }},
				column[client.Binding]{title: "Until (wall time)", cell: func(b client.Binding) string { return whenever(b.ExpiresAt, "") }},
				column[client.Binding]{title: "Replaced by", cell: func(b client.Binding) string { return b.Successor }, wide: true},
				column[client.Binding]{title: "Created", cell: func(b client.Binding) string { return when(b.CreatedAt) }, wide: true},
				column[client.Binding]{title: "ID", cell: func(b client.Binding) string { return b.ID }, wide: true},
			)
		},
	})
}

func newMember(s *session) *cobra.Command {
	show := reading(s, &cobra.Command{
		Use: "list", Short: "List the people of an org and their roles", Args: arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			members, err := api.Members(c.Context(), s.org)
			if err != nil {
				return err
			}
			return list(s, members, "Nobody is in it yet. Next: sutler member set EMAIL ROLE",
				column[client.Member]{title: "Email", cell: func(m client.Member) string { return m.Email }},
				column[client.Member]{title: "Role", cell: func(m client.Member) string { return m.Role }},
				column[client.Member]{title: "In", cell: where},
				column[client.Member]{title: "Name", cell: func(m client.Member) string { return m.Name }, wide: true, prose: true},
			)
		},
	})
	set := s.memberCommand("set EMAIL ROLE", "Give a person a role: owner, admin, developer, billing or viewer", arguments("EMAIL", "ROLE"))
	remove := s.memberCommand("remove EMAIL", "Take a person's role away", arguments("EMAIL"))
	return group("member", "People and their roles, in the org or with --project in a project", show, set, remove)
}

// memberCommand sets the role of its second word, or none without one. Only --project narrows it: a default project does not.
func (s *session) memberCommand(use, short string, args cobra.PositionalArgs) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: args,
		RunE: func(c *cobra.Command, args []string) error {
			project := s.project
			api, err := s.connect()
			if err != nil {
				return err
			}
			n := client.NewMember{Email: args[0], Org: s.org, Project: project}
			if len(args) == 2 {
				n.Role = args[1]
			}
			m, err := api.SetMember(c.Context(), n)
			if err != nil {
				return err
			}
			if n.Role == "" {
				s.say("%s has no role in %s any more.", n.Email, cmp.Or(where(m), s.org))
				return nil
			}
			s.say("%s is %s in %s.", m.Email, m.Role, where(m))
			return nil
		},
	}
}

func where(m client.Member) string {
	if m.Project == "" {
		return m.Org
	}
	return m.Org + "/" + m.Project
}
