package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/suggest"
	"github.com/sutlerhq/sutler/web/client"
)

// The exit codes that scripts rely on (DESIGN §6).
const (
	exitOK = iota
	exitError
	exitUsage
	exitNotFound
	exitNotSignedIn
	exitRefused
	exitConflict
	exitTimeout
	exitProvider

	exitInterrupted = 130
)

// usageError is a command line that cannot be understood.
type usageError struct{ text, hint string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, a ...any) *usageError {
	return &usageError{text: fmt.Sprintf(format, a...)}
}

func (e *usageError) next(format string, a ...any) *usageError {
	e.hint = fmt.Sprintf(format, a...)
	return e
}

// childExit is the end of a command that was run for somebody: its code is ours, and nothing is said about it.
type childExit int

func (e childExit) Error() string { return fmt.Sprintf("the command ended with %d", int(e)) }

// exitCode maps what went wrong to the code the process ends with.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	if child, ok := errors.AsType[childExit](err); ok {
		return int(child)
	}
	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage
	}
	if remote, ok := errors.AsType[*client.Error](err); ok {
		return kindCode(fault.Kind(remote.Code))
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return exitTimeout
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return kindCode(fault.KindOf(err))
}

func kindCode(k fault.Kind) int {
	switch k {
	case fault.Invalid, fault.TooLarge:
		return exitUsage
	case fault.NotFound, fault.Gone:
		return exitNotFound
	case fault.Unauthenticated:
		return exitNotSignedIn
	case fault.Forbidden, fault.Refused:
		return exitRefused
	case fault.Conflict, fault.Busy:
		return exitConflict
	case fault.Timeout:
		return exitTimeout
	case fault.Unavailable, fault.ProviderFailed:
		return exitProvider
	default:
		return exitError
	}
}

// explain says what went wrong, where, and what to do next.
func explain(w io.Writer, err error) {
	if _, ok := errors.AsType[childExit](err); ok {
		return
	}
	say := func(format string, a ...any) { _, _ = fmt.Fprintf(w, format+"\n", a...) }
	if e, ok := errors.AsType[*usageError](err); ok {
		say("sutler: %s", e.text)
		sayHint(say, e.hint)
		return
	}
	if e, ok := errors.AsType[*client.Error](err); ok {
		explainRemote(say, e)
		return
	}
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		say("sutler: %s", f.Text)
		for _, field := range f.Fields {
			say("  %s: %s", field.Path, field.Reason)
		}
		sayHint(say, f.Hint)
		return
	}
	if errors.Is(err, context.Canceled) {
		say("sutler: Interrupted. What was begun at the market goes on without you.")
		return
	}
	say("sutler: %s.", upperFirst(strings.TrimSuffix(err.Error(), ".")))
	if _, ok := errors.AsType[*client.Unreached](err); ok {
		say("Is it running, and is the address right? Say which market with --server or SUTLER_URL.")
	}
}

func explainRemote(say func(string, ...any), e *client.Error) {
	say("sutler: %s", e.Detail)
	if len(e.Fields) > 1 || len(e.Fields) == 1 && !strings.Contains(e.Detail, e.Fields[0].Reason) {
		for _, f := range e.Fields {
			say("  %s: %s", cmp.Or(f.Path, "parameters"), f.Reason)
		}
	}
	if e.ErrorID != "" {
		say("The market's log has more under %s.", e.ErrorID)
	}
	sayHint(say, cmp.Or(e.Hint, listing(e)))
}

// listing is the next step after the market did not find something: the command that lists what there is.
func listing(e *client.Error) string {
	commands := map[string]string{
		"org": "sutler org list", "project": "sutler project list", "app": "sutler app list", "instance": "sutler instances",
		"invoice": "sutler invoices", "platform": "sutler platform list", "token": "sutler token list", "API token": "sutler token list",
	}
	for noun, command := range commands {
		if e.Code == string(fault.NotFound) && strings.HasPrefix(e.Detail, "There is no "+noun+" ") {
			return command + " lists what there is."
		}
	}
	return ""
}

func sayHint(say func(string, ...any), hint string) {
	if hint != "" {
		say("%s", hint)
	}
}

// wrongFlag explains a flag that does not exist or does not fit, and which one was probably meant.
func wrongFlag(c *cobra.Command, err error) error {
	e := usagef("%s.", upperFirst(err.Error())).next("See %q.", c.CommandPath()+" --help")
	_, name, found := strings.Cut(err.Error(), "unknown flag: --")
	if !found {
		return e
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := suggest.Closest(name, names); near != "" {
		e.hint = fmt.Sprintf("Did you mean --%s?", near)
	}
	return e
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
