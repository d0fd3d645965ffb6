package main

import "github.com/spf13/cobra"

// serverCommands are the commands that run a market rather than ask one.
func serverCommands(s *session) []*cobra.Command {
	return []*cobra.Command{newDev(s, newDevClock(s)), newServe(s), newBootstrap(s), newConfig(s), newStore(s)}
}
