package directory_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/internal/audit"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
)

// books is billing as far as the directory needs it. It refuses the currency "XXX".
type books struct{ linked map[string]string }

func (b *books) OpenAccount(_ context.Context, _, currency string) (string, error) {
	if currency == "XXX" {
		return "", fault.Invalid.Errorf("There is no currency %q.", currency)
	}
	return ids.New("acc"), nil
}

func (b *books) LinkOrg(_ context.Context, account, org string) error {
	b.linked[org] = account
	return nil
}

// trail keeps the deeds, and insists on a transaction.
type trail struct {
	t       *testing.T
	db      *database.DB
	mu      sync.Mutex
	actions []string
}

func (r *trail) Append(ctx context.Context, e audit.Entry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.db.In(ctx) {
		r.t.Errorf("%s was noted outside its transaction", e.Action)
	}
	r.actions = append(r.actions, e.Action)
	return nil
}

type hand struct{ now time.Time }

func (h *hand) Now() time.Time { return h.now }

type market struct {
	*directory.Directory
	t     *testing.T
	clock *hand
	trail *trail
	root  identity.Principal // an operator
	org   directory.Org      // with root as owner
	shop  directory.Project
}

func open(t *testing.T, db *database.DB) *market {
	t.Helper()
	m := &market{t: t, clock: &hand{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, trail: &trail{t: t, db: db}}
	m.Directory = directory.New(directory.Config{DB: db, Audit: m.trail, Accounts: &books{map[string]string{}}, Clock: m.clock})
	h, err := m.Bootstrap(t.Context(), "Root@Example.com", "Root", "correct horse battery")
	must(t, err)
	m.root = m.who(h)
	m.org, err = m.CreateOrg(t.Context(), m.root, "acme", "Acme Ltd", "", "EUR")
	must(t, err)
	m.root = m.who(h)
	m.shop, err = m.CreateProject(t.Context(), m.root, "acme", "shop")
	must(t, err)
	return m
}

func (m *market) who(h directory.Human) identity.Principal {
	m.t.Helper()
	p, err := m.ByHuman(m.t.Context(), h.ID)
	must(m.t, err)
	return p
}

// member gives email a role and returns its principal.
func (m *market) member(email string, role identity.Role, s identity.Scope) identity.Principal {
	m.t.Helper()
	member, err := m.SetMember(m.t.Context(), m.root, email, role, s)
	must(m.t, err)
	return m.who(member.Human)
}

func (m *market) inOrg() identity.Scope { return identity.Scope{Org: m.org.ID} }
func (m *market) inShop() identity.Scope {
	return identity.Scope{Org: m.org.ID, Project: m.shop.ID}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind {
		t.Fatalf("got %v (%v), want %v; cause %v", err, fault.KindOf(err), kind, errors.Unwrap(fault.Of(err)))
	}
}

func TestOrgsProjectsApps(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := open(t, db), t.Context()
		if p, err := m.Project(ctx, m.root, "acme", "default"); err != nil || p.Org != m.org.ID {
			t.Fatal(p, err)
		}
		_, err := m.CreateOrg(ctx, m.root, "acme", "", "", "EUR")
		want(t, err, fault.Conflict)
		_, err = m.CreateOrg(ctx, m.root, "Acme Corp", "", "", "EUR")
		want(t, err, fault.Invalid)
		_, err = m.CreateOrg(ctx, m.root, "broke", "", "", "XXX")
		want(t, err, fault.Invalid)
		_, err = m.Org(ctx, m.root, "broke")
		want(t, err, fault.NotFound) // the account was refused, so the org is not there either
		_, err = m.CreateProject(ctx, m.root, "acme", "shop")
		want(t, err, fault.Conflict)
		app, err := m.CreateApp(ctx, m.root, m.shop.ID, "guestbook")
		must(t, err)
		_, err = m.CreateApp(ctx, m.root, m.shop.ID, "guestbook")
		want(t, err, fault.Conflict)
		got, err := m.App(ctx, m.root, m.shop.ID, "guestbook")
		if err != nil || got != app {
			t.Fatal(got, err)
		}
		ten, err := m.Tenancy(ctx, identity.Scope{Org: app.Org, Project: app.Project, App: app.ID})
		if err != nil || ten.OrgName != "acme" || ten.ProjectName != "shop" || ten.AppName != "guestbook" || ten.Account != m.org.Account || ten.Account == "" {
			t.Fatal(ten, err)
		}
		_, err = m.Tenancy(ctx, identity.Scope{Org: app.Org, Project: "prj_none"})
		want(t, err, fault.NotFound)
	})
}

func TestEnsureAppIsStable(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := open(t, db), t.Context()
		const guid = "6F1D1B0A-0000-4000-8000-000000000001"
		one, err := m.EnsureApp(ctx, m.root, m.shop.ID, guid, "web")
		must(t, err)
		again, err := m.EnsureApp(ctx, m.root, m.shop.ID, guid, "renamed")
		must(t, err)
		other, err := m.EnsureApp(ctx, m.root, m.shop.ID, "other", "web")
		must(t, err)
		if one != again || one.Name != "web" || other.ID == one.ID || other.Name != "other" {
			t.Fatal(one, again, other)
		}
		odd, err := m.EnsureApp(ctx, m.root, m.shop.ID, "UPPER_case", "")
		if err != nil || !strings.HasPrefix(odd.Name, "app-") {
			t.Fatal(odd, err)
		}
	})
}

func TestNotYoursIsNotThere(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := open(t, db), t.Context()
		_, err := m.CreateOrg(ctx, m.root, "rival", "", "", "EUR")
		must(t, err)
		app, err := m.CreateApp(ctx, m.root, m.shop.ID, "guestbook")
		must(t, err)
		eve, err := m.SetMember(ctx, m.who(directory.Human{ID: m.root.ID}), "eve@example.com", identity.Owner, identity.Scope{Org: mustOrg(m, "rival").ID})
		must(t, err)
		who := m.who(eve.Human)
		for name, ask := range map[string]func(ref string) error{
			"org":     func(ref string) error { _, err := m.Org(ctx, who, ref); return err },
			"project": func(ref string) error { _, err := m.Project(ctx, who, "", ref); return err },
			"app":     func(ref string) error { _, err := m.App(ctx, who, "", ref); return err },
			"members": func(ref string) error { _, err := m.Members(ctx, who, ref); return err },
			"newapp":  func(ref string) error { _, err := m.CreateApp(ctx, who, ref, "x"); return err },
			"member": func(ref string) error {
				_, err := m.SetMember(ctx, who, "eve@example.com", identity.Owner, identity.Scope{Org: ref})
				return err
			},
		} {
			theirs := map[string]string{"org": m.org.ID, "members": m.org.ID, "member": m.org.ID, "project": m.shop.ID, "newapp": m.shop.ID, "app": app.ID}[name]
			no, gone := ask(theirs), ask("xxx_absent")
			want(t, no, fault.NotFound)
			if strings.ReplaceAll(no.Error(), theirs, "xxx_absent") != gone.Error() {
				t.Errorf("%s: %q and %q tell the two apart", name, no, gone)
			}
		}
		if orgs, err := m.Orgs(ctx, who); err != nil || len(orgs) != 1 || orgs[0].Name != "rival" {
			t.Fatal(orgs, err)
		}
	})
}

func mustOrg(m *market, ref string) directory.Org {
	m.t.Helper()
	o, err := m.Org(m.t.Context(), m.root, ref)
	must(m.t, err)
	return o
}

func TestMembers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := open(t, db), t.Context()
		admin := m.member("admin@example.com", identity.Admin, m.inOrg())
		grace := m.member("grace@example.com", identity.Developer, m.inShop())
		if list, err := m.Projects(ctx, grace, "acme"); err != nil || len(list) != 1 || list[0].Name != "shop" {
			t.Fatal(list, err)
		}
		_, err := m.Members(ctx, grace, "acme")
		want(t, err, fault.Forbidden)
		_, err = m.SetMember(ctx, admin, "pal@example.com", identity.Owner, m.inOrg())
		want(t, err, fault.Forbidden)
		_, err = m.SetMember(ctx, admin, "root@example.com", identity.Viewer, m.inOrg())
		want(t, err, fault.Forbidden)
		_, err = m.SetMember(ctx, admin, "pal@example.com", identity.BillingRole, m.inShop())
		want(t, err, fault.Invalid)
		_, err = m.SetMember(ctx, m.root, "root@example.com", "", m.inOrg())
		want(t, err, fault.Unprocessable)
		_, err = m.SetMember(ctx, m.root, "root@example.com", identity.Viewer, m.inOrg())
		want(t, err, fault.Unprocessable)
		_, err = m.SetMember(ctx, admin, "grace@example.com", "", m.inShop())
		must(t, err)
		if p := m.who(directory.Human{ID: grace.ID}); len(p.Grants) != 0 {
			t.Fatal(p.Grants)
		}
		otto, err := m.SetOperator(ctx, m.root, "otto@example.com", true)
		must(t, err)
		_, err = m.SetMember(ctx, m.who(otto), "otto@example.com", identity.Developer, m.inShop())
		want(t, err, fault.Forbidden) // an operator may not let themself in to see credentials
		if identity.Can(m.who(otto), identity.CredentialsRead, m.inShop()) {
			t.Fatal("an operator sees credentials")
		}
		for _, role := range []identity.Role{identity.Owner, identity.Developer, identity.Viewer} { // nor let in somebody else who does
			_, err = m.SetMember(ctx, m.who(otto), "pal@example.com", role, m.inOrg())
			want(t, err, fault.Forbidden)
		}
		_, err = m.SetMember(ctx, m.who(otto), "grace@example.com", "", m.inOrg())
		want(t, err, fault.Forbidden)
	})
}

func TestTheFirstOwner(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := open(t, db), t.Context()
		h, err := m.SetOperator(ctx, m.root, "otto@example.com", true)
		must(t, err)
		otto := m.who(h)
		market := identity.Principal{Kind: identity.System}
		empty, err := m.CreateOrg(ctx, market, "empty", "", "", "EUR")
		must(t, err)
		home := identity.Scope{Org: empty.ID}
		_, err = m.SetMember(ctx, otto, "otto@example.com", identity.Owner, home)
		want(t, err, fault.Forbidden)
		_, err = m.SetMember(ctx, otto, "ada@example.com", identity.Admin, home)
		want(t, err, fault.Forbidden)
		_, err = m.SetMember(ctx, otto, "ada@example.com", identity.Owner, home)
		must(t, err)
		_, err = m.SetMember(ctx, otto, "pal@example.com", identity.Owner, home)
		want(t, err, fault.Forbidden)

		named, err := m.CreateOrgFor(ctx, otto, "Bea@example.com", "named", "", "", "EUR")
		must(t, err)
		members, err := m.Members(ctx, otto, named.ID)
		if err != nil || len(members) != 1 || members[0].Human.Email != "bea@example.com" || members[0].Role != identity.Owner {
			t.Fatal(members, err)
		}
		_, err = m.SetMember(ctx, otto, "pal@example.com", identity.Viewer, identity.Scope{Org: named.ID})
		want(t, err, fault.Forbidden)
		_, err = m.CreateOrgFor(ctx, otto, "no email", "other", "", "", "EUR")
		want(t, err, fault.Invalid)
	})
}

// What a limited token hands on is never more than itself.
func TestALimitedTokenMakesNobodyMorePowerful(t *testing.T) {
	m, ctx := open(t, dbtest.New(t)), t.Context()
	token := m.root // an owner
	token.Limited, token.Actions = true, []identity.Action{identity.MemberWrite, identity.MemberRead, identity.OrgRead, identity.InstanceRead, identity.AppRead, identity.UsageRead}
	for _, role := range []identity.Role{identity.Owner, identity.Admin, identity.Developer, identity.BillingRole} {
		_, err := m.SetMember(ctx, token, "pal@example.com", role, m.inOrg())
		want(t, err, fault.Forbidden)
	}
	_, err := m.SetMember(ctx, token, "root@example.com", identity.Viewer, m.inOrg())
	want(t, err, fault.Forbidden)
	_, err = m.SetMember(ctx, token, "pal@example.com", identity.Viewer, m.inOrg())
	must(t, err)
	_, err = m.SetMember(ctx, token, "pal@example.com", "", m.inOrg())
	must(t, err)
	for a := range strings.FieldsSeq("market:read instance:read instance:write credentials:read app:read app:write usage:read invoice:read org:read " +
		"org:write member:read member:write audit:read token:manage") {
		token.Actions = append(token.Actions, identity.Action(a))
	}
	_, err = m.SetMember(ctx, token, "pal@example.com", identity.Owner, m.inOrg())
	want(t, err, fault.Forbidden) // an owner is not bound by a list
	_, err = m.SetMember(ctx, token, "pal@example.com", identity.Admin, m.inOrg())
	must(t, err)
}

func TestTwoOwnersCannotRemoveEachOther(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := open(t, db), t.Context()
		second := m.member("second@example.com", identity.Owner, m.inOrg())
		var wg sync.WaitGroup
		errs := make([]error, 2)
		wg.Go(func() { _, errs[0] = m.SetMember(ctx, m.root, "second@example.com", "", m.inOrg()) })
		wg.Go(func() { _, errs[1] = m.SetMember(ctx, second, "root@example.com", "", m.inOrg()) })
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatal(errs)
		}
	})
}

func TestBootstrapOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		d := directory.New(directory.Config{DB: db, Audit: &trail{t: t, db: db}, Accounts: &books{}})
		errs := make([]error, 4)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { _, errs[i] = d.Bootstrap(t.Context(), "root@example.com", "Root", "correct horse battery") })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			want(t, err, fault.Conflict)
		}
		if won != 1 {
			t.Fatal(won, errs)
		}
	})
}
