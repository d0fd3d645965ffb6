package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/identity/directory"
)

// newBootstrap is `sutler bootstrap`: it lets the first operator in, once.
func newBootstrap(s *session) *cobra.Command {
	var path, email, name string
	var stdin bool
	c := &cobra.Command{
		Use:   "bootstrap",
		Short: "Let the first operator in, once",
		Long: "Makes the first operator of a market and, when there is none, its master key. Afterwards operators let others in.\n" +
			"Without --password-stdin a password is made up and printed, once.",
		Example: "  sutler bootstrap --config /etc/sutler/sutler.yaml --email ada@example.com\n  pass show sutler | sutler bootstrap --email ada@example.com --password-stdin",
		Args:    arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			if email == "" {
				return usagef("--email is missing: who is the first operator?")
			}
			password, made := rand.Text(), true
			if stdin {
				line, _ := bufio.NewReader(s.in).ReadString('\n') // the last line may lack its end
				password, made = strings.TrimRight(line, "\r\n"), false
			}
			if password == "" {
				return usagef("No password came from stdin.")
			}
			h, err := bootstrap(c.Context(), path, email, name, password)
			if err != nil {
				return err
			}
			fmt.Fprintf(s.err, "%s is the market's operator.\n", h.Email)
			if made {
				fmt.Fprintf(s.err, "This password is shown once:\n")
				fmt.Fprintln(s.out, password)
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&path, "config", "sutler.yaml", "the market's configuration")
	f.StringVar(&email, "email", "", "the operator's email address")
	f.StringVar(&name, "name", "", "the operator's name (default: the email address)")
	f.BoolVar(&stdin, "password-stdin", false, "read the password from stdin")
	return c
}

// bootstrap opens the store as serve would, without running anything of the market.
func bootstrap(ctx context.Context, path, email, name, password string) (directory.Human, error) {
	c, _, err := loadConfig(path)
	if err != nil {
		return directory.Human{}, err
	}
	g, err := openGround(ctx, c)
	if err != nil {
		return directory.Human{}, err
	}
	defer g.close()
	if name == "" {
		name = email
	}
	return directory.New(directory.Config{DB: g.db, Audit: g.audit}).Bootstrap(ctx, email, name, password)
}
