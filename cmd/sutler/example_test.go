package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestExamplesCanBeTyped walks all commands: each example names a command that is there, with its flags and its number of words.
func TestExamplesCanBeTyped(t *testing.T) {
	var seen int
	word := regexp.MustCompile(`'[^']*'|"[^"]*"|\S+`)
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for line := range strings.Lines(c.Example) {
			line = strings.TrimSuffix(strings.TrimSpace(line), `)"`)
			if _, inner, found := strings.Cut(line, "$("); found {
				line = inner
			}
			line, _, _ = strings.Cut(line, " <")
			line, _, _ = strings.Cut(line, " > ")
			args := word.FindAllString(line, -1)
			if len(args) == 0 || args[0] != "sutler" {
				continue
			}
			seen++
			root := newRoot(terminal{in: &bytes.Buffer{}, out: &bytes.Buffer{}, err: &bytes.Buffer{}, env: func(string) string { return "" }})
			found, rest, err := root.Find(args[1:])
			if err == nil {
				err = found.ParseFlags(rest)
			}
			if err == nil {
				err = found.ValidateArgs(found.Flags().Args())
			}
			if err != nil || found == root || found.HasSubCommands() && found.Name() != "dev" {
				t.Errorf("%s: the example %q finds %q: %v", c.CommandPath(), line, found.CommandPath(), err)
			}
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRoot(terminal{in: &bytes.Buffer{}, out: &bytes.Buffer{}, err: &bytes.Buffer{}, env: func(string) string { return "" }}))
	if seen < 15 {
		t.Errorf("only %d examples were found", seen)
	}
}
