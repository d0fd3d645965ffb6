package client

import (
	"context"
	"time"
)

// Queue is the durable work of the market: how much waits, and what fails.
type Queue struct {
	Due           int64        `json:"due"`            // tasks that are due and that nobody runs
	OldestSeconds float64      `json:"oldest_seconds"` // for how long the operation that waits longest has been due
	Operations    []Operation  `json:"operations"`     // with work left and a last try that failed; those with a reason need a person
	Failing       []QueueEntry `json:"failing"`        // tasks and rows of the calendar whose last run failed; they are tried again by themselves
	Unclosed      []Unclosed   `json:"unclosed"`       // months that are over and have no invoice yet
}

// QueueEntry is a task, or a row of the market's calendar, whose last run failed.
type QueueEntry struct {
	Sort     string    `json:"sort"` // task, calendar
	Kind     string    `json:"kind"`
	Key      string    `json:"key"`
	Attempts int64     `json:"attempts"`
	Note     string    `json:"note"`
	Owner    string    `json:"owner,omitempty"` // the process that runs it right now
	NextAt   time.Time `json:"next_at"`
}

// Unclosed is an account's month without an invoice.
type Unclosed struct {
	Account string    `json:"account"` // id
	Name    string    `json:"name"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Note    string    `json:"note,omitempty"` // what stands in the way; empty: it is about to be closed
}

// Queue shows the market's durable work (operators).
func (c *Client) Queue(ctx context.Context) (Queue, error) {
	return get[Queue](ctx, c, path("queue"), nil)
}
