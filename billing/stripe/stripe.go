package stripe

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/customer"
	"github.com/stripe/stripe-go/v76/invoice"
	"github.com/stripe/stripe-go/v76/invoiceitem"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/seal"
	"github.com/sutlerhq/sutler/internal/tasks"
)

// Config says how Stripe is reached.
type Config struct {
	Key     seal.Secret
	URL     string       // of the API; empty: Stripe's own
	Client  *http.Client // outbound's; required, so that the egress rules hold
	DueDays int64        // how long a customer has to pay; 0 means 14
}

// Stripe is the billing.Collector that pushes to Stripe. It is safe for concurrent use.
type Stripe struct {
	customers customer.Client
	invoices  invoice.Client
	items     invoiceitem.Client
	dueDays   int64
}

// New makes the client; it makes no call yet.
func New(c Config) (*Stripe, error) {
	if c.Key.Reveal() == "" || c.Client == nil {
		return nil, fault.Invalid.Errorf("Stripe needs a key and an HTTP client.").WithHint("Leave stripe out of the configuration to keep invoices here.")
	}
	conf := &stripe.BackendConfig{
		HTTPClient: c.Client, EnableTelemetry: stripe.Bool(false), MaxNetworkRetries: stripe.Int64(0), // the outbox tries again
		LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
	}
	if c.URL != "" {
		conf.URL = stripe.String(strings.TrimSuffix(c.URL, "/"))
	}
	if c.DueDays == 0 {
		c.DueDays = 14
	}
	backend, key := stripe.GetBackendWithConfig(stripe.APIBackend, conf), c.Key.Reveal()
	return &Stripe{
		customers: customer.Client{B: backend, Key: key}, invoices: invoice.Client{B: backend, Key: key}, items: invoiceitem.Client{B: backend, Key: key},
		dueDays: c.DueDays,
	}, nil
}

// progress is what the outbox keeps of a push.
type progress struct {
	Begun     bool   `json:"begun,omitempty"`   // a draft may exist at Stripe
	Invoice   string `json:"invoice,omitempty"` // Stripe's id of it
	Finalized bool   `json:"finalized,omitempty"`
}

// push is one run of Push.
type push struct {
	*Stripe
	billing.Delivery
	at progress
}

// Push brings an invoice to Stripe, going on where it was. It is fault.Unprocessable when Stripe refuses what it is given or comes to another total
// (the invoice there is then voided), and fault.Unavailable when trying again may help.
func (s *Stripe) Push(ctx context.Context, d billing.Delivery) error {
	p := &push{Stripe: s, Delivery: d}
	if err := json.Unmarshal(d.Progress, &p.at); err != nil {
		return fault.Internal.Wrap(err, "The progress of pushing %s cannot be read.", d.Invoice.Number)
	}
	items, err := itemsOf(d.Invoice)
	if err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		p.customer, p.draft,
		func(ctx context.Context) error { return p.fill(ctx, items) },
		p.finalize,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// key gives an idempotency key: the same step of the same invoice is one thing, whoever tries it. Another market's invoice of the same number has
// another hash.
func (p *push) key(step string) *string {
	return stripe.String("sutler/" + p.Invoice.Number + "/" + p.Invoice.Hash[:min(16, len(p.Invoice.Hash))] + "/" + step)
}

func (p *push) customer(ctx context.Context) error {
	if p.Customer != "" {
		return nil
	}
	if err := tasks.Alive(ctx); err != nil {
		return err
	}
	made, err := p.customers.New(&stripe.CustomerParams{
		Params:   stripe.Params{Context: ctx, IdempotencyKey: stripe.String("sutler/customer/" + p.Invoice.Account)},
		Metadata: map[string]string{"sutler_account": p.Invoice.Account},
		Name:     stripe.String(p.Invoice.AccountName),
	})
	if err != nil {
		return classed(err, "making the customer")
	}
	p.Customer = made.ID
	return p.Save(ctx, p.Customer, p.at)
}

// draft makes the draft, or finds the one that an earlier try made and did not live to write down.
func (p *push) draft(ctx context.Context) error {
	if p.at.Invoice != "" {
		return nil
	}
	if p.at.Begun {
		found, err := p.search(ctx)
		if err != nil {
			return err
		}
		p.at.Invoice = found
	}
	if p.at.Invoice == "" {
		p.at.Begun = true
		if err := p.Save(ctx, p.Customer, p.at); err != nil {
			return err
		}
		if err := tasks.Alive(ctx); err != nil {
			return err
		}
		made, err := p.invoices.New(&stripe.InvoiceParams{
			Params:   stripe.Params{Context: ctx, IdempotencyKey: p.key("draft")},
			Metadata: map[string]string{"sutler_invoice": p.Invoice.Number, "sutler_hash": p.Invoice.Hash},
			Customer: stripe.String(p.Customer), Currency: stripe.String(strings.ToLower(p.Invoice.Currency)), AutoAdvance: stripe.Bool(false),
			CollectionMethod: stripe.String(string(stripe.InvoiceCollectionMethodSendInvoice)), DaysUntilDue: stripe.Int64(p.dueDays),
			PendingInvoiceItemsBehavior: stripe.String("exclude"), Description: stripe.String("Invoice " + p.Invoice.Number),
		})
		if err != nil {
			return classed(err, "making the draft")
		}
		p.at.Invoice = made.ID
	}
	return p.Save(ctx, p.Customer, p.at)
}

func (p *push) search(ctx context.Context) (string, error) {
	list := p.invoices.List(&stripe.InvoiceListParams{ListParams: stripe.ListParams{Context: ctx}, Customer: stripe.String(p.Customer)})
	for list.Next() {
		if i := list.Invoice(); i.Metadata["sutler_hash"] == p.Invoice.Hash {
			return i.ID, nil
		}
	}
	return "", classed(list.Err(), "looking for the draft")
}

// fill adds the items that the draft does not have yet.
func (p *push) fill(ctx context.Context, items []item) error {
	if p.at.Finalized {
		return nil
	}
	there, err := p.there(ctx)
	if err != nil {
		return err
	}
	for _, it := range items {
		if there[it.key] {
			continue
		}
		amount, err := minor(it.amount)
		if err != nil {
			return err
		}
		if err := tasks.Alive(ctx); err != nil {
			return err
		}
		_, err = p.items.New(&stripe.InvoiceItemParams{
			Params:   stripe.Params{Context: ctx, IdempotencyKey: p.key(it.key)},
			Metadata: map[string]string{"sutler_item": it.key},
			Customer: stripe.String(p.Customer), Invoice: stripe.String(p.at.Invoice), Amount: stripe.Int64(amount),
			Currency: stripe.String(strings.ToLower(p.Invoice.Currency)), Description: stripe.String(it.description),
			Period: &stripe.InvoiceItemPeriodParams{Start: stripe.Int64(it.from.Unix()), End: stripe.Int64(it.to.Unix())},
		})
		if err != nil {
			return classed(err, "adding an item")
		}
	}
	return nil
}

func (p *push) there(ctx context.Context) (map[string]bool, error) {
	out := map[string]bool{}
	list := p.items.List(&stripe.InvoiceItemListParams{ListParams: stripe.ListParams{Context: ctx, Limit: stripe.Int64(100)}, Invoice: stripe.String(p.at.Invoice)})
	for list.Next() {
		out[list.InvoiceItem().Metadata["sutler_item"]] = true
	}
	return out, classed(list.Err(), "listing the items")
}

// finalize closes the draft, once, and compares what Stripe makes of it with what is ours.
func (p *push) finalize(ctx context.Context) error {
	want, err := amountOf(p.Invoice.Total, p.Invoice.Currency)
	if err != nil {
		return err
	}
	total, err := minor(want)
	if err != nil {
		return err
	}
	got, err := p.invoices.Get(p.at.Invoice, &stripe.InvoiceParams{Params: stripe.Params{Context: ctx}})
	if err != nil {
		return classed(err, "reading the invoice")
	}
	if err := tasks.Alive(ctx); err != nil {
		return err
	}
	if got.Status == stripe.InvoiceStatusDraft && !p.at.Finalized {
		got, err = p.invoices.FinalizeInvoice(p.at.Invoice, &stripe.InvoiceFinalizeInvoiceParams{
			Params: stripe.Params{Context: ctx, IdempotencyKey: p.key("finalize")}, AutoAdvance: stripe.Bool(false),
		})
		if err != nil {
			return classed(err, "finalising the invoice")
		}
	}
	if got.Total != total {
		return p.void(ctx, got.Total, total)
	}
	p.at.Finalized = true
	return p.Save(ctx, p.Customer, p.at)
}

func (p *push) void(ctx context.Context, got, want int64) error {
	_, err := p.invoices.VoidInvoice(p.at.Invoice, &stripe.InvoiceVoidInvoiceParams{Params: stripe.Params{Context: ctx, IdempotencyKey: p.key("void")}})
	if err != nil {
		return classed(err, "voiding an invoice of another total")
	}
	return fault.Unprocessable.Errorf("Stripe came to a total of %d and ours is %d, in its minor units; the invoice there was voided.", got, want)
}

// classed says whether trying again may help. Stripe's own text stays in the log: it may quote what was sent.
func classed(err error, doing string) error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*stripe.Error](err)
	if !ok {
		return fault.Unavailable.Wrap(err, "Stripe did not answer while %s.", doing)
	}
	switch {
	case e.HTTPStatusCode == http.StatusUnauthorized || e.HTTPStatusCode == http.StatusForbidden:
		return fault.Unavailable.Wrap(err, "Stripe does not take our key.").WithHint("Check stripe.key in the configuration.")
	case e.HTTPStatusCode == http.StatusConflict || e.HTTPStatusCode == http.StatusTooManyRequests || e.HTTPStatusCode >= 500 || e.HTTPStatusCode == 0:
		return fault.Unavailable.Wrap(err, "Stripe could not answer (%d) while %s.", e.HTTPStatusCode, doing)
	}
	return fault.Unprocessable.Wrap(err, "Stripe refused (%d %s) while %s.", e.HTTPStatusCode, e.Code, doing)
}
