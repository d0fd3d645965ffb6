package billing

import (
	"context"
	"errors"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/tasks"
)

const (
	closeKind  = "close"         // in the calendar
	closeAgain = "billing.close" // the task of an account whose close failed
)

// closeArgs names an account and the end, in microseconds, of the last month that is to be closed.
type closeArgs struct {
	Account string
	To      int64
}

// Unclosed is an account whose month is over and has no invoice yet.
type Unclosed struct {
	Account, Name string
	Month         Period
	Note          string // what stands in the way; empty: it is about to be closed
}

// Unclosed lists the accounts with a month that is over and not closed, in order of their ids. It needs ledger:manage in the market.
func (l *Ledger) Unclosed(ctx context.Context, who identity.Principal) ([]Unclosed, error) {
	if err := may(who, identity.LedgerManage, identity.Scope{}); err != nil {
		return nil, err
	}
	rows, err := l.behind(ctx, monthOf(l.clock.Now()).From.UnixMicro())
	if err != nil {
		return nil, err
	}
	out := make([]Unclosed, len(rows))
	for i, r := range rows {
		out[i] = Unclosed{Account: r.ID, Name: r.Name, Month: monthOf(instant(r.ClosedTo)), Note: r.CloseNote}
	}
	return out, nil
}

// closeDue closes the month that ended when it was due, account by account. One that fails is noted and tried again by a task of its own: it
// holds up neither the others nor the calendar. Killed in the middle it goes on where it was.
func (l *Ledger) closeDue(ctx context.Context, _ string, due time.Time) (time.Time, error) {
	end := monthOf(due).From
	accounts, err := l.accountIDs(ctx)
	if err != nil {
		return time.Time{}, err
	}
	for _, id := range accounts {
		failure := l.closeTo(ctx, id, end)
		if failure == nil {
			continue
		}
		if err := l.postpone(ctx, closeArgs{id, end.UnixMicro()}, failure); err != nil {
			return time.Time{}, err
		}
	}
	return monthOf(due).To, nil
}

// closeLater tries an account's close again. Its failures make the task wait longer each time, up to a minute.
func (l *Ledger) closeLater(ctx context.Context, a closeArgs) error {
	failure := l.closeTo(ctx, a.Account, instant(a.To))
	if failure == nil || stopped(ctx, failure) {
		return failure
	}
	return errors.Join(failure, l.note(ctx, a.Account, failure))
}

// closeTo closes an account's months up to end, oldest first and each in its own transaction: a month that fails keeps the later ones open.
func (l *Ledger) closeTo(ctx context.Context, id string, end time.Time) error {
	key, keyID, err := l.box.SigningKey(ctx, "invoice")
	if err != nil {
		return err
	}
	for {
		account, err := l.account(ctx, id, unlocked)
		if err != nil {
			return err
		}
		month := monthOf(instant(account.ClosedTo))
		if month.To.After(end) {
			return nil
		}
		if err := l.close(ctx, id, month, key, keyID); err != nil {
			return err
		}
	}
}

// postpone notes why an account could not be closed and leaves it to its task. What stopped us, rather than the account, comes back.
func (l *Ledger) postpone(ctx context.Context, a closeArgs, failure error) error {
	if stopped(ctx, failure) {
		return failure
	}
	return l.db.Tx(ctx, func(ctx context.Context) error {
		if err := tasks.Hold(ctx); err != nil {
			return err
		}
		if err := l.note(ctx, a.Account, failure); err != nil {
			return err
		}
		key := "close/" + a.Account + "/" + instant(a.To).Format(time.DateOnly)
		if err := l.engine.Enqueue(ctx, closeAgain, key, a, ""); err != nil {
			return broken(err)
		}
		return nil
	})
}

// stopped tells whether it was we who had to stop.
func stopped(ctx context.Context, failure error) bool {
	return errors.Is(failure, tasks.ErrFenced) || ctx.Err() != nil
}

// note logs why an account's oldest open month could not be closed, and keeps the text for operators.
func (l *Ledger) note(ctx context.Context, id string, failure error) error {
	account, err := l.account(ctx, id, unlocked)
	if err != nil {
		return err
	}
	f := fault.Of(failure)
	l.log.Error("an account's month could not be closed", "account", id, "month", instant(account.ClosedTo).Format("2006-01"), "err", f.Text, "cause", f.Unwrap())
	return l.db.Tx(ctx, func(ctx context.Context) error { return l.setCloseNote(ctx, id, f.Text) })
}
