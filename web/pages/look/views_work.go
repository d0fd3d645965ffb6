package look

import "time"

// Work shows the market's operations and the queue beneath them.
type Work struct {
	Frame
	Due     int // tasks that are due and that nobody runs
	Stuck   WorkTable
	Failing []FailingRow
	Latest  WorkTable
	Command Command
}

// Template names the page's template.
func (Work) Template() string { return "work" }

// WorkTable is a list of operations.
type WorkTable struct {
	Now  time.Time
	Rows []WorkRow
}

// WorkRow is one operation.
type WorkRow struct {
	ID, Instance, InstanceID, Verb, Note string
	State                                Chip
	StartedAt                            time.Time
}

// FailingRow is work that failed the last time and is tried again by itself.
type FailingRow struct {
	What, Of, Note string
	Attempts       int64
}
