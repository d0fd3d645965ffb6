package billing

import (
	"context"
	"log/slog"
	"time"

	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/internal/audit"
	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
	"github.com/sutlerhq/sutler/internal/seal"
	"github.com/sutlerhq/sutler/internal/tasks"
)

// Seller is the legal entity that issues the invoices.
type Seller struct {
	Name    string
	Country string        // ISO 3166, two letters
	Series  string        // of invoice numbers: SUT gives SUT-2026-000001
	Tax     []Taxed       // put on every invoice's subtotal
	Fee     money.Decimal // the market's share of each provider's net lines: 0.10 is 10 %; the rest is owed to the provider
}

// Taxed is a tax the seller charges: Rate 0.19 is 19 %.
type Taxed struct {
	Name string
	Rate money.Decimal
}

// Config is what a ledger needs. Everything but Collector and Log is required.
type Config struct {
	DB        *database.DB
	Tasks     *tasks.Engine
	Calendar  *tasks.Calendar
	Box       *seal.Box
	Audit     *audit.Log
	Clock     clock.Clock // the market's
	Seller    Seller
	Currency  string    // of accounts opened without one; EUR when empty
	Collector Collector // where invoices are pushed; nil: nowhere
	Log       *slog.Logger
}

// Ledger is the room's front. It satisfies broker's Meter and Gate and directory's Accounts. It is safe for concurrent use.
type Ledger struct {
	store
	calendar  *tasks.Calendar
	engine    *tasks.Engine
	box       *seal.Box
	audit     *audit.Log
	clock     clock.Clock
	seller    Seller
	currency  string
	collector Collector
	log       *slog.Logger
	id        func(prefix string) string
	rules     int // what charges are computed by from now on; what was issued keeps its own
}

// New checks the configuration, puts the month's close into the calendar and takes up what the outbox still holds. A seller without a name, an
// unknown currency or a tax that is not between 0 and 1 is fault.Invalid.
func New(ctx context.Context, c Config) (*Ledger, error) {
	if c.Currency == "" {
		c.Currency = "EUR"
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	l := &Ledger{
		store: store{c.DB}, calendar: c.Calendar, engine: c.Tasks, box: c.Box, audit: c.Audit, clock: c.Clock, seller: c.Seller,
		currency: c.Currency, collector: c.Collector, log: c.Log, id: ids.New, rules: engine,
	}
	l.calendar.Handle(closeKind, l.closeDue)
	tasks.Handle(l.engine, closeAgain, l.closeLater)
	l.calendar.After(closeKind, "readings") // those of the month's last hour belong to the month
	if err := l.calendar.Put(ctx, closeKind, "month", monthOf(l.clock.Now()).To); err != nil {
		return nil, err
	}
	return l, l.resumePushes(ctx)
}

func (c Config) check() error {
	var wrong []fault.Field
	if c.Seller.Name == "" {
		wrong = append(wrong, fault.Field{Path: "seller/name", Reason: "an invoice needs the name of who issues it"})
	}
	if c.Seller.Series == "" {
		wrong = append(wrong, fault.Field{Path: "seller/series", Reason: "invoice numbers need a series, such as SUT"})
	}
	if _, err := money.Digits(c.Currency); err != nil {
		wrong = append(wrong, fault.Field{Path: "currency", Reason: err.Error()})
	}
	for _, t := range c.Seller.Tax {
		if t.Name == "" || t.Rate.Sign() < 0 || t.Rate.Cmp(money.FromInt(1)) > 0 {
			wrong = append(wrong, fault.Field{Path: "seller/tax", Reason: "a tax needs a name and a rate between 0 and 1, such as 0.19"})
		}
	}
	if c.Seller.Fee.Sign() < 0 || c.Seller.Fee.Cmp(money.FromInt(1)) > 0 {
		wrong = append(wrong, fault.Field{Path: "seller/fee", Reason: "the market's share is between 0 and 1"})
	}
	if len(wrong) > 0 {
		return fault.Invalid.Errorf("The billing configuration is wrong: %s: %s.", wrong[0].Path, wrong[0].Reason).WithFields(wrong...)
	}
	return nil
}

// monthOf gives the UTC calendar month that t lies in.
func monthOf(t time.Time) Period {
	year, month, _ := t.UTC().Date()
	return Period{time.Date(year, month, 1, 0, 0, 0, 0, time.UTC), time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC)}
}
