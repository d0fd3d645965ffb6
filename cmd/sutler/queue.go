package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/web/client"
)

func newQueue(s *session) *cobra.Command {
	return reading(s, &cobra.Command{
		Use: "queue", Short: "Show the market's durable work that fails, and months without an invoice (operators)", Args: arguments(),
		Long: "Lists the tasks and the rows of the market's calendar whose last run failed, and the accounts with a month that is over and not closed.\n" +
			"All of it is tried again by itself; operations that need a person are listed by sutler operations --stuck.",
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
			return list(s, queueRows(q), "Nothing fails, and every month is closed.",
				column[queueRow]{title: "What", cell: func(r queueRow) string { return r.what }},
				column[queueRow]{title: "Of", cell: func(r queueRow) string { return r.of }},
				column[queueRow]{title: "Attempts", cell: func(r queueRow) string { return r.attempts }, right: true},
				column[queueRow]{title: "Again", cell: func(r queueRow) string { return r.again }},
				column[queueRow]{title: "Note", cell: func(r queueRow) string { return r.note }, prose: true},
			)
		},
	})
}

// queueRow is one line of the queue, whatever it is.
type queueRow struct{ what, of, attempts, again, note string }

func queueRows(q client.Queue) (rows []queueRow) {
	for _, f := range q.Failing {
		rows = append(rows, queueRow{f.Sort + " " + f.Kind, f.Key, fmt.Sprint(f.Attempts), when(f.NextAt), f.Note})
	}
	for _, m := range q.Unclosed {
		rows = append(rows, queueRow{what: "invoice of " + m.From.Format("2006-01"), of: m.Name, note: m.Note})
	}
	return rows
}
