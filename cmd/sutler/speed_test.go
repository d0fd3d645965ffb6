package main

import (
	"database/sql"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/web/client"
)

// speedScale says how much is measured. A sample shows that the measuring works; figures come from the whole.
type speedScale struct {
	plans, rounds int
	lasts         time.Duration
	sizes         []int // of the stores that are compared: in many short rounds
}

var (
	speedSample = speedScale{plans: 40, rounds: 1, lasts: 50 * time.Millisecond, sizes: []int{200, 400}}
	speedWhole  = speedScale{plans: 1000, rounds: 5, lasts: time.Second, sizes: []int{1_000, 31_623, 1_000_000}}
)

// TestSpeed measures the platforms' protocol beside what it stands on. SUTLER_BENCH names the file that the whole is reported to; without it a
// sample runs, whose figures mean nothing. It asserts no speed: scripts/bench.sh writes the table, and people read it.
func TestSpeed(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts servers")
	}
	scale, out := speedSample, io.Discard
	store := func() string { return dbtest.Postgres(t) }
	if path := os.Getenv("SUTLER_BENCH"); path != "" {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		scale, store, out = speedWhole, flushing(t), f
	}
	b := newBench(t, scale, store(), out)
	b.catalog()
	b.reads()
	b.accepts(store())
	t.Run("through the osb driver", func(t *testing.T) { b.sold(t, store) })
	sizes(t, scale, store, out)
}

// flushing starts a PostgreSQL that flushes, as in production, and gives the address of another new database with each call.
func flushing(t *testing.T) func() string {
	t.Helper()
	server, err := local.PostgreSQL(t.Context(), t.TempDir(), "bench", false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	address := "postgres://sutler:bench@" + server.Address + "/"
	db, err := sql.Open("pgx", address+"postgres")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	n := 0
	return func() string {
		n++
		name := fmt.Sprintf("market_%d", n)
		if _, err := db.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
			t.Fatal(err)
		}
		return address + name
	}
}

// bench is one run: a market with idle workers, a few instances that were made before, and where the table goes.
type bench struct {
	t        *testing.T
	scale    speedScale
	out      io.Writer
	db       *sql.DB
	site     site
	rig      *speedRig // asks as the platform of the hundred
	buyer    *speedRig // the same market, asked by a platform whose orders go to another project
	instance string    // one that is ready, by the platform's id; and ours
	ours     string
	org      string
	project  string // which has a hundred of them
}

func newBench(t *testing.T, scale speedScale, store string, out io.Writer) *bench {
	t.Helper()
	db, err := sql.Open("pgx", store)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	b := &bench{t: t, scale: scale, out: out, db: db, instance: "few-7"}
	var provider strings.Builder
	provider.WriteString("- name: fakes\n  driver: fake\n  region: here\n  settings: {dir: " + t.TempDir() + "}\n  offerings:\n  - plans:\n    - {name: sync}\n    - {name: async}\n")
	for n := range scale.plans - 2 {
		fmt.Fprintf(&provider, "    - {name: plan-%d, from: async, title: Plan %d, rates: [{name: base, model: fixed, amount: \"5.00\", per: month, hours: 672}]}\n", n, n)
	}
	b.site = newSite(t, store, "first", provider.String())
	var few client.Platform
	t.Run("a hundred instances", func(t *testing.T) { // and its market is closed again: the workers are idle from here on
		rig := newSpeedRig(t, b.site, false)
		if _, err := b.site.client().CreateProject(t.Context(), client.NewProject{Org: devOrg, Name: "few"}); err != nil {
			t.Fatal(err)
		}
		rig.as(client.Platform{Name: "few", Project: "few"}).open("sync")
		for n := range 100 {
			if status := rig.order(fmt.Sprintf("few-%d", n), "sync"); status != 201 {
				t.Fatal(status)
			}
		}
		if status, body := rig.ask("PUT", "/v2/service_instances/"+b.instance+"/service_bindings/b", fmt.Sprintf(`{"service_id":%q,"plan_id":%q}`, rig.service, rig.plans["sync"])); status != 201 {
			t.Fatalf("%d %s", status, body)
		}
		few = rig.platform
	})
	if t.Failed() {
		t.FailNow()
	}
	if err := db.QueryRowContext(t.Context(), `SELECT id, org, project FROM instances WHERE platform_instance = $1`, b.instance).Scan(&b.ours, &b.org, &b.project); err != nil {
		t.Fatal(err)
	}
	b.rig = newSpeedRig(t, b.site, true).as(few)
	buyer := *b.rig
	buyer.plans = map[string]string{}
	if _, err := b.site.client().CreateProject(t.Context(), client.NewProject{Org: devOrg, Name: "many"}); err != nil {
		t.Fatal(err)
	}
	b.buyer = buyer.as(client.Platform{Name: "many", Project: "many"})
	b.buyer.open("async")
	return b
}

func (b *bench) rate(f func() error) func() float64 {
	return func() float64 { b.t.Helper(); return rate(b.t, b.scale.lasts, f) }
}

func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.out, format+"\n", args...) }

// beside writes the row of two things that were measured in turns.
func (b *bench) beside(what, other, wanted string, ours, theirs func() float64) {
	r := turns(b.scale.rounds, ours, theirs)
	b.say("| %s | %.0f | %s | %.0f | %.2f | %s |", what, r.median(0), other, r.median(1), r.ratio(0, 1), wanted)
}

func (b *bench) catalog() {
	b.say("| what | a second | beside | a second | ratio | wanted |\n|---|---:|---|---:|---:|---:|")
	b.beside(fmt.Sprintf("`GET /v2/catalog` with %d plans", b.scale.plans), "brokerapi v10.2.0 alone, the same catalog in memory", "≥ 0.7",
		b.rate(b.rig.get("/v2/catalog")), b.rate(b.rig.bareCatalog()))
}

func (b *bench) operation() string {
	b.t.Helper()
	var id string
	if err := b.db.QueryRowContext(b.t.Context(), `SELECT operation FROM instances WHERE id = $1`, b.ours).Scan(&id); err != nil {
		b.t.Fatal(err)
	}
	return id
}

func (b *bench) reads() {
	b.beside("`GET …/last_operation`", "a bare handler with one read by primary key", "≥ 0.5",
		b.rate(b.rig.get("/v2/service_instances/"+b.instance+"/last_operation")), b.rate(b.rig.bareRead(b.operation())))
}

// accepts measures the accepting of provisions, with workers that are idle and with busy ones. pgbench has a market's store of its own, in which
// nobody works.
func (b *bench) accepts(store string) {
	if pgbench() == "" {
		b.say("| a provision accepted (202), workers idle | | pgbench is not installed | | | ≥ 0.25 |")
		return
	}
	newSite(b.t, store, "nobody", "- {name: fakes, driver: fake, region: here}\n") // which makes its tables
	script := b.buyer.scriptOf(b.db)
	bare := func() float64 { return runPgbench(b.t, store, script, max(1, int(b.scale.lasts/time.Second))) }
	b.beside("a provision accepted (202), workers idle", "pgbench with the same inserts in one transaction", "≥ 0.25", b.rate(b.buyer.accept), bare)
	b.t.Run("with workers", func(t *testing.T) { // which end with it
		newSpeedRig(t, b.site.twin(t, "second"), false)
		b.beside("the same, workers of a second process busy with them", "the same", "", b.rate(b.buyer.accept), bare)
	})
}

// sold measures whole provisions at a market that sells another one's plans, beside the same asked of that one.
func (b *bench) sold(t *testing.T, store func() string) {
	open := func(provider string) *speedRig {
		rig := newSpeedRig(t, newSite(t, store(), "first", provider), false)
		rig.as(client.Platform{Name: "buyer", Project: devProject}).open("sync")
		return rig
	}
	far := open("- {name: fakes, driver: fake, region: here, settings: {dir: " + t.TempDir() + "}}\n")
	near := open(fmt.Sprintf("- name: far\n  driver: osb\n  region: afar\n  settings: {url: %q, username: %q, password: %q, poll: 100ms}\n"+
		"  offerings:\n  - offering: fake\n    plans: [{name: sync}]\negress: [127.0.0.0/8]\n", far.site.url, far.platform.Name, far.platform.Password))
	b.beside("a provision done (201) through the `osb` driver", "the same at its upstream, another market", "", b.rate(near.provision), b.rate(far.provision))
}

// sizes measures the same requests at markets that differ in the number of their instances alone, all of them in each round: so the machine's
// other work disturbs all alike.
func sizes(t *testing.T, scale speedScale, store func() string, out io.Writer) {
	t.Helper()
	names := []string{"`GET /v2/catalog`", "`GET …/last_operation`", "`GET /v2/service_instances/…`", "a provision accepted", "one project's instances, 100 of them"}
	head, line := "\n| µs a request, with so many instances in the store |", "|---|"
	var measures []func() float64
	for _, size := range scale.sizes {
		b := newBench(t, scale, store(), out)
		b.scale.lasts /= 4
		fill(t, b.db, b.ours, size)
		path := "/v2/service_instances/" + b.instance
		measures = append(measures, b.rate(b.rig.get("/v2/catalog")), b.rate(b.rig.get(path+"/last_operation")), b.rate(b.rig.get(path)), b.rate(b.buyer.accept),
			b.rate(b.rig.list(b.org, b.project)))
		head, line = head+fmt.Sprintf(" %d |", size), line+"---:|"
	}
	got := turns(4*scale.rounds, measures...)
	fmt.Fprintf(out, "%s growth |\n%s---:|\n", head, line)
	for n, name := range names {
		row, last := "| "+name+" |", len(measures)-len(names)+n
		for m := n; m < len(measures); m += len(names) {
			row += fmt.Sprintf(" %.0f |", 1e6/got.median(m))
		}
		fmt.Fprintf(out, "%s %.2f |\n", row, got.ratio(n, last))
	}
}
