package main

import "github.com/spf13/cobra"

// clientCommands are the commands that talk to a market through its API.
func clientCommands(s *session) []*cobra.Command {
	return []*cobra.Command{newVersion(s)}
}
