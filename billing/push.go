package billing

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/tasks"
)

// Collector collects what invoices say is due. It is called outside any transaction, again and again until it returns nil; it must go on from the
// progress it saved. A fault.Unprocessable says that trying again is of no use.
type Collector interface {
	Push(ctx context.Context, d Delivery) error
}

// Delivery is an invoice on its way to a collector.
type Delivery struct {
	Invoice  Invoice
	Customer string          // the collector's name for the account, "" when it has none yet
	Progress json.RawMessage // as last saved; {} at first
	// Save keeps the customer and the progress at once, durably.
	Save func(ctx context.Context, customer string, progress any) error
}

const pushKind = "billing.push"

type pushArgs struct{ Invoice string }

// resumePushes registers the worker and wakes it for all that was not sent, such as what was issued before there was a collector.
func (l *Ledger) resumePushes(ctx context.Context) error {
	if l.collector == nil {
		return nil
	}
	tasks.Handle(l.engine, pushKind, func(ctx context.Context, a pushArgs) error { return l.push(ctx, a.Invoice) })
	return l.db.Tx(ctx, func(ctx context.Context) error {
		waiting, err := l.unsent(ctx)
		if err != nil {
			return err
		}
		for _, number := range waiting {
			if err := l.wakePush(ctx, number); err != nil {
				return err
			}
		}
		return nil
	})
}

// wakePush asks for an invoice to be pushed, in the caller's transaction.
func (l *Ledger) wakePush(ctx context.Context, number string) error {
	if l.collector == nil {
		return nil
	}
	if err := l.engine.Enqueue(ctx, pushKind, "push/"+number, pushArgs{number}, ""); err != nil {
		return broken(err)
	}
	return nil
}

func (l *Ledger) push(ctx context.Context, number string) error {
	row, err := l.invoiceRow(ctx, number)
	if err != nil || row.Status == "sent" {
		return err
	}
	_, invoice, err := l.open(row)
	if err != nil {
		return err
	}
	account, err := l.account(ctx, row.Account, unlocked)
	if err != nil {
		return err
	}
	state, err := l.outbox(ctx, number)
	if err != nil {
		return err
	}
	save := func(ctx context.Context, customer string, progress any) error {
		raw, err := json.Marshal(progress)
		if err != nil {
			return fault.Internal.Wrap(err, "The progress of a push could not be written.")
		}
		state.Progress, state.Status = string(raw), "sending"
		return l.saveOutbox(ctx, account.ID, customer, state)
	}
	err = l.collector.Push(ctx, Delivery{Invoice: invoice, Customer: account.Customer, Progress: json.RawMessage(state.Progress), Save: save})
	if errors.Is(err, tasks.ErrFenced) || ctx.Err() != nil {
		return err
	}
	state.Status, state.Note = "sent", ""
	if err != nil {
		state.Status, state.Note = "sending", fault.Of(err).Text
		l.log.Warn("an invoice was not pushed", "invoice", number, "err", err)
	}
	if errors.Is(err, fault.Unprocessable) {
		state.Status = "failed"
		err = tasks.Cancel(err)
	}
	return errors.Join(err, l.saveOutbox(ctx, account.ID, "", state))
}

// saveOutbox keeps how far a push got, and the customer when it is known.
func (l *Ledger) saveOutbox(ctx context.Context, account, customer string, state outboxRow) error {
	return l.db.Tx(ctx, func(ctx context.Context) error {
		if err := tasks.Hold(ctx); err != nil {
			return err
		}
		if customer != "" {
			if err := l.setCustomer(ctx, account, customer); err != nil {
				return err
			}
		}
		return l.setOutbox(ctx, state)
	})
}
