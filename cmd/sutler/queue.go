package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/web/client"
)

func newQueue(s *session) *cobra.Command {
	return reading(s, &cobra.Command{
		Use: "queue", Short: "Show the operations and other durable work that fail, and months without an invoice (operators)", Args: arguments(),
		Long: "Lists the operations whose last try failed, the tasks and rows of the market's calendar whose last run did, and the accounts with a month\n" +
			"that is over and not closed. All of it is tried again by itself; which of the operations need a person, sutler operations --stuck says.",
		RunE: func(c *cobra.Command, _ []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			q, err := api.Queue(c.Context())
			if err != nil {
				return err
			}
			if done, err := s.data(q); done {
				return err
			}
			s.say("%s due and not begun; the oldest operation has been due for %s.", counted(int(q.Due), "task"), lasting(time.Duration(q.OldestSeconds*float64(time.Second)).Round(time.Second)))
			if failing, stuck := len(q.Operations), needing(q.Operations); failing > 0 {
				s.say("%s failing, %d of them in need of a person: sutler operations --stuck", counted(failing, "operation"), stuck)
			}
			return list(s, queueRows(q), "Nothing fails, and every month is closed.",
				column[queueRow]{title: "What", cell: func(r queueRow) string { return r.what }},
				column[queueRow]{title: "Of", cell: func(r queueRow) string { return r.of }},
				column[queueRow]{title: "Failed", cell: func(r queueRow) string { return r.failed }, right: true},
				column[queueRow]{title: "Again", cell: func(r queueRow) string { return r.again }},
				column[queueRow]{title: "Note", cell: func(r queueRow) string { return r.note }, prose: true},
			)
		},
	})
}

// queueRow is one line of the queue, whatever it is.
type queueRow struct{ what, of, failed, again, note string }

func queueRows(q client.Queue) (rows []queueRow) {
	for _, o := range q.Operations {
		rows = append(rows, queueRow{"operation " + o.Verb, operationOf(o), times(o.Failures), whenever(o.NextAt, ""), o.Note})
	}
	for _, f := range q.Failing {
		rows = append(rows, queueRow{f.Sort + " " + f.Kind, f.Key, times(f.Attempts), when(f.NextAt), f.Note})
	}
	for _, m := range q.Unclosed {
		rows = append(rows, queueRow{what: "invoice of " + m.From.Format("2006-01"), of: m.Name, note: m.Note})
	}
	return rows
}

// needing counts the operations that need a person.
func needing(list []client.Operation) (n int) {
	for _, o := range list {
		if o.Reason != "" {
			n++
		}
	}
	return n
}
