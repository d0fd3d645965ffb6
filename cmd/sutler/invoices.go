package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/client"
)

func newInvoices(s *session) *cobra.Command {
	return reading(s, &cobra.Command{
		Use: "invoices", Short: "List invoices", Args: arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			all, err := api.Invoices(c.Context(), s.org)
			if err != nil {
				return err
			}
			return list(s, all, "There are no invoices yet: the first comes when the month closes. Next: sutler invoice preview",
				column[client.Invoice]{title: "Number", cell: func(i client.Invoice) string { return i.Number }},
				column[client.Invoice]{title: "Account", cell: func(i client.Invoice) string { return i.AccountName }},
				column[client.Invoice]{title: "Month", cell: func(i client.Invoice) string { return i.Period.From.UTC().Format("2006-01") }},
				column[client.Invoice]{title: "Total", cell: func(i client.Invoice) string { return client.Amount(i.Total, i.Currency) }, right: true},
				column[client.Invoice]{title: "Due", cell: func(i client.Invoice) string { return client.Amount(i.Due, i.Currency) }, right: true},
				column[client.Invoice]{title: "State", cell: func(i client.Invoice) string { return i.State }},
				column[client.Invoice]{title: "Sent", cell: func(i client.Invoice) string { return i.Sent }, wide: true},
			)
		},
	})
}

func newInvoice(s *session) *cobra.Command {
	show := reading(s, &cobra.Command{
		Use: "show NUMBER", Short: "Show an invoice with its lines", Args: arguments("NUMBER"),
		RunE: func(c *cobra.Command, args []string) error {
			return s.invoice(func(api *client.Client) (client.Invoice, error) { return api.Invoice(c.Context(), args[0]) })
		},
	})
	preview := reading(s, &cobra.Command{
		Use: "preview", Short: "Show the running month's invoice as if it ended now", Args: arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			return s.invoice(func(api *client.Client) (client.Invoice, error) { return api.PreviewInvoice(c.Context(), s.org) })
		},
	})
	verify := reading(s, &cobra.Command{
		Use: "verify NUMBER", Short: "Recompute an invoice from what was stored, and compare", Args: arguments("NUMBER"),
		RunE: func(c *cobra.Command, args []string) error { return s.verify(c.Context(), args[0]) },
	})
	return group("invoice", "Show, preview and verify invoices", show, preview, verify)
}

func (s *session) invoice(find func(*client.Client) (client.Invoice, error)) error {
	api, err := s.connect()
	if err != nil {
		return err
	}
	i, err := find(api)
	if err != nil {
		return err
	}
	if done, err := s.data(i); done {
		return err
	}
	number := i.Number
	if number == "" {
		number = "(preview)"
	}
	err = describe(s, i, pair{"invoice", number}, pair{"account", i.AccountName}, pair{"seller", i.Seller},
		pair{"period", i.Period.From.UTC().Format("2006-01-02") + " to " + i.Period.To.UTC().Format("2006-01-02")},
		pair{"state", i.State}, pair{"sent", i.Sent})
	if err != nil {
		return err
	}
	if err := s.line(""); err != nil {
		return err
	}
	if err := s.lines(i.Lines, i.Currency); err != nil {
		return err
	}
	return s.totals(i)
}

// lines writes charges as a table.
func (s *session) lines(lines []client.InvoiceLine, currency string) error {
	if len(lines) == 0 {
		return s.line("No charges.")
	}
	return list(s, lines, "",
		column[client.InvoiceLine]{title: "Description", cell: func(l client.InvoiceLine) string { return l.Description }, prose: true},
		column[client.InvoiceLine]{title: "Instance", cell: func(l client.InvoiceLine) string { return l.Instance }},
		column[client.InvoiceLine]{title: "Provider", cell: func(l client.InvoiceLine) string { return l.Provider }},
		column[client.InvoiceLine]{title: "Quantity", cell: func(l client.InvoiceLine) string { return quantity(l.Quantity, l.Unit) }, right: true},
		column[client.InvoiceLine]{title: "Unit price", cell: func(l client.InvoiceLine) string { return l.UnitPrice }, right: true, wide: true},
		column[client.InvoiceLine]{title: "From", cell: func(l client.InvoiceLine) string { return when(l.From) }, wide: true},
		column[client.InvoiceLine]{title: "To", cell: func(l client.InvoiceLine) string { return when(l.To) }, wide: true},
		column[client.InvoiceLine]{title: "Amount", cell: func(l client.InvoiceLine) string { return client.Amount(l.Amount, currency) }, right: true},
	)
}

func (s *session) totals(i client.Invoice) error {
	pairs := []pair{{"Subtotal", i.Subtotal}}
	if i.Discount != "" && strings.Trim(i.Discount, "0.") != "" {
		pairs = append(pairs, pair{"Discount", i.Discount})
	}
	for _, t := range i.Tax {
		pairs = append(pairs, pair{t.Name, t.Amount})
	}
	pairs = append(pairs, pair{"Total", i.Total})
	if i.CreditApplied != "" && strings.Trim(i.CreditApplied, "0.") != "" {
		pairs = append(pairs, pair{"Credit applied", i.CreditApplied})
	}
	pairs = append(pairs, pair{"Due", i.Due})
	if err := s.line(""); err != nil {
		return err
	}
	for _, p := range pairs {
		if err := s.line(fmt.Sprintf("%-14s %12s", p.name, client.Amount(p.value, i.Currency))); err != nil {
			return err
		}
	}
	return nil
}

// errDisagrees ends a verification that found something: everything has been said already.
var errDisagrees = errors.New("disagrees")

func (s *session) verify(ctx context.Context, number string) error {
	api, err := s.connect()
	if err != nil {
		return err
	}
	v, err := api.VerifyInvoice(ctx, number)
	if err != nil {
		return err
	}
	done, err := s.data(v)
	if err != nil {
		return err
	}
	if !done {
		for _, check := range v.Checks {
			mark := "agrees"
			if !check.OK {
				mark = "DISAGREES"
			}
			if err := s.line(strings.TrimSpace(fmt.Sprintf("%-10s %-10s %s", check.Name, mark, check.Note))); err != nil {
				return err
			}
		}
	}
	if !v.OK {
		return fault.Internal.Wrap(errDisagrees, "Invoice %s does not agree with what was stored.", v.Number)
	}
	i, err := api.Invoice(ctx, number)
	if err != nil {
		return err
	}
	s.say("Invoice %s agrees with what was stored: %s.", v.Number, client.Amount(v.Recomputed, i.Currency))
	return nil
}

// line writes one line of data.
func (s *session) line(text string) error {
	_, err := fmt.Fprintln(s.out, text)
	return err
}
