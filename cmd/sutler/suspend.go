package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/web/client"
)

func newSuspend(s *session) *cobra.Command {
	var why string
	c := &cobra.Command{
		Use: "suspend NAME", Short: "Refuse logins to an instance and keep its data", Args: arguments("NAME"),
		Example: `  sutler suspend shopdb --why "being moved"`,
		RunE: func(c *cobra.Command, args []string) error {
			return s.turn(c.Context(), "Suspending ", func(api *client.Client) (client.Instance, error) {
				return api.SuspendInstance(c.Context(), s.place(), args[0], why)
			})
		},
	}
	c.Flags().StringVar(&why, "why", "", "why, for those who wonder")
	return reading(s, c)
}

func newResume(s *session) *cobra.Command {
	return reading(s, &cobra.Command{
		Use: "resume NAME", Short: "Let an instance's apps in again", Args: arguments("NAME"),
		Long: "Lifts your own suspension. Each reason is lifted by whoever gave it: an instance that is also suspended by the operator, for being over a\n" +
			"limit, a budget or an unpaid invoice stays suspended until the last reason is gone. An operator's resume gives one that is over a\n" +
			"limit another grace.",
		RunE: func(c *cobra.Command, args []string) error {
			return s.turn(c.Context(), "Resuming ", func(api *client.Client) (client.Instance, error) {
				return api.ResumeInstance(c.Context(), s.place(), args[0])
			})
		},
	})
}

// turn asks for a suspension or its end and waits until it is so.
func (s *session) turn(ctx context.Context, what string, ask func(api *client.Client) (client.Instance, error)) error {
	api, err := s.connect()
	if err != nil {
		return err
	}
	i, err := ask(api)
	if err != nil {
		return err
	}
	if err := s.follow(ctx, api, i.Operation, what+i.Name, bindPatience); err != nil {
		return err
	}
	if i, err = api.Instance(ctx, client.Place{}, i.ID); err != nil {
		return err
	}
	s.say("%s is %s.", i.Name, i.State)
	_, err = s.data(i)
	return err
}
