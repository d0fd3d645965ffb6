package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/cli/browser"
	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/client"
)

func newLogin(s *session) *cobra.Command {
	var withToken bool
	c := &cobra.Command{
		Use: "login", Short: "Sign in to a market, in the browser", Args: arguments(),
		Example: "  sutler login --server https://market.example.com\n  sutler login --server https://market.example.com --with-token < token.txt",
		RunE: func(c *cobra.Command, _ []string) error {
			address, err := s.loginAddress()
			if err != nil {
				return err
			}
			if withToken {
				return s.loginWithToken(c.Context(), address)
			}
			return s.loginWithBrowser(c.Context(), address)
		},
	}
	c.Flags().BoolVar(&withToken, "with-token", false, "read an API token from standard input instead")
	return c
}

// loginAddress is the market to sign in to: the one that was named, the one of before, or the one that runs in this folder.
func (s *session) loginAddress() (string, error) {
	if address := cmp.Or(s.server, s.env("SUTLER_URL")); address != "" {
		return strings.TrimRight(address, "/"), checkAddress(address)
	}
	if dev, err := readDev(cmp.Or(s.env("SUTLER_DEV"), devFolder)); err == nil {
		return dev.URL, nil
	}
	if saved, err := s.logins().read(); err == nil {
		return saved.URL, nil
	}
	return "", usagef("Which market?").next("Name it: sutler login --server https://market.example.com")
}

func (s *session) loginWithToken(ctx context.Context, address string) error {
	line, err := bufio.NewReader(s.in).ReadString('\n')
	token := strings.TrimSpace(line)
	if token == "" {
		return usagef("There is no token on standard input.").next("Pipe one in: sutler login --with-token < FILE")
	}
	if err != nil && line == "" {
		return err
	}
	return s.keep(ctx, login{URL: address, Token: token})
}

func (s *session) loginWithBrowser(ctx context.Context, address string) error {
	access, err := s.authorise(ctx, address)
	if err != nil {
		return err
	}
	host, _ := os.Hostname()
	t, err := client.New(address, access).CreateToken(ctx, client.NewToken{Name: "sutler on " + cmp.Or(host, "a computer")})
	if err != nil {
		return err
	}
	return s.keep(ctx, login{URL: address, Token: t.Secret, TokenID: t.ID})
}

// keep tries the token before it saves it.
func (s *session) keep(ctx context.Context, l login) error {
	who, err := client.New(l.URL, l.Token).Whoami(ctx)
	if err != nil {
		return err
	}
	where, err := s.logins().save(l)
	if err != nil {
		return err
	}
	s.say("Signed in to %s as %s; the token is in %s.", l.URL, cmp.Or(who.Email, who.Name, who.ID), where)
	return nil
}

// show brings an address before the eyes: in a browser when somebody sits here, and always as a line.
func (s *session) show(address string) {
	s.say("Sign in here: %s", address)
	if s.talking() && browser.OpenURL(address) != nil {
		s.say("No browser could be opened: open the address yourself.")
	}
}

func newLogout(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "logout", Short: "Forget the sign-in and end its token", Args: arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			kept := s.logins()
			saved, err := kept.read()
			if errors.Is(err, fs.ErrNotExist) {
				s.say("You are not signed in.")
				return nil
			}
			if err == nil && saved.TokenID != "" {
				if err := client.New(saved.URL, saved.Token).RevokeToken(c.Context(), saved.TokenID); err != nil {
					s.say("The market could not be told to end the token: %v", err)
				}
			}
			if err := kept.forget(saved); err != nil {
				return err
			}
			s.say("Signed out.")
			return nil
		},
	}
}

func newWhoami(s *session) *cobra.Command {
	return reading(s, &cobra.Command{
		Use: "whoami", Short: "Show who the market takes you for, and your roles", Args: arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			who, err := api.Whoami(c.Context())
			if err != nil {
				return err
			}
			var roles []string
			for _, g := range who.Grants {
				roles = append(roles, roleIn(g))
			}
			allowed := ""
			if who.Limited {
				allowed = allows(who.Actions)
			}
			return describe(s, who, pair{"who", cmp.Or(who.Email, who.Name, who.ID)}, pair{"kind", who.Kind}, pair{"market", api.Address()},
				pair{"roles", cmp.Or(strings.Join(roles, ", "), "none yet")}, pair{"token allows", allowed})
		},
	})
}

func roleIn(g client.Grant) string {
	switch {
	case g.Project != "":
		return g.Role + " in " + g.Org + "/" + g.Project
	case g.Org != "":
		return g.Role + " in " + g.Org
	default:
		return g.Role + " of the market"
	}
}

// notAuthorised is what an issuer's no is told as.
func notAuthorised(reason string) error {
	return fault.Unauthenticated.Errorf("Signing in did not work: %s.", reason).WithHint("Try sutler login again.")
}
