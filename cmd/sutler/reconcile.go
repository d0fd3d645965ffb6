package main

import (
	"cmp"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/web/client"
)

func newReconcile(s *session) *cobra.Command {
	var provider string
	c := &cobra.Command{
		Use: "reconcile", Short: "Compare the market with its backends and list every difference (operators)", Args: arguments(),
		Long: "Looks at each instance's backend now; the market does so by itself every ten minutes. What is missing there is shown as degraded and never\n" +
			"made anew. What a late call left of things that are gone is removed. What the store has never heard of is listed and left alone: after a\n" +
			"restore it may be newer than the backup.",
		RunE: func(c *cobra.Command, _ []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			r, err := api.Reconcile(c.Context(), provider)
			if err != nil {
				return err
			}
			for _, skip := range r.Skipped {
				s.say("Not compared: %s. %s", cmp.Or(skip.Instance, skip.Provider), skip.Why)
			}
			s.say("%s compared, %s.", counted(r.Checked, "instance"), counted(len(r.Differences), "difference"))
			if done, err := s.data(r); done {
				return err
			}
			return list(s, r.Differences, "The market and its backends agree.",
				column[client.Difference]{title: "Difference", cell: func(d client.Difference) string { return d.Kind }},
				column[client.Difference]{title: "Provider", cell: func(d client.Difference) string { return d.Provider }},
				column[client.Difference]{title: "Instance", cell: func(d client.Difference) string { return inPlace(d.Org, d.Project, d.InstanceName) }},
				column[client.Difference]{title: "What", cell: func(d client.Difference) string { return d.What }, prose: true},
				column[client.Difference]{title: "Done", cell: func(d client.Difference) string { return d.Done }, prose: true},
				column[client.Difference]{title: "Next", cell: func(d client.Difference) string { return d.Next }, prose: true},
				column[client.Difference]{title: "ID", cell: func(d client.Difference) string { return cmp.Or(d.Binding, d.Instance, d.Backend) }, wide: true},
			)
		},
	}
	c.Flags().StringVar(&provider, "provider", "", "only this provider's")
	return reading(s, c)
}
