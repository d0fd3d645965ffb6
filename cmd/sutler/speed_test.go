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
	sizes         []int
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
	var store string
	if path := os.Getenv("SUTLER_BENCH"); path != "" {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		server, err := local.PostgreSQL(t.Context(), t.TempDir(), "bench", false) // it flushes, as in production
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Stop() })
		scale, store, out = speedWhole, "postgres://sutler:bench@"+server.Address+"/postgres", f
	} else {
		store = dbtest.Postgres(t)
	}
	b := newBench(t, scale, store, out)
	b.catalog()
	b.reads()
	b.accepts()
	b.sizes()
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
		rig.as(client.Platform{Name: "few", Project: "few"}).open()
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
	b.buyer.open()
	return b
}

func (b *bench) rate(f func() error) func() float64 {
	return func() float64 { b.t.Helper(); return rate(b.t, b.scale.lasts, f) }
}

func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.out, format+"\n", args...) }

func (b *bench) catalog() {
	medians, ratios := interleaved(b.scale.rounds, b.rate(b.rig.get("/v2/catalog")), b.rate(b.rig.bareCatalog()))
	b.say("| what | a second | beside | a second | ratio | wanted |\n|---|---:|---|---:|---:|---:|")
	b.say("| `GET /v2/catalog` with %d plans | %.0f | brokerapi v10.2.0 alone, the same catalog in memory | %.0f | %.2f | ≥ 0.7 |", b.scale.plans, medians[0], medians[1], ratios[0])
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
	medians, ratios := interleaved(b.scale.rounds, b.rate(b.rig.get("/v2/service_instances/"+b.instance+"/last_operation")), b.rate(b.rig.bareRead(b.operation())))
	b.say("| `GET …/last_operation` | %.0f | a bare handler with one read by primary key | %.0f | %.2f | ≥ 0.5 |", medians[0], medians[1], ratios[0])
}

func (b *bench) accepts() {
	if pgbench() == "" {
		b.say("| a provision accepted (202), workers idle | | pgbench is not installed | | | ≥ 0.25 |")
		return
	}
	script := b.buyer.scriptOf(b.db)
	medians, ratios := interleaved(b.scale.rounds, b.rate(b.buyer.accept), func() float64 {
		return runPgbench(b.t, b.site.store, script, max(1, int(b.scale.lasts/time.Second)))
	})
	b.say("| a provision accepted (202), workers idle | %.0f | pgbench with the same inserts in one transaction | %.0f | %.2f | ≥ 0.25 |", medians[0], medians[1], ratios[0])
	forget(b.t, b.db)
	b.t.Run("with workers", func(t *testing.T) { b.busy(t, script) }) // which end with it
	b.say("| the same through the `osb` driver | | | | | |")
}

// busy measures accepting beside a second process of the same market, which works on all that was accepted.
func (b *bench) busy(t *testing.T, script string) {
	newSpeedRig(t, b.site.twin(t, "second"), false)
	medians, ratios := interleaved(b.scale.rounds, b.rate(b.buyer.accept), func() float64 {
		defer forget(t, b.db)
		return runPgbench(t, b.site.store, script, max(1, int(b.scale.lasts/time.Second)))
	})
	b.say("| the same, workers of a second process busy with them | %.0f | the same | %.0f | %.2f | |", medians[0], medians[1], ratios[0])
}

// sizes measures the same requests with more and more instances in the store. What the machine does meanwhile is taken out by a bare handler
// that reads one row, measured in the same rounds.
func (b *bench) sizes() {
	path := "/v2/service_instances/" + b.instance
	names := []string{"`GET /v2/catalog`", "`GET …/last_operation`", "`GET /v2/service_instances/…`", "a provision accepted", "one project's instances, 100 of them"}
	measures := []func() float64{
		b.rate(b.rig.get("/v2/catalog")), b.rate(b.rig.get(path + "/last_operation")), b.rate(b.rig.get(path)), b.rate(b.buyer.accept),
		b.rate(b.rig.list(b.org, b.project)), b.rate(b.rig.bareRead(b.operation())),
	}
	head, line := "\n| µs a request, with so many instances in the store |", "|---|"
	cost, share := make([][]float64, len(names)), make([][]float64, len(names))
	for _, size := range b.scale.sizes {
		fill(b.t, b.db, b.ours, size)
		medians, ratios := interleaved(b.scale.rounds, measures...)
		head, line = head+fmt.Sprintf(" %d |", size), line+"---:|"
		for n := range names {
			cost[n], share[n] = append(cost[n], 1e6/medians[n]), append(share[n], 1/ratios[n])
		}
	}
	b.say("%s growth | beside a bare read |\n%s---:|---:|", head, line)
	for n, name := range names {
		row := "| " + name + " |"
		for _, us := range cost[n] {
			row += fmt.Sprintf(" %.0f |", us)
		}
		last := len(b.scale.sizes) - 1
		b.say("%s %.2f | %.2f |", row, cost[n][last]/cost[n][0], share[n][last]/share[n][0])
	}
}
