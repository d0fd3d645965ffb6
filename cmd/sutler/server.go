package main

import "github.com/spf13/cobra"

// serverCommands are the commands that run a market rather than ask one.
func serverCommands(s *session) []*cobra.Command {
	return []*cobra.Command{configCommand(s)}
}
