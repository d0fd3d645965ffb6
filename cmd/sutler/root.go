package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// terminal is where one run of the command line reads and writes. Data goes to out, talk to err.
type terminal struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) string
}

// session is what the commands of one run share: the terminal and the persistent flags.
type session struct {
	terminal
	server, org, project string
	shelf                string // project that the market proposes for new things
	output               string
	json                 bool
}

// execute runs one command line and gives the exit code it ends with (DESIGN §6).
func execute(ctx context.Context, args []string, t terminal) int {
	root := newRoot(t)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil {
		explain(t.err, err)
	}
	return exitCode(err)
}

// newRoot builds the whole command line. Each command lives in a file of its own.
func newRoot(t terminal) *cobra.Command {
	s := &session{terminal: t}
	root := group("sutler", "A marketplace of managed backends: find, create, bind, meter, invoice.")
	root.Example = "  sutler marketplace\n  sutler create postgresql shopdb --app web --wait\n  sutler run --app web -- ./server"
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.HiddenDefaultCmd = false
	root.Version = thisBuild().String()
	root.SetVersionTemplate("sutler {{.Version}}\n")
	root.SetIn(t.in)
	root.SetOut(t.out)
	root.SetErr(t.err)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return wrongFlag(c, err) })
	f := root.PersistentFlags()
	f.StringVar(&s.server, "server", "", "address of the market (SUTLER_URL)")
	f.StringVar(&s.org, "org", "", "org, by name (SUTLER_ORG; default: the only one you see)")
	f.StringVar(&s.project, "project", "", "project, by name (SUTLER_PROJECT; default: the only one you see)")
	root.AddCommand(clientCommands(s)...)
	root.AddCommand(serverCommands(s)...)
	return root
}

// group is a command that only holds others: alone it shows its help, with an unknown word it says which one was meant.
func group(use, short string, subs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: cobra.ArbitraryArgs, SuggestionsMinimumDistance: 2}
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		e := usagef("There is no command %q in %q.", args[0], c.CommandPath())
		if near := c.SuggestionsFor(args[0]); len(near) > 0 {
			e.hint = fmt.Sprintf("Did you mean %q?", c.CommandPath()+" "+near[0])
		} else {
			e.hint = fmt.Sprintf("See %q.", c.CommandPath()+" --help")
		}
		return e
	}
	c.AddCommand(subs...)
	return c
}

// arguments checks the number of positional arguments and names those that are missing or empty. An optional one is written "[NAME]".
func arguments(names ...string) cobra.PositionalArgs {
	need := 0
	for _, n := range names {
		if !strings.HasPrefix(n, "[") {
			need++
		}
	}
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < need:
			return usagef("%s is missing.", names[len(args)]).next("Usage: %s", c.UseLine())
		case len(args) > len(names):
			return usagef("%q is one word too many.", args[len(names)]).next("Usage: %s", c.UseLine())
		}
		for i, a := range args {
			if strings.TrimSpace(a) == "" {
				return usagef("%s is empty.", strings.Trim(names[i], "[]")).next("Usage: %s", c.UseLine())
			}
		}
		return nil
	}
}
