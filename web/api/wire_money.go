package api

import (
	"context"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/web/client"
)

func wireInvoice(i billing.Invoice) client.Invoice {
	out := client.Invoice{
		Number: i.Number, Account: i.Account, AccountName: i.AccountName, Seller: i.Seller, Currency: i.Currency, Period: client.Period(i.Period),
		State: i.State, Sent: i.Sent, IssuedAt: moment(i.IssuedAt), Lines: []client.InvoiceLine{}, Subtotal: i.Subtotal, Discount: i.Discount,
		Tax: []client.Tax{}, Total: i.Total, CreditApplied: i.CreditApplied, Due: i.Due, Hash: i.Hash, Previous: i.Previous, Signature: i.Signature,
	}
	for _, l := range i.Lines {
		out.Lines = append(out.Lines, wireLine(l))
	}
	for _, t := range i.Tax {
		out.Tax = append(out.Tax, client.Tax(t))
	}
	return out
}

func wireLine(l billing.Line) client.InvoiceLine {
	return client.InvoiceLine{
		Description: l.Description, Provider: l.Provider, Offering: l.Offering, Plan: l.Plan, Instance: l.InstanceName, InstanceID: l.Instance,
		Project: l.ProjectName, Metric: l.Metric, Quantity: l.Quantity, Unit: l.Unit, UnitPrice: l.UnitPrice, From: l.From, To: l.To, Amount: l.Amount,
	}
}

func (n *namer) usage(ctx context.Context, r billing.UsageRow) client.Usage {
	return client.Usage{
		Instance: r.InstanceName, InstanceID: r.Instance, Project: n.of(ctx, r.Org, r.Project).ProjectName, Provider: r.Provider,
		Offering: r.Offering, Plan: r.Plan, Metric: r.Metric, Quantity: r.Quantity.String(), Unit: r.Unit, From: r.From, To: r.To,
	}
}
