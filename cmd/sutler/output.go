package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// reading gives a command the flags of those that show things.
func reading(s *session, c *cobra.Command) *cobra.Command {
	c.Flags().BoolVar(&s.json, "json", false, "write JSON (as -o json)")
	c.Flags().StringVarP(&s.output, "output", "o", "table", "how to write: table, wide, json or yaml")
	before := c.PreRunE
	c.PreRunE = func(c *cobra.Command, args []string) error {
		if s.json {
			if c.Flags().Changed("output") && s.output != "json" {
				return usagef("--json and -o %s exclude each other.", s.output).next("Use one of them.")
			}
			s.output = "json"
		}
		switch s.output {
		case "table", "wide", "json", "yaml":
		default:
			return usagef("There is no output %q.", s.output).next("Choose table, wide, json or yaml.")
		}
		if before != nil {
			return before(c, args)
		}
		return nil
	}
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "wide", "json", "yaml"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// data writes v for programs when that was asked for, and tells whether it did.
func (s *session) data(v any) (bool, error) {
	if s.output != "json" && s.output != "yaml" {
		return false, nil
	}
	var raw bytes.Buffer
	enc := json.NewEncoder(&raw)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return true, fmt.Errorf("the answer cannot be written: %w", err)
	}
	out := raw.Bytes()
	if s.output == "yaml" {
		var err error
		if out, err = yaml.JSONToYAML(out); err != nil {
			return true, fmt.Errorf("the answer cannot be written as YAML: %w", err)
		}
	}
	_, err := s.out.Write(out)
	return true, err
}

// pair is one line of a description.
type pair struct{ name, value string }

// describe writes one thing as was asked for: v for programs, pairs for people. Pairs without a value are left out.
func describe(s *session, v any, pairs ...pair) error {
	if done, err := s.data(v); done {
		return err
	}
	wide := 0
	for _, p := range pairs {
		if p.value != "" {
			wide = max(wide, len(p.name))
		}
	}
	for _, p := range pairs {
		if p.value == "" {
			continue
		}
		if _, err := fmt.Fprintf(s.out, "%-*s  %s\n", wide, p.name, p.value); err != nil {
			return err
		}
	}
	return nil
}

// width is the terminal's, when out is one.
func (s *session) width() (int, bool) {
	f, ok := s.out.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	return width, err == nil && width > 0
}

// talking tells whether somebody sits at err and in, so that questions may be asked and lines rewritten.
func (s *session) talking() bool {
	in, ok := s.in.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return false
	}
	out, ok := s.err.(*os.File)
	return ok && term.IsTerminal(int(out.Fd()))
}
