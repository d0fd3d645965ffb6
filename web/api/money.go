package api

import (
	"context"
	"net/http"
	"time"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/client"
)

// byNumber names one invoice.
type byNumber struct {
	Number string `path:"number"`
}

func (a *API) money() {
	register(a, route{method: http.MethodGet, path: prefix + "/usage", id: "usage-list", tag: "money", summary: "What was used, by instance and metric, in a window."}, a.usageList)
	register(a, route{method: http.MethodGet, path: prefix + "/costs", id: "cost-list", tag: "money", summary: "The running month's lines, as if it ended now."}, a.costList)
	register(a, route{method: http.MethodGet, path: prefix + "/invoices", id: "invoice-list", tag: "money", summary: "Invoices of the account that pays for an org; of all accounts for operators."}, a.invoiceList)
	register(a, route{method: http.MethodGet, path: prefix + "/invoices/preview", id: "invoice-preview", tag: "money", summary: "The running month's invoice, as if it ended now."}, a.invoicePreview)
	register(a, route{method: http.MethodGet, path: prefix + "/invoices/{number}", id: "invoice-get", tag: "money", summary: "One invoice."}, a.invoiceGet)
	register(a, route{method: http.MethodGet, path: prefix + "/invoices/{number}/verify", id: "invoice-verify", tag: "money", summary: "Recompute an invoice from what was stored and compare."}, a.invoiceVerify)
}

// window is half open.
type window struct {
	Place
	From time.Time `query:"from" doc:"Inclusive; the running month's begin when empty."`
	To   time.Time `query:"to" doc:"Exclusive; the end of the month of from when empty."`
}

// period fills in the running month.
func (w window) period(now time.Time) (billing.Period, error) {
	p := billing.Period{From: w.From.UTC(), To: w.To.UTC()}
	if w.From.IsZero() {
		p.From = time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	}
	if w.To.IsZero() {
		p.To = time.Date(p.From.Year(), p.From.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	}
	if !p.From.Before(p.To) {
		return p, fault.Invalid.Errorf("The window ends before it begins.").WithHint("Give from before to, both like 2026-11-01T00:00:00Z.")
	}
	return p, nil
}

func (a *API) usageList(ctx context.Context, who identity.Principal, in *window) (*reply[[]client.Usage], error) {
	period, err := in.period(a.Clock.Now())
	if err != nil {
		return nil, err
	}
	scope, err := a.scope(ctx, who, identity.UsageRead, in.Place)
	if err != nil {
		return nil, err
	}
	rows, err := a.Ledger.Usage(ctx, who, scope, period)
	names := a.namer()
	return answer(each(rows, err, func(r billing.UsageRow) client.Usage { return names.usage(ctx, r) }))
}

func (a *API) costList(ctx context.Context, who identity.Principal, in *Place) (*reply[client.Costs], error) {
	scope, err := a.scope(ctx, who, identity.UsageRead, *in)
	if err != nil {
		return nil, err
	}
	lines, total, err := a.Ledger.Costs(ctx, who, scope)
	if err != nil {
		return nil, err
	}
	currency, err := a.Ledger.Currency(ctx, scope.Org)
	if err != nil {
		return nil, err
	}
	out := client.Costs{Currency: currency, Total: total}
	out.Lines, err = each(lines, nil, wireLine)
	return answer(out, err)
}

func (a *API) invoiceList(ctx context.Context, who identity.Principal, in *InOrg) (*reply[[]client.Invoice], error) {
	org := ""
	if in.Org != "" || !identity.Can(who, identity.InvoiceRead, identity.Scope{}) {
		o, err := a.org(ctx, who, in.Org)
		if err != nil {
			return nil, err
		}
		org = o.ID
	}
	list, err := a.Ledger.Invoices(ctx, who, org)
	return answer(each(list, err, func(i billing.Invoice) client.Invoice {
		out := wireInvoice(i)
		out.Lines = nil // they are read with the invoice itself
		return out
	}))
}

func (a *API) invoicePreview(ctx context.Context, who identity.Principal, in *InOrg) (*reply[client.Invoice], error) {
	org, err := a.org(ctx, who, in.Org)
	if err != nil {
		return nil, err
	}
	i, err := a.Ledger.Preview(ctx, who, org.ID)
	return answer(wireInvoice(i), err)
}

func (a *API) invoiceGet(ctx context.Context, who identity.Principal, in *byNumber) (*reply[client.Invoice], error) {
	i, err := a.Ledger.Invoice(ctx, who, in.Number)
	return answer(wireInvoice(i), err)
}

func (a *API) invoiceVerify(ctx context.Context, who identity.Principal, in *byNumber) (*reply[client.Verification], error) {
	v, err := a.Ledger.Verify(ctx, who, in.Number)
	if err != nil {
		return nil, err
	}
	out := client.Verification{Number: v.Number, OK: v.OK, Recomputed: v.Recomputed}
	out.Checks, err = each(v.Checks, nil, func(c billing.Check) client.Check { return client.Check(c) })
	return answer(out, err)
}
