package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/internal/suggest"
)

// envFormats are those that the market writes.
var envFormats = []string{"dotenv", "shell", "json", "vcap", "compose", "systemd", "k8s", "servicebinding"}

func newEnv(s *session) *cobra.Command {
	var app, format string
	c := &cobra.Command{
		Use: "env --app APP", Short: "Write an app's environment, credentials in clear", Args: arguments(),
		Example: "  sutler env --app web > .env\n  eval \"$(sutler env --app web --format shell)\"",
		RunE: func(c *cobra.Command, _ []string) error {
			if app == "" {
				return usagef("--app is missing.").next("Say which app: sutler env --app APP.")
			}
			if !slices.Contains(envFormats, format) {
				return usagef("There is no format %q.%s", format, suggest.DidYouMean(format, envFormats)).next("Formats are %s.", strings.Join(envFormats, ", "))
			}
			api, err := s.connect()
			if err != nil {
				return err
			}
			raw, err := api.Environment(c.Context(), s.place(), app, format)
			if err != nil {
				return err
			}
			_, err = s.out.Write(raw)
			return err
		},
	}
	c.Flags().StringVar(&app, "app", "", "the app")
	c.Flags().StringVar(&format, "format", "dotenv", strings.Join(envFormats, ", "))
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(envFormats, cobra.ShellCompDirectiveNoFileComp))
	return c
}
