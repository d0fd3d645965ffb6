package billing

import (
	"context"
	"strings"

	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/internal/audit"
	"github.com/sutlerhq/sutler/internal/fault"
)

// OpenAccount makes an account with an immutable currency ("": the market's own).
func (l *Ledger) OpenAccount(ctx context.Context, name, currency string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > 200 {
		return "", fault.Invalid.Errorf("An account needs a name of 1 to 200 bytes.")
	}
	if currency == "" {
		currency = l.currency
	}
	if _, err := money.Digits(currency); err != nil {
		return "", fault.Invalid.Wrap(err, "%q is no currency in use.", currency).WithHint("Give three capital letters of ISO 4217, such as EUR.")
	}
	id := l.id("acc")
	err := l.db.Tx(ctx, func(ctx context.Context) error {
		now := l.clock.Now()
		// What was before its birth is closed: nothing can be charged for it.
		row := accountRow{ID: id, Name: name, Currency: currency, ClosedTo: monthOf(now).From.UnixMicro(), CreatedAt: now.UnixMicro()}
		if err := l.insertAccount(ctx, row); err != nil {
			return err
		}
		return l.audit.Append(ctx, audit.Entry{Who: "system", Action: "account.open", Object: "account/" + id, Detail: map[string]string{"currency": currency}})
	})
	return id, err
}

// LinkOrg lets an account pay for an org. The same link again changes nothing; an org that another account pays for is fault.Conflict.
func (l *Ledger) LinkOrg(ctx context.Context, account, org string) error {
	return l.db.Tx(ctx, func(ctx context.Context) error {
		if _, err := l.account(ctx, account, unlocked); err != nil {
			return err
		}
		fresh, err := l.insertOrg(ctx, account, org)
		if err != nil {
			return err
		}
		if !fresh {
			paying, err := l.payer(ctx, org)
			if err == nil && paying != account {
				err = fault.Conflict.Errorf("Another account pays for this org already.")
			}
			return err
		}
		return l.audit.Append(ctx, audit.Entry{Org: org, Who: "system", Action: "account.link", Object: "account/" + account})
	})
}

// Account finds an account by id, with the orgs it pays for. It asks no permission: the directory names accounts to those who may see the org.
func (l *Ledger) Account(ctx context.Context, id string) (Account, error) {
	row, err := l.account(ctx, id, unlocked)
	if err != nil {
		return Account{}, err
	}
	orgs, err := l.orgs(ctx, id)
	return Account{ID: row.ID, Name: row.Name, Currency: row.Currency, Orgs: orgs}, err
}

// Currency is that of the account that pays for an org. It asks no permission: the doors use it for what was already allowed.
func (l *Ledger) Currency(ctx context.Context, org string) (string, error) {
	account, err := l.paying(ctx, org)
	return account.Currency, err
}
