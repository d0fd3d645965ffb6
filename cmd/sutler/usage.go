package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/web/client"
)

func newUsage(s *session) *cobra.Command {
	var month string
	c := &cobra.Command{
		Use: "usage", Short: "Show what was used", Args: arguments(),
		Example: "  sutler usage\n  sutler usage --month 2026-11 --json",
		RunE: func(c *cobra.Command, _ []string) error {
			from, err := monthBegin(month)
			if err != nil {
				return err
			}
			api, err := s.connect()
			if err != nil {
				return err
			}
			rows, err := api.Usage(c.Context(), s.place(), from, time.Time{})
			if err != nil {
				return err
			}
			none := "Nothing was used in this month yet. Backends are read every hour of the market's clock."
			if month != "" {
				none = "Nothing was used in " + month + "."
			}
			return list(s, rows, none,
				column[client.Usage]{title: "Instance", cell: func(u client.Usage) string { return u.Instance }},
				column[client.Usage]{title: "Plan", cell: func(u client.Usage) string { return u.Offering + ":" + u.Plan }},
				column[client.Usage]{title: "Metric", cell: func(u client.Usage) string { return u.Metric }},
				column[client.Usage]{title: "Quantity", cell: func(u client.Usage) string { return quantity(u.Quantity, u.Unit) }, right: true},
				column[client.Usage]{title: "Project", cell: func(u client.Usage) string { return u.Project }, wide: true},
				column[client.Usage]{title: "From", cell: func(u client.Usage) string { return when(u.From) }, wide: true},
				column[client.Usage]{title: "To", cell: func(u client.Usage) string { return when(u.To) }, wide: true},
			)
		},
	}
	c.Flags().StringVar(&month, "month", "", "a month as YYYY-MM (default: the running one)")
	return reading(s, c)
}

// monthBegin reads YYYY-MM; empty is the zero time.
func monthBegin(month string) (time.Time, error) {
	if month == "" {
		return time.Time{}, nil
	}
	from, err := time.Parse("2006-01", month)
	if err != nil {
		return from, usagef("%q is no month.", month).next("Write --month 2026-11.")
	}
	return from, nil
}

func newCosts(s *session) *cobra.Command {
	return reading(s, &cobra.Command{
		Use: "costs", Short: "Show what the running month costs so far", Args: arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			costs, err := api.Costs(c.Context(), s.place())
			if err != nil {
				return err
			}
			if done, err := s.data(costs); done {
				return err
			}
			if err := s.lines(costs.Lines, costs.Currency); err != nil {
				return err
			}
			return s.line("Total so far, before tax: " + client.Amount(costs.Total, costs.Currency))
		},
	})
}
