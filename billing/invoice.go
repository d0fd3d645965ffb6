package billing

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
)

// Invoices lists the invoices of the account that pays for an org ("" for all, operators only), newest first, without lines.
func (l *Ledger) Invoices(ctx context.Context, who identity.Principal, org string) ([]Invoice, error) {
	account := ""
	if org == "" {
		if err := may(who, identity.InvoiceRead, identity.Scope{}); err != nil {
			return nil, err
		}
	} else {
		paying, err := l.invoiceAccount(ctx, who, org)
		if err != nil {
			return nil, err
		}
		account = paying.ID
	}
	rows, err := l.invoiceRows(ctx, `? = '' OR i.account = ?`, account, account)
	if err != nil {
		return nil, err
	}
	out := make([]Invoice, len(rows))
	for i, r := range rows {
		_, invoice, err := l.open(r)
		if err != nil {
			return nil, err
		}
		out[i] = invoice
		out[i].Lines = nil
	}
	return out, nil
}

// Invoice finds one by number. One whose account pays for an org in which who may not read invoices is fault.NotFound, like one that is not there.
func (l *Ledger) Invoice(ctx context.Context, who identity.Principal, number string) (Invoice, error) {
	row, err := l.readable(ctx, who, number)
	if err != nil {
		return Invoice{}, err
	}
	_, invoice, err := l.open(row)
	return invoice, err
}

// readable finds an invoice that who may read.
func (l *Ledger) readable(ctx context.Context, who identity.Principal, number string) (invoiceRow, error) {
	row, err := l.invoiceRow(ctx, number)
	if err != nil {
		return row, err
	}
	err = l.mayReadInvoices(ctx, who, row.Account)
	if errors.Is(err, fault.Forbidden) {
		return invoiceRow{}, fault.NotFound.Errorf("There is no invoice %q.", number)
	}
	return row, err
}

// open reads the document of a stored invoice.
func (l *Ledger) open(row invoiceRow) (document, Invoice, error) {
	var d document
	if err := json.Unmarshal([]byte(row.Document), &d); err != nil {
		return d, Invoice{}, fault.Internal.Wrap(err, "The document of invoice %s cannot be read.", row.Number)
	}
	out := d.invoice()
	out.State, out.Hash, out.Signature, out.Sent = row.State, row.Hash, row.Signature, l.sent(row)
	return d, out, nil
}

// sent says how far the collector has been given the invoice.
func (l *Ledger) sent(row invoiceRow) string {
	switch {
	case row.Status == "sent":
		return "sent"
	case row.Status == "failed":
		return "not sent: " + row.Note
	case l.collector == nil:
		return "not sent"
	case row.Note != "":
		return "sending: " + row.Note
	}
	return "sending"
}

// Preview is the invoice of an org's account for the running month, as if it ended now.
func (l *Ledger) Preview(ctx context.Context, who identity.Principal, org string) (Invoice, error) {
	account, err := l.invoiceAccount(ctx, who, org)
	if err != nil {
		return Invoice{}, err
	}
	now := l.clock.Now()
	return l.preview(ctx, account, monthOf(now), now)
}

func (l *Ledger) preview(ctx context.Context, a accountRow, month Period, now time.Time) (Invoice, error) {
	charges, err := l.charges(ctx, a, identity.Scope{}, month, now)
	if err != nil {
		return Invoice{}, err
	}
	d, _, err := draw(a, l.seller, l.rules, month, now, charges)
	out := d.invoice()
	out.State, out.Sent = "preview", "not sent"
	return out, err
}
