package main

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/client"
)

// The exit codes that shells give for a command that cannot be run.
const (
	exitNotExecutable = 126
	exitNoCommand     = 127
	exitSignal        = 128 // plus the signal's number
)

func newRun(s *session) *cobra.Command {
	var r running
	c := &cobra.Command{
		Use: "run --app APP -- COMMAND [ARGUMENT…]", Short: "Run a command with an app's environment", Args: cobra.ArbitraryArgs,
		Long:    "Run a command with an app's environment beside this one's. While it runs, the time to each of the app's backends is measured every minute\nfrom here, and told to the market (sutler info shows it).\nWith --watch the command is started again when the app's bindings have changed: it gets SIGTERM, SIGKILL after a grace, and the new environment.\nSignals go to the command; its exit code is passed on (128+n when signal n ended it, 127 when it is not found, 126 when it cannot be executed).",
		Example: "  sutler run --app web -- ./server --port 8080\n  sutler run --app web -- sh -c 'psql \"$DATABASE_URL\"'",
		RunE: func(c *cobra.Command, args []string) error {
			if r.app == "" {
				return usagef("--app is missing.").next("Say which app: sutler run --app APP -- COMMAND.")
			}
			if len(args) == 0 {
				return usagef("The command to run is missing.").next("Write it after --: sutler run --app %s -- COMMAND.", r.app)
			}
			if r.every < shortestProbe || r.grace < 0 || r.splay < 0 {
				return usagef("A duration is too short.").next("--probe-every takes %s or more, --grace and --splay nothing below zero.", shortestProbe)
			}
			r.args = args
			return s.run(c.Context(), r)
		},
	}
	f := c.Flags()
	f.StringVar(&r.app, "app", "", "the app")
	f.BoolVar(&r.watch, "watch", false, "start the command again when the app's environment has changed")
	f.DurationVar(&r.every, "probe-every", time.Minute, "how often the backends are measured, and a changed environment is noticed")
	f.DurationVar(&r.splay, "splay", 5*time.Second, "with --watch: wait up to this long, by chance, before starting again, so that not all processes do at once")
	f.DurationVar(&r.grace, "grace", 10*time.Second, "with --watch: how long the command may take to end before it is killed")
	f.SetInterspersed(false)
	return c
}

// shortestProbe is the least pause between two reports to the market.
const shortestProbe = 50 * time.Millisecond

// running is what the run command was given.
type running struct {
	app   string
	args  []string
	watch bool

	every, splay, grace time.Duration

	vars map[string]string // the app's, as the command has them
}

func (s *session) run(ctx context.Context, r running) error {
	api, err := s.connect()
	if err != nil {
		return err
	}
	if r.vars, err = api.Variables(ctx, s.place(), r.app); err != nil {
		return err
	}
	for {
		again, end := s.runOnce(ctx, api, r)
		if !again {
			return end
		}
		if r.vars, err = s.newVariables(ctx, api, r); err != nil {
			return err
		}
	}
}

// runOnce runs the command until it ends, or until the app's environment is another one and it shall be started again.
func (s *session) runOnce(ctx context.Context, api *client.Client, r running) (again bool, end error) {
	child := exec.Command(r.args[0], r.args[1:]...) //nolint:gosec,noctx // the caller's own command; signals reach it below, not a context's kill
	child.Stdin, child.Stdout, child.Stderr = s.in, s.out, s.err
	child.Env = environment(os.Environ(), r.vars)
	ctx, leave := context.WithCancel(ctx)
	var attending sync.WaitGroup
	changed := make(chan struct{}, 1)
	attending.Go(func() { s.attend(ctx, api, r, changed) })
	defer attending.Wait()
	defer leave()
	var heed <-chan struct{} // nil: nobody asked to be told
	if r.watch {
		heed = changed
	}
	return s.supervise(child, heed, r)
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

// supervise starts the child, passes signals on and gives its end as ours, unless it was ended to be started again: when changed says so, and nobody
// had asked it to end.
func (s *session) supervise(child *exec.Cmd, changed <-chan struct{}, r running) (again bool, end error) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2)
	defer signal.Stop(signals)
	if err := child.Start(); err != nil {
		return false, s.cannotRun(child.Args[0], err)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	var splay, grace <-chan time.Time
	for {
		select {
		case <-changed:
			s.say("sutler: The environment of %s has changed. The command is started again.", r.app)
			changed, splay = nil, time.After(rand.N(r.splay+1)) //nolint:gosec // nothing to guess
		case <-splay:
			again, grace = true, time.After(r.grace)
			_ = child.Process.Signal(syscall.SIGTERM) // it may have ended meanwhile
		case <-grace:
			s.say("sutler: The command did not end within %s and is killed.", r.grace)
			_ = child.Process.Kill()
		case sig := <-signals:
			if sig != syscall.SIGHUP && sig != syscall.SIGUSR1 && sig != syscall.SIGUSR2 {
				again, changed, splay = false, nil, nil // whoever ends us wants no other one
			}
			if keyboard := sig == syscall.SIGINT || sig == syscall.SIGQUIT; !keyboard || !s.talking() { // a terminal tells the child itself
				_ = child.Process.Signal(sig) // it may have ended meanwhile
			}
		case err := <-ended:
			return again, childEnd(err)
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
