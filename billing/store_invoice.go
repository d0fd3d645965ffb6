package billing

import (
	"context"
	"strings"

	"github.com/sutlerhq/sutler/internal/fault"
)

type invoiceRow struct {
	Number, Series           string
	Position                 int64
	Account                  string
	PeriodFrom, PeriodTo     int64
	Currency, State          string
	Total, IssuedAt          int64
	Document, Hash, Previous string
	KeyID, Signature         string
	Status, Note             string // the outbox's
}

type seriesRow struct {
	Name                   string
	Year, Number, Position int64
	Head                   string
}

type lineRow struct {
	N, Amount int64
	Line      string
}

type entryRow struct {
	Posting  string
	N        int64
	Ledger   string
	Amount   int64
	Currency string
	PostedAt int64
}

type outboxRow struct{ Invoice, Status, Progress, Note string }

// series takes a seller's series for the rest of the transaction, making it when new: whoever numbers next waits.
func (s store) series(ctx context.Context, name string) (seriesRow, error) {
	rows, err := read[seriesRow](ctx, s, `INSERT INTO invoice_series (name, year, number, position, head) VALUES (?, 0, 0, 0, '')
 ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING *`, name)
	if err == nil && len(rows) != 1 {
		err = fault.Internal.Errorf("The invoice series %s could not be taken.", name)
	}
	if err != nil {
		return seriesRow{}, err
	}
	return rows[0], nil
}

func (s store) setSeries(ctx context.Context, r seriesRow) error {
	_, err := s.exec(ctx, `UPDATE invoice_series SET year = ?, number = ?, position = ?, head = ? WHERE name = ?`, r.Year, r.Number, r.Position, r.Head, r.Name)
	return err
}

func (s store) insertInvoice(ctx context.Context, r invoiceRow, lines []lineRow, entries []entryRow) error {
	_, err := s.exec(ctx, `INSERT INTO invoices (number, series, position, account, period_from, period_to, currency, state, total, issued_at, document, hash, previous, key_id, signature)
 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, r.Number, r.Series, r.Position, r.Account, r.PeriodFrom, r.PeriodTo, r.Currency, r.State, r.Total, r.IssuedAt,
		r.Document, r.Hash, r.Previous, r.KeyID, r.Signature)
	if err != nil {
		return err
	}
	for _, x := range lines {
		if _, err := s.exec(ctx, `INSERT INTO invoice_lines (invoice, n, amount, line) VALUES (?, ?, ?, ?)`, r.Number, x.N, x.Amount, x.Line); err != nil {
			return err
		}
	}
	for _, e := range entries {
		if _, err := s.exec(ctx, `INSERT INTO journal (posting, n, ledger, amount, currency, posted_at) VALUES (?, ?, ?, ?, ?, ?)`,
			e.Posting, e.N, e.Ledger, e.Amount, e.Currency, e.PostedAt); err != nil {
			return err
		}
	}
	_, err = s.exec(ctx, `INSERT INTO outbox (invoice, status) VALUES (?, 'waiting')`, r.Number)
	return err
}

// invoiceRows finds invoices by a condition, newest first.
func (s store) invoiceRows(ctx context.Context, where string, args ...any) ([]invoiceRow, error) {
	return read[invoiceRow](ctx, s, strings.Join([]string{
		`SELECT i.*, o.status, o.note FROM invoices i LEFT JOIN outbox o ON o.invoice = i.number WHERE`, where, `ORDER BY i.issued_at DESC, i.series, i.position DESC`,
	}, " "), args...)
}

func (s store) invoiceRow(ctx context.Context, number string) (invoiceRow, error) {
	rows, err := s.invoiceRows(ctx, `i.number = ?`, number)
	if err == nil && len(rows) == 0 {
		err = fault.NotFound.Errorf("There is no invoice %q.", number)
	}
	if err != nil {
		return invoiceRow{}, err
	}
	return rows[0], nil
}

func (s store) lines(ctx context.Context, invoice string) ([]lineRow, error) {
	return read[lineRow](ctx, s, `SELECT n, amount, line FROM invoice_lines WHERE invoice = ? ORDER BY n`, invoice)
}

// entries gives a posting's, or the whole journal.
func (s store) entries(ctx context.Context, posting string) ([]entryRow, error) {
	return read[entryRow](ctx, s, `SELECT * FROM journal WHERE ? = '' OR posting = ? ORDER BY posted_at, posting, n`, posting, posting)
}

func (s store) outbox(ctx context.Context, invoice string) (outboxRow, error) {
	rows, err := read[outboxRow](ctx, s, `SELECT * FROM outbox WHERE invoice = ?`, invoice)
	if err == nil && len(rows) == 0 {
		err = fault.NotFound.Errorf("There is no invoice %q.", invoice)
	}
	if err != nil {
		return outboxRow{}, err
	}
	return rows[0], nil
}

func (s store) unsent(ctx context.Context) ([]string, error) {
	return read[string](ctx, s, `SELECT invoice FROM outbox WHERE status IN ('waiting', 'sending') ORDER BY invoice`)
}

func (s store) setOutbox(ctx context.Context, r outboxRow) error {
	_, err := s.exec(ctx, `UPDATE outbox SET status = ?, progress = ?, note = ? WHERE invoice = ?`, r.Status, r.Progress, r.Note, r.Invoice)
	return err
}
