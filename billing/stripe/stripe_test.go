package stripe_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/internal/fault"
)

// box keeps what the ledger's outbox would.
type box struct{ customer, progress string }

func (b *box) delivery(i billing.Invoice) billing.Delivery {
	if b.progress == "" {
		b.progress = "{}"
	}
	return billing.Delivery{
		Invoice: i, Customer: b.customer, Progress: json.RawMessage(b.progress),
		Save: func(_ context.Context, customer string, progress any) error {
			raw, err := json.Marshal(progress)
			b.customer, b.progress = customer, string(raw)
			return err
		},
	}
}

// bill is an invoice of two lines that come to net, and its tax.
func bill(net, tax, total string) billing.Invoice {
	from := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	rest, _ := money.ParseAmount(net, "EUR")
	rest.Minor -= 100
	line := billing.Line{Description: "nats standard: base", Provider: "nats-east", Offering: "nats", InstanceName: "queue", From: from, To: from.AddDate(0, 1, 0), Amount: "1.00"}
	other := line
	other.Provider, other.Amount = "pg-west", rest.String()
	return billing.Invoice{
		Number: "SUT-2026-000001", Account: "acc_1", AccountName: "Acme Ltd", Currency: "EUR", Period: billing.Period{From: from, To: from.AddDate(0, 1, 0)},
		Lines: []billing.Line{line, other}, Tax: []billing.Tax{{Name: "VAT", Rate: "0.19", Amount: tax}}, Total: total, Hash: strings.Repeat("ab", 32),
	}
}

func TestAPushThatDiesAnywhereIsTakenUp(t *testing.T) {
	for _, pruned := range []bool{false, true} {
		finished := false
		for n := 1; !finished; n++ {
			t.Run(fmt.Sprintf("pruned %v, call %d unanswered", pruned, n), func(t *testing.T) {
				server, b := newTill(t), &box{}
				server.silence(n)
				s := client(t, server.URL)
				err := s.Push(t.Context(), b.delivery(bill("17.60", "3.34", "20.94")))
				if finished = err == nil; !finished && !errors.Is(err, fault.Unavailable) {
					t.Fatal(err)
				}
				if pruned {
					server.forget()
				}
				for range 2 {
					if err := s.Push(t.Context(), b.delivery(bill("17.60", "3.34", "20.94"))); err != nil {
						t.Fatal(err, fault.Of(err).Unwrap())
					}
				}
				got := server.kept()
				if len(got.invoices) != 1 || got.items != 3 || got.invoices[0]["status"] != "open" || got.invoices[0]["total"] != int64(2094) || got.problems != nil {
					t.Errorf("%+v", got)
				}
				if !pruned && got.customers != 1 {
					t.Error(got.customers, "customers")
				}
			})
			if n > 20 {
				t.Fatal("it never finishes")
			}
		}
	}
}

func TestAnotherTotalIsVoidedForGood(t *testing.T) {
	server, b := newTill(t), &box{}
	for range 2 {
		if err := client(t, server.URL).Push(t.Context(), b.delivery(bill("17.60", "3.34", "20.95"))); !errors.Is(err, fault.Unprocessable) {
			t.Fatal(err)
		}
	}
	if got := server.kept().invoices; got[0]["status"] != "void" || len(got) != 1 {
		t.Error(got)
	}
}

func TestLinesAreGroupedUntilTheyFit(t *testing.T) {
	for _, c := range []struct{ lines, offerings, items int }{{249, 1, 250}, {250, 4, 5}, {2000, 400, 11}} {
		server := newTill(t)
		i := bill("2.00", "0.00", "0.00")
		line := i.Lines[0]
		i.Lines = nil
		for n := range c.lines {
			line.Offering, line.Provider = fmt.Sprint("o", n%c.offerings), fmt.Sprint("p", n%c.offerings%10)
			i.Lines = append(i.Lines, line)
		}
		i.Total = fmt.Sprint(c.lines, ".00")
		if err := client(t, server.URL).Push(t.Context(), (&box{}).delivery(i)); err != nil {
			t.Fatal(err)
		}
		if got := server.kept(); got.items != c.items || got.invoices[0]["total"] != int64(c.lines)*100 {
			t.Errorf("%d lines became %d items, want %d", c.lines, got.items, c.items)
		}
	}
}

func TestCurrenciesInStripesUnits(t *testing.T) {
	for _, c := range []struct {
		currency, amount string
		want             int64
	}{{"EUR", "1.23", 123}, {"JPY", "15", 15}, {"ISK", "15", 1500}, {"UGX", "15", 1500}, {"KWD", "1.230", 1230}, {"KWD", "1.234", -1}} {
		server, i := newTill(t), bill("2.00", "0.00", "0.00")
		i.Currency, i.Lines, i.Tax, i.Total = c.currency, i.Lines[:1], nil, c.amount
		i.Lines[0].Amount = c.amount
		err := client(t, server.URL).Push(t.Context(), (&box{}).delivery(i))
		if c.want < 0 {
			if !errors.Is(err, fault.Unprocessable) {
				t.Error(c, err)
			}
			continue
		}
		if got := server.kept().invoices; err != nil || got[0]["total"] != c.want {
			t.Error(c, err, got)
		}
	}
}
