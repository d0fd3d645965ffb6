package directory_test

import (
	"sync"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
)

func TestTokens(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := open(t, db), t.Context()
		dev := m.member("dev@example.com", identity.Developer, m.inShop())
		tok, secret, err := m.CreateToken(ctx, dev, "ci", []identity.Action{identity.InstanceRead, identity.InvoiceRead}, m.clock.now.Add(time.Hour))
		must(t, err)
		if len(secret) != 47 || secret[:4] != "sut_" {
			t.Fatal("a token looks different")
		}
		who, err := m.ByToken(ctx, secret)
		must(t, err)
		for action, may := range map[identity.Action]bool{
			identity.InstanceRead:  true,
			identity.InstanceWrite: false, // the role has it, the token has not
			identity.InvoiceRead:   false, // the token has it, the role has not
		} {
			if identity.Can(who, action, m.inShop()) != may {
				t.Errorf("%s: want %v", action, may)
			}
		}
		if _, _, err = m.CreateToken(ctx, who, "more", nil, time.Time{}); fault.KindOf(err) != fault.Forbidden {
			t.Fatal("a limited token made another", err)
		}
		list, err := m.Tokens(ctx, dev)
		if err != nil || len(list) != 1 || !list[0].LastUsed.Equal(m.clock.now) || len(list[0].Actions) != 2 {
			t.Fatal(list, err)
		}
		_, err = m.SetMember(ctx, m.root, "dev@example.com", "", m.inShop())
		must(t, err)
		if who, err = m.ByToken(ctx, secret); err != nil || identity.Can(who, identity.InstanceRead, m.inShop()) {
			t.Fatal("the token outlived its owner's role", err)
		}
		want(t, m.RevokeToken(ctx, m.root, tok.ID), fault.NotFound) // not one's own
		m.clock.now = m.clock.now.Add(time.Hour)
		_, err = m.ByToken(ctx, secret)
		want(t, err, fault.Unauthenticated)
		must(t, m.RevokeToken(ctx, dev, tok.ID))
		_, _, err = m.CreateToken(ctx, dev, "old", nil, m.clock.now)
		want(t, err, fault.Invalid)
		_, _, err = m.CreateToken(ctx, dev, "odd", []identity.Action{"instance:fly"}, time.Time{})
		want(t, err, fault.Invalid)
	})
}

func TestSecretsAreNotKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := open(t, db), t.Context()
		_, token, err := m.CreateToken(ctx, m.root, "t", nil, time.Time{})
		must(t, err)
		_, password, err := m.CreatePlatform(ctx, m.root, "cf", "acme", "shop")
		must(t, err)
		for _, secret := range []string{token, password, "correct horse battery"} {
			for _, q := range []string{"tokens WHERE hash = ?", "platforms WHERE hash = ?", "humans WHERE password = ?"} {
				var n int
				must(t, db.From(ctx).Raw("SELECT count(*) FROM "+q, secret).Scan(&n).Error)
				if n != 0 {
					t.Error("kept in clear: ", q)
				}
			}
		}
	})
}

func TestPlatforms(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := open(t, db), t.Context()
		plt, password, err := m.CreatePlatform(ctx, m.root, "cf-eu", "acme", "shop")
		must(t, err)
		_, _, err = m.CreatePlatform(ctx, m.root, "cf-eu", "acme", "shop")
		want(t, err, fault.Conflict)
		dev := m.member("dev@example.com", identity.Owner, m.inOrg())
		_, _, err = m.CreatePlatform(ctx, dev, "mine", "acme", "shop")
		want(t, err, fault.Forbidden)
		who, err := m.ByPlatform(ctx, "cf-eu", password)
		must(t, err)
		if !identity.Can(who, identity.InstanceWrite, m.inShop()) || identity.Can(who, identity.InstanceRead, m.inOrg()) {
			t.Fatal(who)
		}
		if of, err := m.PlatformOf(ctx, who); err != nil || of.ID != plt.ID {
			t.Fatal(of, err)
		}
		for _, bad := range [][2]string{{"cf-eu", "wrong"}, {"nobody", password}, {plt.ID, password}, {"nobody", ""}, {"", ""}} {
			_, err = m.ByPlatform(ctx, bad[0], bad[1])
			want(t, err, fault.Unauthenticated)
		}
		_, fresh, err := m.RotatePlatform(ctx, m.root, "cf-eu", 0)
		must(t, err)
		_, err = m.ByPlatform(ctx, "cf-eu", password)
		want(t, err, fault.Unauthenticated)
		_, err = m.ByPlatform(ctx, "cf-eu", fresh)
		must(t, err)
		must(t, m.DeletePlatform(ctx, m.root, "cf-eu"))
		_, err = m.ByPlatform(ctx, "cf-eu", fresh)
		want(t, err, fault.Unauthenticated)
	})
}

func TestTheFormerPasswordOfAPlatformEnds(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := open(t, db), t.Context()
		_, first, err := m.CreatePlatform(ctx, m.root, "cf-eu", "acme", "shop")
		must(t, err)
		plt, second, err := m.RotatePlatform(ctx, m.root, "cf-eu", time.Hour)
		must(t, err)
		if !plt.FormerUntil.Equal(m.clock.now.Add(time.Hour)) {
			t.Fatal(plt)
		}
		for _, password := range []string{first, second} {
			_, err = m.ByPlatform(ctx, "cf-eu", password)
			must(t, err)
		}
		m.clock.now = m.clock.now.Add(time.Hour)
		_, err = m.ByPlatform(ctx, "cf-eu", first)
		want(t, err, fault.Unauthenticated)
		_, third, err := m.RotatePlatform(ctx, m.root, "cf-eu", time.Hour)
		must(t, err)
		_, _, err = m.RotatePlatform(ctx, m.root, "cf-eu", time.Hour) // at most two are good
		must(t, err)
		_, err = m.ByPlatform(ctx, "cf-eu", second)
		want(t, err, fault.Unauthenticated)
		_, err = m.ByPlatform(ctx, "cf-eu", third)
		must(t, err)
		_, _, err = m.RotatePlatform(ctx, m.root, "cf-eu", -time.Second)
		want(t, err, fault.Invalid)
	})
}

func TestAPlaceIsSettledOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := open(t, db), t.Context()
		_, password, err := m.RegisterPlatform(ctx, m.root, directory.NewPlatform{Name: "cf-map", Org: "acme", Project: "shop", Mapped: true})
		must(t, err)
		who, err := m.ByPlatform(ctx, "cf-map", password)
		must(t, err)
		if identity.Can(who, identity.InstanceRead, m.inShop()) {
			t.Fatal("a mapped platform has a role at home")
		}
		at := directory.Place{Org: "o-1", OrgName: "North & South", Space: "s-1", SpaceName: "default"}
		projects := make([]directory.Project, 6)
		var wg sync.WaitGroup
		for n := range projects {
			wg.Go(func() {
				var there identity.Principal
				var err error
				if projects[n], there, err = m.Settle(ctx, who, at); err != nil ||
					!identity.Can(there, identity.InstanceWrite, identity.Scope{Org: projects[n].Org, Project: projects[n].ID}) {
					t.Error(there, err)
				}
			})
		}
		wg.Wait()
		for _, p := range projects {
			if p != projects[0] || p.Name != "default" {
				t.Fatal(projects)
			}
		}
		scope := identity.Scope{Org: projects[0].Org, Project: projects[0].ID}
		if there, err := m.PlatformAt(ctx, who, scope); err != nil || !identity.Can(there, identity.InstanceWrite, scope) {
			t.Fatal(there, err)
		}
		if there, err := m.PlatformAt(ctx, who, m.inShop()); err != nil || identity.Can(there, identity.InstanceRead, m.inShop()) {
			t.Fatal("a role where it has nothing", there, err)
		}
		_, _, err = m.Settle(ctx, who, directory.Place{Org: "", Space: "s"})
		want(t, err, fault.Invalid)
	})
}

func TestProviderKeys(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := open(t, db), t.Context()
		first, err := m.CreateProviderKey(ctx, m.root, "east")
		must(t, err)
		second, err := m.CreateProviderKey(ctx, m.root, "east")
		must(t, err)
		_, err = m.ByToken(ctx, first)
		want(t, err, fault.Unauthenticated)
		who, err := m.ByToken(ctx, second)
		must(t, err)
		if who.Kind != identity.Provider || who.ID != "east" || !identity.Can(who, identity.UsageReport, identity.Scope{}) ||
			identity.Can(who, identity.InstanceRead, m.inShop()) {
			t.Fatal(who)
		}
		_, err = m.CreateProviderKey(ctx, who, "east")
		want(t, err, fault.Forbidden)
	})
}

func TestPasswords(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := open(t, db), t.Context()
		if h, err := m.CheckPassword(ctx, "ROOT@example.com", "correct horse battery"); err != nil || h.ID != m.root.ID {
			t.Fatal(h, err)
		}
		invited := m.member("invited@example.com", identity.Viewer, m.inOrg())
		for _, bad := range [][2]string{
			{"root@example.com", "correct horse batterx"},
			{"nobody@example.com", "correct horse battery"},
			{"invited@example.com", ""},
			{"not an address", "x"},
			{"root@example.com", string(make([]byte, 5000))},
		} {
			_, err := m.CheckPassword(ctx, bad[0], bad[1])
			want(t, err, fault.Unauthenticated)
		}
		want(t, m.SetPassword(ctx, invited.ID, "short"), fault.Invalid)
		must(t, m.SetPassword(ctx, invited.ID, "long enough now"))
		_, err := m.CheckPassword(ctx, "invited@example.com", "long enough now")
		must(t, err)
	})
}

func TestSignIn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := open(t, db), t.Context()
		const upstream = "https://id.example.com"
		invited := m.member("invited@example.com", identity.Viewer, m.inOrg())
		_, err := m.SignIn(ctx, upstream, "s1", "invited@example.com", false, "")
		want(t, err, fault.Forbidden)
		h, err := m.SignIn(ctx, upstream, "s1", "Invited@example.com", true, "Ivy")
		if err != nil || h.ID != invited.ID || h.Name != "Ivy" {
			t.Fatal(h, err)
		}
		if again, err := m.SignIn(ctx, upstream, "s1", "changed@example.com", false, ""); err != nil || again.ID != h.ID {
			t.Fatal("known by issuer and subject, not by email", again, err)
		}
		_, err = m.SignIn(ctx, "https://evil.example.com", "s9", "invited@example.com", true, "")
		want(t, err, fault.Conflict)
		_, err = m.SignIn(ctx, upstream, "s2", "root@example.com", true, "")
		want(t, err, fault.Conflict) // has a password of ours
		own, err := m.SignIn(ctx, directory.OwnIssuer, m.root.ID, "", false, "")
		if err != nil || own.ID != m.root.ID {
			t.Fatal(own, err)
		}
		_, err = m.SignIn(ctx, directory.OwnIssuer, "per_gone", "", true, "")
		want(t, err, fault.Unauthenticated)
	})
}

// What one process knows of a platform is old for moments only: what another process ended ends here too, and what it began is good at once.
func TestAnotherProcessHearsOfARotation(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := open(t, db), t.Context()
		_, first, err := m.CreatePlatform(ctx, m.root, "cf-eu", "acme", "shop")
		must(t, err)
		other := directory.New(directory.Config{DB: db, Audit: &trail{t: t, db: db}, Accounts: &books{linked: map[string]string{}}, Clock: m.clock})
		_, err = other.ByPlatform(ctx, "cf-eu", first)
		must(t, err)
		_, second, err := m.RotatePlatform(ctx, m.root, "cf-eu", 0)
		must(t, err)
		_, err = other.ByPlatform(ctx, "cf-eu", second)
		must(t, err)
		_, err = other.ByPlatform(ctx, "cf-eu", first)
		want(t, err, fault.Unauthenticated)
		must(t, m.DeletePlatform(ctx, m.root, "cf-eu"))
		for late := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			if _, err = other.ByPlatform(ctx, "cf-eu", second); err != nil {
				break
			}
			if time.Now().After(late) {
				t.Fatal("a platform that was deleted is still let in")
			}
		}
		want(t, err, fault.Unauthenticated)
	})
}
