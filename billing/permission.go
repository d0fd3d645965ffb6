package billing

import (
	"context"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
)

// may answers nil when who may do a in s; fault.Forbidden when who may see the scope; else fault.NotFound, as if it were not there.
func may(who identity.Principal, a identity.Action, s identity.Scope) error {
	switch {
	case identity.Can(who, a, s):
		return nil
	case s.Org == "":
		return fault.Forbidden.Errorf("This is for operators of the market.")
	case identity.Can(who, identity.OrgRead, identity.Scope{Org: s.Org}) || identity.Can(who, identity.InstanceRead, s):
		return fault.Forbidden.Errorf("You may see this and not its %s.", subject(a))
	case s.Project != "":
		return fault.NotFound.Errorf("There is no project %q.", s.Project)
	}
	return fault.NotFound.Errorf("There is no org %q.", s.Org)
}

func subject(a identity.Action) string {
	if a == identity.InvoiceRead {
		return "invoices"
	}
	return "usage and costs"
}

// mayReadInvoices answers nil when who may read invoices in every org that the account pays for: an invoice shows what all of them used.
func (l *Ledger) mayReadInvoices(ctx context.Context, who identity.Principal, account string) error {
	orgs, err := l.orgs(ctx, account)
	if err != nil {
		return err
	}
	if len(orgs) == 0 {
		return may(who, identity.LedgerManage, identity.Scope{})
	}
	for _, org := range orgs {
		if !identity.Can(who, identity.InvoiceRead, identity.Scope{Org: org}) {
			return fault.Forbidden.Errorf("The account pays for more than one org, and reading its invoices needs the right to in each of them.")
		}
	}
	return nil
}

// invoiceAccount gives the account that pays for an org, when who may read its invoices.
func (l *Ledger) invoiceAccount(ctx context.Context, who identity.Principal, org string) (accountRow, error) {
	if err := may(who, identity.InvoiceRead, identity.Scope{Org: org}); err != nil {
		return accountRow{}, err
	}
	account, err := l.paying(ctx, org)
	if err != nil {
		return account, err
	}
	return account, l.mayReadInvoices(ctx, who, account.ID)
}

// paying gives the account that pays for an org.
func (l *Ledger) paying(ctx context.Context, org string) (accountRow, error) {
	id, err := l.payer(ctx, org)
	if err != nil {
		return accountRow{}, err
	}
	if id == "" {
		return accountRow{}, fault.NotFound.Errorf("There is no org %q.", org)
	}
	return l.account(ctx, id, unlocked)
}
