package pages_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/providers"
)

// backed makes a backup of an instance and waits for it.
func (h *house) backed(i broker.Instance) broker.Backup {
	h.Helper()
	b, err := h.broker.BackUp(h.Context(), h.as("ada"), i.ID)
	h.ok(err)
	h.until("the backup is ready", func() bool {
		b, err = h.broker.Backup(h.Context(), h.as("ada"), b.ID)
		h.ok(err)
		return b.State == "ready"
	})
	return b
}

// until asks again until something has come about.
func (h *house) until(what string, come func() bool) {
	h.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(30 * time.Second); !come(); {
		select {
		case <-tick.C:
		case <-late:
			h.Fatal("it never came about that ", what)
		}
	}
}

// state is where an instance stands now.
func (h *house) state(name string) broker.Instance {
	h.Helper()
	i, err := h.broker.Instance(h.Context(), h.as("ada"), h.project.ID, name)
	h.ok(err)
	return i
}

// form is one form of the pages, sent by somebody, and what the answer says.
type form struct {
	as, path, typed string
	status          int
	has             []string // in the page, or in the address that it leads to
}

func (h *house) send(forms ...form) {
	h.Helper()
	for _, f := range forms {
		typed, err := url.ParseQuery(f.typed)
		h.ok(err)
		status, text := h.ask("POST", f.as, f.path, typed)
		if status != f.status {
			h.Errorf("%s sends %s to %s: %d, want %d\n%s", f.as, f.typed, f.path, status, f.status, main(text))
		}
		for _, want := range f.has {
			if !strings.Contains(text, want) {
				h.Errorf("%s sends %s to %s: the answer lacks %q\n%s", f.as, f.typed, f.path, want, main(text))
			}
		}
	}
}

const shop = "/o/acme/shop"

func TestSuspendAndResumeForms(t *testing.T) {
	h := newHouse(t)
	h.ready("postgresql", "small", "orders-db")
	at := shop + "/instances/orders-db"
	h.send(
		form{"ada", at + "/suspend", "why=moving+house", 400, []string{"Nothing was suspended", `value="moving house"`, `class="field wrong"`}},
		form{"ada", at + "/suspend", "confirm=yes&why=" + strings.Repeat("x", 501), 400, []string{"at most 500 bytes"}},
		form{"vera", at + "/suspend", "confirm=yes", 403, nil},
		form{"ada", "/o/rival/default/instances/orders-db/suspend", "confirm=yes", 404, []string{"There is no org"}},
		form{"ada", shop + "/instances/nothing/suspend", "confirm=yes", 404, []string{"There is no instance"}},
	)
	if i := h.state("orders-db"); i.State != broker.Ready {
		t.Fatalf("refused forms made it %s", i.State)
	}
	h.send(form{"ada", at + "/suspend", "confirm=yes&why=moving+house", 303, []string{"done=suspend"}})
	h.until("it is suspended", func() bool {
		i := h.state("orders-db")
		return i.State == broker.Suspended && !i.Operation.StartedAt.IsZero()
	})
	if _, text := h.ask("GET", "ada", at, nil); !strings.Contains(text, "By its owners") || !strings.Contains(text, "moving house") || !strings.Contains(text, `/resume#turn"`) {
		t.Errorf("the page does not say why it is suspended:\n%s", main(text))
	}
	h.send(
		form{"ada", at + "/resume", "", 400, []string{"Nothing was resumed"}},
		form{"vera", at + "/resume", "confirm=yes", 403, nil},
		form{"ada", at + "/resume", "confirm=yes", 303, []string{"done=resume"}},
	)
	h.until("it is ready again", func() bool { return h.state("orders-db").State == broker.Ready })
}

func TestPlanForm(t *testing.T) {
	h := newHouse(t)
	h.ready("postgresql", "small", "orders-db")
	at := shop + "/instances/orders-db"
	if _, text := h.ask("GET", "ada", at, nil); !strings.Contains(text, "&#43;€43 a month") || !strings.Contains(text, "−€5 a month") {
		t.Errorf("the page does not say what other plans cost more or less:\n%s", main(text))
	}
	if _, text := h.ask("GET", "vera", at, nil); strings.Contains(text, "Change the plan") || strings.Contains(text, "Back up now") {
		t.Error("who may not is offered to")
	}
	h.send(
		form{"ada", at + "/plan", "", 400, []string{"Choose a plan"}},
		form{"ada", at + "/plan", "plan=huge", 404, []string{"huge"}},
		form{"vera", at + "/plan", "plan=large", 403, nil},
		form{"ada", "/o/rival/default/instances/orders-db/plan", "plan=large", 404, []string{"There is no org"}},
	)
	h.send(form{"ada", at + "/plan", "plan=large", 303, []string{"done=plan"}})
	h.until("it is on the other plan", func() bool { i := h.state("orders-db"); return i.Plan == "large" && i.State == broker.Ready })
	h.send(form{"ada", at + "/plan", "plan=large", 303, []string{"done=same"}})
}

func TestRotateForm(t *testing.T) {
	h := newHouse(t)
	i := h.ready("postgresql", "small", "orders-db")
	b := h.bound(i, "shop-web")
	at := shop + "/instances/orders-db/bindings/" + b.ID + "/rotate"
	h.send(form{"vera", at, "", 403, nil}, form{"ada", shop + "/instances/orders-db/bindings/bnd_0/rotate", "", 404, []string{"There is no binding"}}, form{"ada", at, "", 303, []string{"done=rotate"}})
	h.until("the old credentials have an end", func() bool {
		old, err := h.broker.Binding(h.Context(), h.as("ada"), b.ID)
		h.ok(err)
		return old.State == broker.Expiring
	})
	if _, text := h.ask("GET", "ada", shop+"/instances/orders-db", nil); strings.Count(text, "<span>DATABASE</span>") != 2 || !strings.Contains(text, "until <time") || !strings.Contains(text, `replaced by <a href="#bnd_`) {
		t.Errorf("the page does not show both credentials:\n%s", main(text))
	}
	h.send(form{"ada", at, "", 422, []string{"expiring"}})
}

func TestBackupForms(t *testing.T) {
	h := newHouse(t)
	i := h.ready("postgresql", "small", "orders-db")
	b := h.backed(i)
	at := shop + "/backups/" + b.ID
	if _, text := h.ask("GET", "ada", at, nil); !strings.Contains(text, "lighthouse") || !strings.Contains(text, "as it was") || !strings.Contains(text, `value="harbour:small" checked`) {
		t.Errorf("the page does not offer where to restore:\n%s", main(text))
	}
	h.send(
		form{"ada", shop + "/instances/orders-db/backups", "", 303, []string{"done=backup"}},
		form{"vera", shop + "/instances/orders-db/backups", "", 403, nil},
		form{"ada", at + "/restore", "name=orders-copy", 400, []string{"Nothing was restored", `value="orders-copy"`}},
		form{"ada", at + "/restore", "name=Orders+Copy&to=lighthouse:standard", 400, []string{`value="Orders Copy"`, `value="lighthouse:standard" checked`, `class="field wrong"`}},
		form{"ada", at + "/restore", "name=orders-copy&to=quay:standard", 404, []string{`value="orders-copy"`}},
		form{"vera", at + "/restore", "name=orders-copy&to=lighthouse:standard", 403, nil},
		form{"ada", shop + "/backups/bak_0/restore", "name=orders-copy&to=lighthouse:standard", 404, []string{"There is no backup"}},
		form{"ada", "/o/rival/default/backups/" + b.ID + "/restore", "to=lighthouse:standard", 404, []string{"There is no org"}},
		form{"ada", "/o/acme/default/backups/" + b.ID + "/restore", "to=lighthouse:standard", 404, []string{"There is no backup"}},
	)
	if list, err := h.broker.Instances(t.Context(), h.as("ada"), h.scope()); err != nil || len(list) != 1 {
		t.Fatalf("refused forms made instances: %d, %v", len(list), err)
	}
	h.send(form{"ada", at + "/restore", "name=orders-copy&to=lighthouse:standard", 303, []string{"/instances/orders-copy?done=restore"}})
	h.until("the copy is ready", func() bool { return h.state("orders-copy").State == broker.Ready })
	if i := h.state("orders-copy"); i.Provider != "lighthouse" {
		t.Errorf("the copy lives at %s", i.Provider)
	}
	h.send(
		form{"ada", at + "/delete", "", 400, []string{"Nothing was deleted"}},
		form{"vera", at + "/delete", "confirm=yes", 403, nil},
		form{"ada", at + "/delete", "confirm=yes", 303, []string{"done=unbackup"}},
	)
	h.until("the backup is gone", func() bool { status, _ := h.ask("GET", "ada", at, nil); return status == 404 })
}

func TestCordonForm(t *testing.T) {
	h := newHouse(t)
	h.ready("postgresql", "small", "orders-db")
	at := "/operator/providers/harbour"
	h.send(
		form{"otto", at + "/cordon", "reason=", 400, []string{"1 to 500 bytes"}},
		form{"otto", at + "/cordon", "reason=" + strings.Repeat("y", 501), 400, []string{strings.Repeat("y", 501)}},
		form{"otto", "/operator/providers/nobody/cordon", "reason=test", 404, []string{"There is no provider"}},
		form{"ada", at + "/cordon", "reason=test", 404, []string{"no such page"}},
		form{"ada", at + "/uncordon", "", 404, []string{"no such page"}},
		form{"otto", at + "/cordon", "reason=The+disks+are+being+changed.", 303, []string{"done=cordon"}},
	)
	for path, want := range map[string]string{"/operator/providers": "Uncordon", shop + "/marketplace": "cordoned", shop + "/marketplace?kind=postgresql": `<tr class="shut">`, shop + "/marketplace/pg-east": "cordoned"} {
		as := map[bool]string{true: "otto", false: "ada"}[strings.HasPrefix(path, "/operator")]
		if _, text := h.ask("GET", as, path, nil); !strings.Contains(text, want) || !strings.Contains(text, "The disks are being changed.") {
			t.Errorf("%s does not say that harbour is cordoned, and why:\n%s", path, main(text))
		}
	}
	h.send(form{"otto", at + "/uncordon", "", 303, []string{"done=uncordon"}})
	if _, text := h.ask("GET", "ada", shop+"/marketplace", nil); strings.Contains(text, "cordoned") {
		t.Error("it is still cordoned")
	}
}

func TestInstancePageSaysWhatIsWrong(t *testing.T) {
	h := newHouse(t)
	i := h.ready("postgresql", "small", "orders-db")
	b := h.bound(i, "shop-web")
	h.running(b, "web-1.shop.internal")
	h.bound(h.ready("nats", "standard", "events"), "shop-web")
	h.running(b, "web-2.shop.internal")
	h.postgres.Exceed(i.ID, providers.Excess{Limit: "storage_bytes", Allowed: 10 << 30, Used: 12 << 30})
	h.watch("harbour")
	h.until("it is over its limit", func() bool { return h.state("orders-db").Health == broker.OverLimit })
	_, text := h.ask("GET", "ada", shop+"/instances/orders-db", nil)
	for _, want := range []string{"Over its plan", "<b>12\u00a0GiB</b> of 10\u00a0GiB", "It is suspended at <time", "choose a plan with more room", "web-1.shop.internal", "outdated", "web-2.shop.internal", "current"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q:\n%s", want, main(text))
		}
	}
	if _, text = h.ask("GET", "ada", shop+"/apps/shop-web", nil); !strings.Contains(text, "web-1.shop.internal") || !strings.Contains(text, "outdated") {
		t.Errorf("the app's page lacks its processes:\n%s", main(text))
	}
	h.ok(h.postgres.Destroy(i.ID))
	_, err := h.broker.Reconcile(t.Context(), h.as("otto"), "harbour")
	h.ok(err)
	if _, text = h.ask("GET", "ada", shop+"/instances/orders-db", nil); !strings.Contains(text, "<h2>Degraded</h2>") {
		t.Errorf("the page does not say that it is degraded:\n%s", main(text))
	}
}

// running lets a process of a binding's app report from a host.
func (h *house) running(b broker.Binding, host string) {
	h.Helper()
	_, _, err := h.broker.Join(h.Context(), h.as("ada"), identity.Scope{Org: h.org.ID, Project: h.project.ID, App: b.App}, host)
	h.ok(err)
}

// measures lets a process of a binding's app report how far its backend is.
func (h *house) measures(b broker.Binding, host string, took ...time.Duration) {
	h.Helper()
	c, _, err := h.broker.Join(h.Context(), h.as("ada"), identity.Scope{Org: h.org.ID, Project: h.project.ID, App: b.App}, host)
	h.ok(err)
	for _, d := range took {
		_, err = h.broker.Report(h.Context(), h.as("ada"), c.ID, []broker.Measurement{{Binding: b.ID, Connect: d / 2, First: d}})
		h.ok(err)
	}
}

// offSale lets an offering have sold a plan like one that it sells, until lately.
func (h *house) offSale(offering, like, name string) {
	h.Helper()
	offers, err := h.broker.Market(h.Context(), h.as("ada"))
	h.ok(err)
	for _, o := range offers {
		for _, p := range o.Plans {
			if o.Name != offering || p.Name != like {
				continue
			}
			h.ok(h.db.Tx(h.Context(), func(ctx context.Context) error {
				return h.db.From(ctx).Exec(`INSERT INTO plans (id, offering, doc, off_sale) SELECT id || '-old', offering, replace(doc, '"`+like+`"', '"`+name+`"'), (SELECT max(created_at) FROM instances) FROM plans WHERE id = ?`, p.ID).Error
			}))
		}
	}
}

// watch lets the market look at a provider's limits now, and not when the minute is over.
func (h *house) watch(provider string) {
	h.Helper()
	h.ok(h.db.Tx(h.Context(), func(ctx context.Context) error {
		if err := h.db.From(ctx).Exec("DELETE FROM rounds WHERE kind = 'watch' AND provider = ?", provider).Error; err != nil {
			return err
		}
		return h.engine.Enqueue(ctx, "watch", "watch/"+provider, map[string]string{"Provider": provider}, "")
	}))
}

// long is a name as long as people make them.
const long = "customer-orders-and-shipments-eu-central-1-production"

// worry makes an instance with a long name that has everything: backups, processes, old credentials, more data than its plan holds; one that is
// not at its backend any more, one that is suspended, and a provider that takes nothing new.
func (h *house) worry() {
	h.Helper()
	i := h.ready("postgresql", "small", long)
	b := h.bound(i, "shop-web")
	h.bound(i, "reports")
	for range 12 {
		h.backed(i)
		h.advance(25 * time.Hour)
	}
	h.running(b, "ip-10-83-12-201.eu-central-1.compute.internal")
	_, _, err := h.broker.Rotate(h.Context(), h.as("ada"), b.ID)
	h.ok(err)
	h.until("the credentials are rotated", func() bool {
		old, err := h.broker.Binding(h.Context(), h.as("ada"), b.ID)
		h.ok(err)
		return old.State == broker.Expiring
	})
	h.measures(b, "worker-7f9c6d5b8-x2k4q", 910*time.Microsecond, 870*time.Microsecond, 2300*time.Microsecond)
	h.offSale("pg-east", "standard", "classic")
	h.postgres.Exceed(i.ID, providers.Excess{Limit: "storage_bytes", Allowed: 10 << 30, Used: 13_421_772_800}, providers.Excess{Limit: "connections", Allowed: 40, Used: 40, Held: true})
	h.watch("harbour")
	h.until("it is over its limit", func() bool { return h.state(long).Health == broker.OverLimit })
	lost := h.ready("postgresql", "dev", "analytics")
	h.ok(h.postgres.Destroy(lost.ID))
	_, err = h.broker.Reconcile(h.Context(), h.as("otto"), "harbour")
	h.ok(err)
	paused := h.ready("nats", "standard", "campaign-bus")
	_, err = h.broker.Suspend(h.Context(), h.as("ada"), paused.ID, "The campaign is over until spring.")
	h.ok(err)
	h.until("it is suspended", func() bool { return h.state("campaign-bus").State == broker.Suspended })
	ledger := h.ready("postgresql", "small", "ledger-db")
	h.bound(ledger, "reports")
	h.renamed = h.half(h.moves(ledger, "moved").Instance)
	away := h.postgres.Hang("suspend")
	h.Cleanup(away.Release)
	h.moves(h.ready("postgresql", "dev", "catalog-db"), "suspending")
	h.ok(h.broker.Cordon(h.Context(), h.as("otto"), "lighthouse", "The disks of rack 4 are being changed; back on Thursday."))
}

func TestMarketShowsWhatIsOffSale(t *testing.T) {
	h := newHouse(t)
	h.ready("postgresql", "small", "orders-db")
	h.offSale("pg-east", "standard", "classic")
	for _, path := range []string{shop + "/marketplace?kind=postgresql", shop + "/marketplace/pg-east", shop + "/marketplace/postgresql"} {
		h.reads("ada", path, []string{"classic", "off sale", "lighthouse does not sell it any more. Off sale since", "what lives on it goes on"}, nil)
	}
	if _, text := h.ask("GET", "ada", shop+"/marketplace/pg-east", nil); strings.Contains(text, "plan=classic") || !strings.Contains(text, "plan=standard") {
		t.Errorf("what is off sale can be chosen:\n%s", main(text))
	}
	h.send(form{"ada", shop + "/marketplace/pg-east/new", "plan=classic&name=old-db", 422, []string{"does not sell the plan classic any more", `value="old-db"`}})
	if status, _ := h.ask("GET", "ada", shop+"/instances/old-db", nil); status != 404 {
		t.Error("another plan was bought than the one that was asked for")
	}
}
