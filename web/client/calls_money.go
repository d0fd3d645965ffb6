package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Usage sums the metrics of a place over a window; zero times mean the running month.
func (c *Client) Usage(ctx context.Context, at Place, from, to time.Time) ([]Usage, error) {
	q := at.query()
	if !from.IsZero() {
		q.Set("from", from.UTC().Format(time.RFC3339))
	}
	if !to.IsZero() {
		q.Set("to", to.UTC().Format(time.RFC3339))
	}
	return get[[]Usage](ctx, c, path("usage"), q)
}

// Costs rates the running month of a place as if it ended now.
func (c *Client) Costs(ctx context.Context, at Place) (Costs, error) {
	return get[Costs](ctx, c, path("costs"), at.query())
}

// Invoices lists the invoices of the account that pays for an org, newest first, without lines.
func (c *Client) Invoices(ctx context.Context, org string) ([]Invoice, error) {
	return get[[]Invoice](ctx, c, path("invoices"), Place{Org: org}.query())
}

// Invoice finds one by number.
func (c *Client) Invoice(ctx context.Context, number string) (Invoice, error) {
	return get[Invoice](ctx, c, path("invoices", number), nil)
}

// PreviewInvoice is the running month's invoice as if it ended now.
func (c *Client) PreviewInvoice(ctx context.Context, org string) (Invoice, error) {
	return get[Invoice](ctx, c, path("invoices", "preview"), Place{Org: org}.query())
}

// VerifyInvoice recomputes an invoice from what was stored.
func (c *Client) VerifyInvoice(ctx context.Context, number string) (Verification, error) {
	return get[Verification](ctx, c, path("invoices", number, "verify"), nil)
}

// Report sends usage events as one batch, stored all or none. The same event again is counted as a duplicate.
func (c *Client) Report(ctx context.Context, events []Event) (Accepted, error) {
	var out Accepted
	raw, err := json.Marshal(events)
	if err != nil {
		return out, fmt.Errorf("the events cannot be written: %w", err)
	}
	ctx, cancel := bounded(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/usage/events", bytes.NewReader(raw))
	if err != nil {
		return out, fmt.Errorf("the address %q cannot be used: %w", c.base, err)
	}
	req.Header.Set("Content-Type", "application/cloudevents-batch+json")
	answer, err := c.send(req)
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(answer, &out)
}

// Audit gives the newest deeds, at most limit; without an org those of the whole market.
func (c *Client) Audit(ctx context.Context, org string, limit int) ([]AuditEntry, error) {
	q := url.Values{"limit": {fmt.Sprint(limit)}}
	if org != "" {
		q.Set("org", org)
	}
	return get[[]AuditEntry](ctx, c, path("audit"), q)
}

// VerifyAudit walks the audit trail from its beginning. A head (SEQ:MAC) that was kept outside the store is checked too; "" is none.
func (c *Client) VerifyAudit(ctx context.Context, head string) (AuditReport, error) {
	q := url.Values{}
	if head != "" {
		q.Set("head", head)
	}
	return get[AuditReport](ctx, c, path("audit", "verify"), q)
}

// Clock tells the market's time.
func (c *Client) Clock(ctx context.Context) (Clock, error) {
	return get[Clock](ctx, c, path("clock"), nil)
}

// AdvanceClock moves the market's clock, in dev alone, and answers when all that fell due has run; ctx bounds the wait.
func (c *Client) AdvanceClock(ctx context.Context, by string) (Clock, error) {
	ctx, cancel := bounded(ctx, clockPatience)
	defer cancel()
	return post[Clock](ctx, c, path("clock", "advance"), Advance{By: by})
}
