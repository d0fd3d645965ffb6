package billing

import (
	"context"
	"time"

	"github.com/sutlerhq/sutler/internal/tasks"
)

// SetIDs makes the ids a test expects.
func (l *Ledger) SetIDs(id func(prefix string) string) { l.id = id }

// SetRules lets the ledger charge by older rules, as an older program did.
func (l *Ledger) SetRules(version int) { l.rules = version }

// CloseDue is what the calendar calls.
func (l *Ledger) CloseDue(ctx context.Context, due time.Time) (time.Time, error) {
	return l.closeDue(ctx, "month", due)
}

// Document gives an invoice's canonical bytes.
func (l *Ledger) Document(ctx context.Context, number string) (string, error) {
	row, err := l.invoiceRow(ctx, number)
	return row.Document, err
}

// Calendar gives the ledger's calendar.
func (l *Ledger) Calendar() *tasks.Calendar { return l.calendar }

// Now is the ledger's market time.
func (l *Ledger) Now() time.Time { return l.clock.Now() }
