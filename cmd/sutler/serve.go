package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sutlerhq/sutler/internal/failpoint"
)

// newServe is `sutler serve`: the market in production.
func newServe(s *session) *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the market in production",
		Long: "Runs the market that a configuration describes, until SIGINT or SIGTERM; then it takes no more requests, lets running work\n" +
			"come to a step's end and goes. Several processes on one PostgreSQL store are one market.",
		Example: "  sutler serve --config /etc/sutler/sutler.yaml",
		Args:    arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			return runServe(c.Context(), s.terminal, path)
		},
	}
	c.Flags().StringVar(&path, "config", "sutler.yaml", "the market's configuration")
	return c
}

func runServe(ctx context.Context, t terminal, path string) error {
	log := serveLog(t)
	slog.SetDefault(log)
	if err := failpoint.Arm(os.Getenv(failpoint.Variable)); err != nil {
		return err
	}
	c, warnings, err := loadConfig(path)
	for _, w := range warnings {
		log.Warn("configuration", "problem", w.String())
	}
	if err != nil {
		return err
	}
	l, err := listen(ctx, c.Listen, "listen: in "+path)
	if err != nil {
		return err
	}
	defer l.Close()
	n, err := newNode(ctx, c, nodeOptions{log: log})
	if err != nil {
		return err
	}
	defer n.Close()
	log.Info("ready", "url", c.PublicURL, "listen", l.Addr().String(), "node", c.Node)
	return n.Run(ctx, l)
}

// serveLog writes text for people and JSON for machines.
func serveLog(t terminal) *slog.Logger {
	if f, ok := t.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return slog.New(slog.NewTextHandler(t.err, nil))
	}
	return slog.New(slog.NewJSONHandler(t.err, nil))
}
