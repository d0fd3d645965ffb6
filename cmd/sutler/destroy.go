package main

import (
	"bufio"
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/web/client"
)

func newDestroy(s *session) *cobra.Command {
	var confirm string
	var w wait
	c := &cobra.Command{
		Use: "destroy NAME --confirm NAME", Short: "Destroy an instance, its data and its bindings", Args: arguments("NAME"),
		Example: "  sutler destroy shopdb --confirm shopdb --wait",
		RunE: func(c *cobra.Command, args []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			return s.destroy(c.Context(), api, args[0], confirm, w)
		},
	}
	c.Flags().StringVar(&confirm, "confirm", "", "the instance's name once more")
	w.flags(c)
	return c
}

func (s *session) destroy(ctx context.Context, api *client.Client, name, confirm string, w wait) error {
	i, err := api.Instance(ctx, s.place(), name)
	if err != nil {
		return err
	}
	if confirm == "" && s.talking() {
		s.say("This destroys %s with all its data. Type its name to go on:", i.Name)
		confirm, _ = bufio.NewReader(s.in).ReadString('\n')
		confirm = strings.TrimSpace(confirm)
	}
	switch confirm {
	case i.Name:
	case "":
		return usagef("Destroying %s loses its data, and nobody confirmed it. Nothing was destroyed.", i.Name).next("Add --confirm %s.", i.Name)
	default:
		return usagef("--confirm says %q, the instance is called %q. Nothing was destroyed.", confirm, i.Name).next("Write --confirm %s if that is the one.", i.Name)
	}
	gone, err := api.DestroyInstance(ctx, i.ID)
	if err != nil {
		return err
	}
	s.say("Destroying %s; it costs nothing from now on.", i.Name)
	if w.on {
		return s.follow(ctx, api, gone.Operation, "Destroying "+i.Name, w.timeout)
	}
	return nil
}
