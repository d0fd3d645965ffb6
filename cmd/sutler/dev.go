package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/internal/fault"
)

// newDev is `sutler dev`: a whole market on this machine, for trying out and for developing against.
func newDev(s *session, subs ...*cobra.Command) *cobra.Command {
	var o devOptions
	c := group("dev", "Run a market of your own on this machine", subs...)
	c.Long = "Runs a whole market in one process: SQLite and NATS inside it, PostgreSQL when its programs are on this machine, demo people who can\n" +
		"sign in, and a market clock that can be advanced. Everything is kept in one folder; starting again goes on where it stopped."
	c.Example = "  sutler dev\n  sutler dev --data /tmp/market --addr 127.0.0.1:0 --with-fake"
	c.Flags().StringVar(&o.data, "data", devFolder, "folder that everything is kept in")
	c.Flags().StringVar(&o.addr, "addr", "127.0.0.1:8080", "host:port to listen on; port 0 picks a free one")
	c.Flags().BoolVar(&o.fake, "with-fake", false, "also sell backends of make-believe: slow, failing, lying ones")
	words := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return words(c, args)
		}
		o.began = time.Now()
		return runDev(c.Context(), s.terminal, o)
	}
	return c
}

type devOptions struct {
	data, addr string
	fake       bool
	began      time.Time
}

// devJSON is the file that scripts find a running `sutler dev` by.
type devJSON struct {
	URL     string       `json:"url"`
	OSB     devOSB       `json:"osb"`
	Token   string       `json:"token"`
	Org     string       `json:"org"` // where the command line looks when nothing is said
	Project string       `json:"project"`
	People  []demoPerson `json:"people"`
}

type devOSB struct {
	URL      string `json:"url"`
	Username string `json:"username"`
	Password string `json:"password"`
}

// runDev runs until ctx ends. It writes dev.json once everything answers, and removes it when it stops.
func runDev(ctx context.Context, t terminal, o devOptions) (err error) {
	f, l, err := claim(ctx, o)
	if err != nil {
		return err
	}
	defer l.Close()
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := errors.Join(f.hold(""), remove(f.path("dev.json"))); err != nil { // a killed predecessor's
		return err
	}
	log, done, err := devLog(f, t)
	if err != nil {
		return err
	}
	defer done()
	slog.SetDefault(log)
	secrets, err := readSecrets(f)
	if err != nil {
		return err
	}
	c, found, err := devConfig(f, secrets, "http://"+l.Addr().String(), o.fake)
	if err != nil {
		return err
	}
	n, err := newNode(ctx, c, nodeOptions{dev: true, log: log})
	if err != nil {
		return err
	}
	defer n.Close()
	return n.dev(ctx, l, f, t, o, secrets, found)
}

// claim takes the folder and the port. A new folder is made last, so that a refused start leaves nothing behind; one that has a market
// is opened first, because who holds it is the better answer.
func claim(ctx context.Context, o devOptions) (*folder, net.Listener, error) {
	if o.data == "" {
		return nil, nil, usagef("--data is empty.").next("Give a folder, or leave --data out for %s.", devFolder)
	}
	var f *folder
	_, fresh := os.Stat(filepath.Join(o.data, "lock"))
	if fresh == nil {
		var err error
		if f, err = openFolder(o.data); err != nil {
			return nil, nil, err
		}
	}
	l, err := listen(ctx, o.addr, "--addr")
	if err == nil && f == nil {
		if f, err = openFolder(o.data); err != nil {
			return nil, nil, errors.Join(err, l.Close())
		}
	}
	if err != nil && f != nil {
		err = errors.Join(err, f.Close())
	}
	return f, l, err
}

// dev serves the market with its demo inside, and tells where it is.
func (n *node) dev(ctx context.Context, l net.Listener, f *folder, t terminal, o devOptions, secrets devSecrets, found []string) error {
	people, err := newDemo(n.directory, n.ledger, &secrets).settle(ctx)
	if err != nil {
		return fmt.Errorf("the demo's people and tenant: %w", err)
	}
	if err := f.write("secrets.json", secrets); err != nil {
		return err
	}
	about := devJSON{
		URL: n.config.PublicURL, OSB: devOSB{n.config.PublicURL, devPlatform, secrets.Platform}, Token: secrets.Token,
		Org: devOrg, Project: devProject, People: people,
	}
	if err := errors.Join(f.hold(about.URL), f.write("dev.json", about)); err != nil {
		return err
	}
	defer func() { _ = remove(f.path("dev.json")) }()
	banner{terminal: t, dir: f.dir, about: about, found: found, took: time.Since(o.began)}.print()
	return n.Run(ctx, l)
}

// devLog writes everything into the folder's market.log, and what needs a person's eye to the terminal too.
func devLog(f *folder, t terminal) (*slog.Logger, func(), error) {
	file, err := os.OpenFile(f.path("market.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fault.Invalid.Wrap(err, "The log %s cannot be written.", f.path("market.log"))
	}
	log := slog.New(slog.NewMultiHandler(
		slog.NewTextHandler(file, &slog.HandlerOptions{Level: slog.LevelInfo}),
		slog.NewTextHandler(t.err, &slog.HandlerOptions{Level: slog.LevelError}),
	))
	return log, func() { _ = file.Close() }, nil
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
