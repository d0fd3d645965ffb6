package main

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/internal/fault"
)

// The exit codes that shells give for a command that cannot be run.
const (
	exitNotExecutable = 126
	exitNoCommand     = 127
	exitSignal        = 128 // plus the signal's number
)

func newRun(s *session) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use: "run --app APP -- COMMAND [ARGUMENT…]", Short: "Run a command with an app's environment", Args: cobra.ArbitraryArgs,
		Long:    "Run a command with an app's environment beside this one's. While it runs, the time to each of the app's backends is measured every minute\nfrom here, and told to the market (sutler info shows it).\nSignals go to the command; its exit code is passed on (128+n when signal n ended it, 127 when it is not found, 126 when it cannot be executed).",
		Example: "  sutler run --app web -- ./server --port 8080\n  sutler run --app web -- sh -c 'psql \"$DATABASE_URL\"'",
		RunE: func(c *cobra.Command, args []string) error {
			if app == "" {
				return usagef("--app is missing.").next("Say which app: sutler run --app APP -- COMMAND.")
			}
			if len(args) == 0 {
				return usagef("The command to run is missing.").next("Write it after --: sutler run --app %s -- COMMAND.", app)
			}
			return s.run(c.Context(), app, args)
		},
	}
	c.Flags().StringVar(&app, "app", "", "the app")
	c.Flags().SetInterspersed(false)
	return c
}

func (s *session) run(ctx context.Context, app string, args []string) error {
	api, err := s.connect()
	if err != nil {
		return err
	}
	vars, err := api.Variables(ctx, s.place(), app)
	if err != nil {
		return err
	}
	child := exec.Command(args[0], args[1:]...) //nolint:gosec,noctx // the caller's own command; signals reach it below, not a context's kill
	child.Stdin, child.Stdout, child.Stderr = s.in, s.out, s.err
	child.Env = environment(os.Environ(), vars)
	ctx, leave := context.WithCancel(ctx)
	var attending sync.WaitGroup
	attending.Go(func() { s.attend(ctx, api, app) })
	defer attending.Wait()
	defer leave()
	return s.supervise(child)
}

// environment lays an app's variables over ours; our own token is not for the child.
func environment(ours []string, vars map[string]string) []string {
	out := slices.DeleteFunc(slices.Clone(ours), func(line string) bool {
		name, _, _ := strings.Cut(line, "=")
		_, replaced := vars[name]
		return replaced || name == "SUTLER_TOKEN"
	})
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		out = append(out, name+"="+vars[name])
	}
	return out
}

// supervise starts the child, passes signals on and gives its end as ours.
func (s *session) supervise(child *exec.Cmd) error {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2)
	defer signal.Stop(signals)
	if err := child.Start(); err != nil {
		return s.cannotRun(child.Args[0], err)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	for {
		select {
		case sig := <-signals:
			if keyboard := sig == syscall.SIGINT || sig == syscall.SIGQUIT; !keyboard || !s.talking() { // a terminal tells the child itself
				_ = child.Process.Signal(sig) // it may have ended meanwhile
			}
		case err := <-ended:
			return childEnd(err)
		}
	}
}

func (s *session) cannotRun(name string, err error) error {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		s.say("sutler: There is no command %q.", name)
		return childExit(exitNoCommand)
	}
	s.say("sutler: %q cannot be executed: %v", name, err)
	return childExit(exitNotExecutable)
}

// childEnd passes the child's exit code on, or 128+n for the signal that ended it.
func childEnd(err error) error {
	if err == nil {
		return nil
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return fault.Internal.Wrap(err, "The command's end is not known: %v", err)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return childExit(exitSignal + int(status.Signal()))
	}
	return childExit(exit.ExitCode())
}
