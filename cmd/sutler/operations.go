package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/web/client"
)

func newOperations(s *session) *cobra.Command {
	var stuck bool
	c := &cobra.Command{
		Use: "operations", Short: "List the market's operations (operators)", Args: arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			all, err := api.Operations(c.Context(), stuck)
			if err != nil {
				return err
			}
			return list(s, all, "There are none.",
				column[client.Operation]{title: "ID", cell: func(o client.Operation) string { return o.ID }},
				column[client.Operation]{title: "Verb", cell: func(o client.Operation) string { return o.Verb }},
				column[client.Operation]{title: "State", cell: func(o client.Operation) string { return o.State }},
				column[client.Operation]{title: "Attempts", cell: func(o client.Operation) string { return fmt.Sprint(o.Attempts) }, right: true},
				column[client.Operation]{title: "Started", cell: func(o client.Operation) string { return when(o.StartedAt) }},
				column[client.Operation]{title: "Note", cell: func(o client.Operation) string { return o.Note }, prose: true},
				column[client.Operation]{title: "Instance", cell: func(o client.Operation) string { return o.Instance }, wide: true},
				column[client.Operation]{title: "Binding", cell: func(o client.Operation) string { return o.Binding }, wide: true},
			)
		},
	}
	c.Flags().BoolVar(&stuck, "stuck", false, "only those that need a person")
	return reading(s, c)
}
