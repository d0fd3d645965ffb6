package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/web/client"
)

func newToken(s *session) *cobra.Command {
	show := reading(s, &cobra.Command{
		Use: "list", Short: "List your API tokens", Args: arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			tokens, err := api.Tokens(c.Context())
			if err != nil {
				return err
			}
			return list(s, tokens, "You have no API tokens. Next: sutler token create NAME",
				column[client.Token]{title: "ID", cell: func(t client.Token) string { return t.ID }},
				column[client.Token]{title: "Name", cell: func(t client.Token) string { return t.Name }, prose: true},
				column[client.Token]{title: "Allows", cell: func(t client.Token) string { return allows(t.Actions) }, prose: true},
				column[client.Token]{title: "Last used", cell: func(t client.Token) string { return whenever(t.LastUsed, "never") }},
				column[client.Token]{title: "Expires", cell: func(t client.Token) string { return whenever(t.ExpiresAt, "never") }},
			)
		},
	})
	revoke := &cobra.Command{
		Use: "revoke ID", Short: "End one of your API tokens", Args: arguments("ID"),
		RunE: func(c *cobra.Command, args []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			if err := api.RevokeToken(c.Context(), args[0]); err != nil {
				return err
			}
			s.say("Revoked; it works no longer.")
			return nil
		},
	}
	return group("token", "Your API tokens, for programs", show, newTokenCreate(s), revoke)
}

func newTokenCreate(s *session) *cobra.Command {
	var n client.NewToken
	var expires string
	c := reading(s, &cobra.Command{
		Use: "create NAME", Short: "Make an API token and write its secret, once", Args: arguments("NAME"),
		Example: "  sutler token create ci --allow instance:read --allow credentials:read --expires 90d",
		RunE: func(c *cobra.Command, args []string) error {
			n.Name = args[0]
			if expires != "" {
				d, err := span(expires)
				if err != nil {
					return err
				}
				at := time.Now().UTC().Add(d)
				n.ExpiresAt = &at
			}
			api, err := s.connect()
			if err != nil {
				return err
			}
			t, err := api.CreateToken(c.Context(), n)
			if err != nil {
				return err
			}
			s.say("Made the token %s (%s). Its secret is shown this once.", t.Name, t.ID)
			if done, err := s.data(t); done {
				return err
			}
			return s.line(t.Secret)
		},
	})
	c.Flags().StringSliceVar(&n.Actions, "allow", nil, "an action it may be used for, such as instance:read (can be repeated; default: all that you may)")
	c.Flags().StringVar(&expires, "expires", "", "how long it works: 36h, 90d (default: until it is revoked)")
	return c
}

func allows(actions []string) string {
	if len(actions) == 0 {
		return "all that you may"
	}
	return strings.Join(actions, " ")
}
