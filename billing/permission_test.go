package billing_test

import (
	"testing"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
)

func TestInvoicesNeedTheRightInEveryOrgTheyCover(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		ctx := t.Context()
		h.autumn()
		number := h.end().Number
		h.ok(h.LinkOrg(ctx, h.account, "org_sister"))
		h.ok(h.LinkOrg(ctx, h.account, "org_sister"))
		other, err := h.OpenAccount(ctx, "Other", "EUR")
		h.ok(err)
		h.is(h.LinkOrg(ctx, other, "org_sister"), fault.Conflict)

		both := owner
		both.Grants = append(both.Grants, identity.Grant{Role: identity.BillingRole, Scope: identity.Scope{Org: "org_sister"}})
		for name, c := range map[string]struct {
			who        identity.Principal
			list, read fault.Kind
		}{
			"both orgs":        {both, "", ""},
			"operator":         {operator, "", ""},
			"one of two":       {owner, fault.Forbidden, fault.NotFound},
			"admin":            {person(identity.Admin, identity.Scope{Org: "org_acme"}), fault.Forbidden, fault.NotFound},
			"project's owner":  {person(identity.Owner, identity.Scope{Org: "org_acme", Project: "prj_shop"}), fault.NotFound, fault.NotFound},
			"another org":      {person(identity.Owner, identity.Scope{Org: "org_other"}), fault.NotFound, fault.NotFound},
			"nobody":           {identity.Principal{}, fault.NotFound, fault.NotFound},
			"a provider":       {provider("nats-east"), fault.NotFound, fault.NotFound},
			"a limited token":  {limited(both, identity.UsageRead), fault.NotFound, fault.NotFound},
			"a token for them": {limited(both, identity.InvoiceRead), "", ""},
		} {
			_, err := h.Invoices(ctx, c.who, "org_acme")
			expectKind(t, name+" lists", err, c.list)
			_, err = h.Preview(ctx, c.who, "org_acme")
			expectKind(t, name+" previews", err, c.list)
			_, err = h.Invoice(ctx, c.who, number)
			expectKind(t, name+" reads", err, c.read)
			_, err = h.Verify(ctx, c.who, number)
			expectKind(t, name+" verifies", err, c.read)
		}
		_, err = h.Invoices(ctx, both, "")
		h.is(err, fault.Forbidden)
		_, err = h.Journal(ctx, both)
		h.is(err, fault.Forbidden)
		_, err = h.TrialBalance(ctx, both)
		h.is(err, fault.Forbidden)
	})
}

func limited(p identity.Principal, a identity.Action) identity.Principal {
	p.Limited, p.Actions = true, []identity.Action{a}
	return p
}

func expectKind(t *testing.T, what string, err error, want fault.Kind) {
	t.Helper()
	if want == "" && err != nil || want != "" && (err == nil || fault.KindOf(err) != want) {
		t.Errorf("%s: want %q, got %v", what, want, err)
	}
}

func TestUsageAndCostsStayWithinTheScope(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		ctx := t.Context()
		h.autumn()
		lab := h.sale("ins_lab", "standard")
		lab.Project, lab.ProjectName = "prj_lab", "lab"
		h.ok(h.Start(ctx, lab, when("2026-11-15T00:00:00")))
		h.ok(h.Record(ctx, used("lab", "ins_lab", "2026-11-16T00:00:00", "3")))

		shop := identity.Scope{Org: "org_acme", Project: "prj_shop"}
		developer := person(identity.Developer, shop)
		rows, err := h.Usage(ctx, developer, shop, november)
		h.ok(err)
		if len(rows) != 1 || rows[0].Instance != "ins_nats" {
			t.Errorf("%+v", rows)
		}
		lines, total, err := h.Costs(ctx, developer, shop)
		h.ok(err)
		if len(lines) != 4 || total != "17.60" {
			t.Error(total, short(lines))
		}
		all, total, err := h.Costs(ctx, owner, identity.Scope{Org: "org_acme"})
		h.ok(err)
		if len(all) != 5 || total != "19.20" { // the lab's half month
			t.Error(total, short(all))
		}
		_, _, err = h.Costs(ctx, owner, identity.Scope{})
		h.is(err, fault.Invalid)
		_, err = h.Usage(ctx, developer, identity.Scope{Org: "org_acme"}, november)
		h.is(err, fault.NotFound)
		_, _, err = h.Costs(ctx, developer, identity.Scope{Org: "org_acme", Project: "prj_lab"})
		h.is(err, fault.NotFound)
		_, err = h.Usage(ctx, owner, identity.Scope{}, november)
		h.is(err, fault.Forbidden)
		_, err = h.Usage(ctx, owner, shop, billing.Period{From: november.To, To: november.From})
		h.is(err, fault.Invalid)
		if c, err := h.Currency(ctx, "org_acme"); err != nil || c != "EUR" {
			t.Error(c, err)
		}
	})
}

func TestAccountsNeedANameAndACurrency(t *testing.T) {
	h := newHouse(t, dbtest.New(t))
	for _, c := range []struct{ name, currency string }{{"", "EUR"}, {"x", "EURO"}, {"x", "eur"}, {"  ", ""}} {
		_, err := h.OpenAccount(t.Context(), c.name, c.currency)
		h.is(err, fault.Invalid)
	}
	h.is(h.LinkOrg(t.Context(), "acc_no", "org"), fault.NotFound)
	got, err := h.Account(t.Context(), h.account)
	h.ok(err)
	if got.Currency != "EUR" || got.Name != "Acme Ltd" || len(got.Orgs) != 1 {
		t.Errorf("%+v", got)
	}
}
