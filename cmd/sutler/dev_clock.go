package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/web/client"
)

// newDevClock shows and moves the market's clock; `sutler dev` holds it.
func newDevClock(s *session) *cobra.Command {
	show := reading(s, &cobra.Command{
		Use: "show", Short: "Show the market's time", Args: arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			return s.clock(func(api *client.Client) (client.Clock, error) { return api.Clock(c.Context()) })
		},
	})
	advance := reading(s, &cobra.Command{
		Use: "advance DURATION", Short: "Move the market's clock forward and run what falls due on the way", Args: arguments("DURATION"),
		Example: "  sutler dev clock advance 36h\n  sutler dev clock advance 31d",
		RunE: func(c *cobra.Command, args []string) error {
			d, err := span(args[0])
			if err != nil {
				return err
			}
			return s.clock(func(api *client.Client) (client.Clock, error) { return s.advance(c.Context(), api, d) })
		},
	})
	return group("clock", "The market's clock, which dev can move forward", show, advance)
}

func (s *session) advance(ctx context.Context, api *client.Client, by time.Duration) (client.Clock, error) {
	now, err := api.AdvanceClock(ctx, by.String())
	if err == nil {
		s.say("Moved the market's clock by %s; what fell due on the way has run (%s).", lasting(by), counted(now.Ran, "piece")+" of work")
	}
	return now, err
}

func (s *session) clock(ask func(*client.Client) (client.Clock, error)) error {
	api, err := s.connect()
	if err != nil {
		return err
	}
	now, err := ask(api)
	if err != nil {
		return err
	}
	ahead := now.Offset
	if d, err := time.ParseDuration(ahead); err == nil {
		ahead = lasting(d)
	}
	return describe(s, now, pair{"market", now.Market.Format("2006-01-02 15:04:05 MST")}, pair{"wall", now.Wall.Format("2006-01-02 15:04:05 MST")},
		pair{"ahead by", ahead})
}
