package main

import (
	"cmp"
	"fmt"
	"time"

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
			if stuck {
				return list(s, all, "None needs a person.", stuckColumns()...)
			}
			return list(s, all, "There are none.",
				column[client.Operation]{title: "ID", cell: func(o client.Operation) string { return o.ID }},
				column[client.Operation]{title: "Instance", cell: operationOf},
				column[client.Operation]{title: "Verb", cell: func(o client.Operation) string { return o.Verb }},
				column[client.Operation]{title: "State", cell: func(o client.Operation) string { return o.State }},
				column[client.Operation]{title: "Age", cell: operationAge, right: true},
				column[client.Operation]{title: "Attempts", cell: func(o client.Operation) string { return fmt.Sprint(o.Attempts) }, right: true},
				column[client.Operation]{title: "Failed", cell: func(o client.Operation) string { return times(o.Failures) }, right: true},
				column[client.Operation]{title: "Started (wall time)", cell: func(o client.Operation) string { return when(o.StartedAt) }},
				column[client.Operation]{title: "Note", cell: func(o client.Operation) string { return o.Note }, prose: true},
				column[client.Operation]{title: "Instance ID", cell: func(o client.Operation) string { return o.Instance }, wide: true},
				column[client.Operation]{title: "Binding", cell: func(o client.Operation) string { return o.Binding }, wide: true},
			)
		},
	}
	c.Flags().BoolVar(&stuck, "stuck", false, "only those that need a person")
	return reading(s, c)
}

// stuckColumns tell of an operation that needs a person how often it failed, since when and why.
func stuckColumns() []column[client.Operation] {
	return []column[client.Operation]{
		{title: "ID", cell: func(o client.Operation) string { return o.ID }},
		{title: "Instance", cell: operationOf},
		{title: "Verb", cell: func(o client.Operation) string { return o.Verb }},
		{title: "State", cell: func(o client.Operation) string { return o.State }},
		{title: "Failed", cell: func(o client.Operation) string { return times(o.Failures) }, right: true},
		{title: "Since (wall time)", cell: func(o client.Operation) string { return whenever(o.FailingSince, "") }},
		{title: "Why", cell: func(o client.Operation) string { return o.Note }, prose: true},
		{title: "Attempts", cell: func(o client.Operation) string { return fmt.Sprint(o.Attempts) }, right: true, wide: true},
		{title: "Instance ID", cell: func(o client.Operation) string { return o.Instance }, wide: true},
		{title: "Binding", cell: func(o client.Operation) string { return o.Binding }, wide: true},
	}
}

// operationOf is the instance that an operation is about, told from those of its name elsewhere.
func operationOf(o client.Operation) string {
	return inPlace(o.Org, o.Project, cmp.Or(o.InstanceName, o.Instance))
}

// inPlace is the name of an instance with where it lives, when that is known.
func inPlace(org, project, name string) string {
	if org == "" {
		return name
	}
	return org + "/" + project + "/" + name
}

// times is how often something failed in a row, the last times; nothing when the last try did not fail.
func times(n int64) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// operationAge is how long an operation has been going on, or went on.
func operationAge(o client.Operation) string {
	end := time.Now()
	if o.EndedAt != nil && o.Reason == "" {
		end = *o.EndedAt
	}
	return end.Sub(o.StartedAt).Round(time.Second).String()
}

// newOperation is what an operator does with one operation.
func newOperation(s *session) *cobra.Command {
	return group("operation", "Retry or give up stuck operations (operators)", newOperationRetry(s), newOperationPurge(s))
}

func newOperationRetry(s *session) *cobra.Command {
	return reading(s, &cobra.Command{
		Use: "retry ID", Short: "Try an operation now, with its waits reset", Args: arguments("ID"),
		RunE: func(c *cobra.Command, args []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			op, err := api.RetryOperation(c.Context(), args[0])
			if err != nil {
				return err
			}
			s.say("%s of %s is tried again now.", op.Verb, cmp.Or(op.InstanceName, op.Instance))
			_, err = s.data(op)
			return err
		},
	})
}

func newOperationPurge(s *session) *cobra.Command {
	var p client.Purge
	c := &cobra.Command{
		Use: "purge ID", Short: "Give up a delete that cannot succeed", Args: arguments("ID"),
		Long: "Takes what a stuck delete was to end for gone: its name is free and nothing is charged. The provider may still hold it;\n" +
			"what that is, is said and kept in the audit trail.",
		Example: `  sutler operation purge op_… --confirm op_… --reason "The vendor has closed."`,
		RunE: func(c *cobra.Command, args []string) error {
			if p.Confirm != args[0] || p.Reason == "" {
				return usagef("Giving up cannot be undone. Nothing was given up.").next("Add --confirm %s and --reason TEXT.", args[0])
			}
			api, err := s.connect()
			if err != nil {
				return err
			}
			op, err := api.PurgeOperation(c.Context(), args[0], p)
			if err != nil {
				return err
			}
			s.say("%s", op.Note)
			_, err = s.data(op)
			return err
		},
	}
	c.Flags().StringVar(&p.Confirm, "confirm", "", "the operation's id once more")
	c.Flags().StringVar(&p.Reason, "reason", "", "why, for the audit trail")
	return reading(s, c)
}
