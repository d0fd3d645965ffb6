package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// newConfig is `sutler config check FILE`.
func newConfig(s *session) *cobra.Command {
	check := &cobra.Command{
		Use:     "check FILE",
		Short:   "Say everything that is wrong with a configuration, with its lines",
		Long:    "Reads a configuration as `sutler serve` would, without touching the network, and lists every problem with its line.\nIt ends with 0 when there is none and with 2 when there are some.",
		Example: "  sutler config check /etc/sutler/sutler.yaml",
		Args:    arguments("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			c, warnings, err := loadConfig(args[0])
			for _, w := range warnings {
				fmt.Fprintf(s.err, "warning: %s\n", w)
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(s.out, "%s is right: %s, at %s.\n", args[0], counted(len(c.Providers), "provider"), c.PublicURL)
			return nil
		},
	}
	return group("config", "Check a configuration", check)
}
