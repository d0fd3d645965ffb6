package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/providers/fake"
	"github.com/sutlerhq/sutler/web/client"
)

// nextMigrations are what the version after this one adds to the schema.
var nextMigrations = map[string]string{
	"00398_next_column.sql": "-- +goose Up\nALTER TABLE instances ADD COLUMN next_note TEXT NOT NULL DEFAULT 'new';\nCREATE INDEX next_by_note ON instances (next_note);\n-- +goose Down\nALTER TABLE instances DROP COLUMN next_note;\n",
	"00399_next_table.sql":  "-- +goose Up\nCREATE TABLE next_things (id TEXT PRIMARY KEY, instance TEXT NOT NULL);\nINSERT INTO next_things (id, instance) SELECT id, id FROM instances;\n-- +goose Down\nDROP TABLE next_things;\n",
}

// nextProgram is the version after this one: the same program with two migrations more, which the build is told lie beside the others.
var nextProgram = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "sutler-next-")
	if err != nil {
		return "", err
	}
	folder, err := filepath.Abs("../../migrations")
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for name, text := range nextMigrations {
		replace[filepath.Join(folder, name)] = filepath.Join(dir, name)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "sutler")
	if out, err := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// startNext starts the market with the version after this one.
func (s site) startNext(t *testing.T, failpoints string) *process {
	t.Helper()
	path, err := nextProgram()
	if err != nil {
		t.Fatal(err)
	}
	return startProgram(t, path, failpoints, "serve", "--config", s.config)
}

func (s site) runNext(t *testing.T) *process {
	t.Helper()
	p := s.startNext(t, "")
	p.await(t, "ready market", func() bool { return answersAt(s.url + "/readyz") })
	return p
}

// customer goes through one door of one process again and again: an instance ordered, ready, destroyed, gone.
type customer struct {
	site
	name     string
	platform client.Platform // OSB's door; without a name the API's
	plan     client.Plan
	offering string
	rounds   atomic.Int64
}

// TestTwoVersionsSideBySide: an old process serves, a new one joins and widens the schema, both serve orders through both doors, the old one goes
// and leaves work behind. No request fails that would not have failed with one version, and every operation ends well.
func TestTwoVersionsSideBySide(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	dir := t.TempDir()
	former := newSite(t, dbtest.Postgres(t), "first", fakeProvider(dir))
	next := former.twin(t, "second")
	if _, err := nextProgram(); err != nil { // built before there is traffic
		t.Fatal(err)
	}
	was := former.run(t)
	kept := former.order(t, was, "fake:sync")
	former.awaitReady(t, was, kept.ID)
	stopOld, stopNew := make(chan struct{}), make(chan struct{})
	var leaving, working sync.WaitGroup
	old := former.customers(t, was, "old")
	old.trade(t, &leaving, stopOld)
	old.traded(t, was, 1)

	is := next.runNext(t)
	if n := next.count(t, "SELECT count(*) FROM instances WHERE next_note = 'new'"); n == 0 {
		t.Error("the new process has not widened the schema")
	}
	since := old.rounds()
	fresh := next.customers(t, is, "new")
	fresh.trade(t, &working, stopNew)
	fresh.traded(t, is, 1)
	old.traded(t, was, since+1)

	close(stopOld)
	leaving.Wait()
	last, err := former.client().CreateInstance(t.Context(), client.NewInstance{Want: "fake:async", Org: devOrg, Project: devProject, Name: "last"})
	if err != nil { // it is left to the new one
		t.Fatal(err)
	}
	if code := was.stop(t); code != exitOK {
		t.Errorf("the old process ended with %d", code)
	}
	next.awaitReady(t, is, last.ID)
	fresh.traded(t, is, fresh.rounds()+1)
	close(stopNew)
	working.Wait()
	next.endedWell(t, is, dir, 2)
	t.Logf("through the old process %d rounds at the slower door, %d of them beside the new one; through the new one %d", old.rounds(), old.rounds()-since, fresh.rounds())

	// The next release narrows. The old program may not come back.
	next.execute(t, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (499, TRUE); INSERT INTO contracts (version) VALUES (499)")
	refused := start(t, "serve", "--config", former.config)
	if code := refused.wait(t); code != exitConflict || !strings.Contains(refused.out.String(), "00499") || !strings.Contains(refused.out.String(), "newer") {
		t.Errorf("a store that was narrowed: it ended with %d", code)
	}
}

// endedWell tells what was lost, failed, charged twice or left behind, when kept instances are still there.
func (s site) endedWell(t *testing.T, p *process, dir string, kept int) {
	t.Helper()
	p.await(t, "rest", func() bool {
		return s.count(t, "SELECT count(*) FROM operations WHERE live = 1") == 0 && s.count(t, "SELECT count(*) FROM tasks WHERE kind = 'operation'") == 0
	})
	all := s.count(t, "SELECT count(*) FROM instances")
	for query, want := range map[string]int{
		"SELECT count(*) FROM operations WHERE state <> 'succeeded'":                  0,
		"SELECT count(*) FROM instances WHERE state NOT IN ('gone', 'ready')":         0,
		"SELECT count(*) FROM instances WHERE state = 'ready'":                        kept,
		"SELECT count(*) FROM intervals":                                              all,
		"SELECT count(DISTINCT instance) FROM intervals":                              all,
		"SELECT count(*) FROM intervals WHERE ended_at = 0":                           kept,
		"SELECT count(*) - count(DISTINCT version_id) FROM goose_db_version":          0,
		"SELECT count(*) FROM goose_db_version WHERE version_id IN (398, 399)":        2,
		"SELECT count(*) FROM next_things WHERE id NOT IN (SELECT id FROM instances)": 0,
	} {
		if n := s.count(t, query); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
	if left, err := fake.New(fake.Options{Dir: dir}).Leftovers(); err != nil || len(left) != kept {
		t.Error("at the backend:", left, err)
	}
}

// execute changes the store beside the market.
func (s site) execute(t *testing.T, query string) {
	t.Helper()
	db, err := database.Open(t.Context(), s.store, "FULL")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for q := range strings.SplitSeq(query, ";") {
		if _, err := db.W.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
}

type customers []*customer

// customers stand at both doors of a process.
func (s site) customers(t *testing.T, p *process, name string) customers {
	t.Helper()
	platform, err := s.client().CreatePlatform(t.Context(), client.NewPlatform{Name: name, Org: devOrg, Project: devProject})
	if err != nil {
		t.Fatal(err)
	}
	osb := &customer{site: s, name: name + "-osb", platform: platform}
	p.await(t, "offering", func() bool {
		list, err := s.client().Market(t.Context())
		if err != nil || len(list) != 1 {
			return false
		}
		for _, plan := range list[0].Plans {
			if plan.Name == "sync" {
				osb.offering, osb.plan = list[0].ID, plan
			}
		}
		return osb.offering != ""
	})
	return customers{osb, {site: s, name: name + "-api"}}
}

func (c customers) trade(t *testing.T, working *sync.WaitGroup, stop chan struct{}) {
	for _, one := range c {
		working.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := one.round(t); err != nil && t.Context().Err() == nil {
					t.Errorf("%s, round %d: %v", one.name, one.rounds.Load(), err)
					return
				}
				one.rounds.Add(1)
			}
		})
	}
}

// rounds is how often the slower of the two came round.
func (c customers) rounds() int64 { return min(c[0].rounds.Load(), c[1].rounds.Load()) }

func (c customers) traded(t *testing.T, p *process, rounds int64) {
	t.Helper()
	p.await(t, "traffic", func() bool { return t.Failed() || c.rounds() >= rounds })
	if t.Failed() {
		t.FailNow()
	}
}

func (c *customer) round(t *testing.T) error {
	if c.platform.Name == "" {
		return c.roundAPI(t)
	}
	path := fmt.Sprintf("/v2/service_instances/%s-%d", c.name, c.rounds.Load())
	ids := "service_id=" + c.offering + "&plan_id=" + c.plan.ID
	body := fmt.Sprintf(`{"service_id":%q,"plan_id":%q,"organization_guid":"o","space_guid":"s"}`, c.offering, c.plan.ID)
	if err := c.ask(t, http.MethodPut, path, "?accepts_incomplete=true", body, http.StatusOK); err != nil {
		return err
	}
	return c.ask(t, http.MethodDelete, path, "?accepts_incomplete=true&"+ids, "", http.StatusGone)
}

// ask sends a platform's request until it was done.
func (c *customer) ask(t *testing.T, method, path, query, body string, done int) error {
	for {
		status, text := askOSB(t.Context(), c.site, c.platform, method, path+query, body)
		switch status {
		case done:
			return nil
		case http.StatusOK, http.StatusCreated, http.StatusAccepted:
		case http.StatusServiceUnavailable: // the provider of a fresh process may not have been asked yet
		default:
			return fmt.Errorf("%s %s answered %d: %s", method, path, status, text)
		}
		select {
		case <-t.Context().Done():
			return t.Context().Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (c *customer) roundAPI(t *testing.T) error {
	api, place := c.client(), client.Place{Org: devOrg, Project: devProject}
	made, err := api.CreateInstance(t.Context(), client.NewInstance{Want: "fake:sync", Org: devOrg, Project: devProject, Name: fmt.Sprintf("%s-%d", c.name, c.rounds.Load())})
	if refused, ok := errors.AsType[*client.Error](err); ok && refused.Status == http.StatusServiceUnavailable {
		<-time.After(20 * time.Millisecond)
		return c.roundAPI(t)
	}
	for _, want := range []string{"ready", "gone"} {
		for state := ""; err == nil && state != want; <-time.After(20 * time.Millisecond) {
			var i client.Instance
			if i, err = api.Instance(t.Context(), place, made.ID); want == "gone" && gone(err) == nil && err != nil {
				err, i.State = nil, "gone"
			}
			if state = i.State; state == "failed" {
				err = fmt.Errorf("it failed: %s", i.Note)
			}
		}
		if err == nil && want == "ready" {
			_, err = api.DestroyInstance(t.Context(), made.ID)
		}
	}
	return err
}

// TestKilledWhileMigrating: the new version dies by kill -9 in the midst of its second migration. The old one could start again; the new one goes on
// where it was, also when two processes of it start at once. What was in the store is in it.
func TestKilledWhileMigrating(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	eachStore(t, func(t *testing.T, store string) {
		dir := t.TempDir()
		s := newSite(t, store, "first", fakeProvider(dir))
		p := s.run(t)
		kept := s.order(t, p, "fake:sync")
		s.awaitReady(t, p, kept.ID)
		p.stop(t)
		p = s.startNext(t, "schema.migration.recording=kill@2")
		if code := p.wait(t); code != -1 {
			t.Fatal("it was not killed:", code)
		}
		for query, want := range map[string]int{
			"SELECT count(*) FROM goose_db_version WHERE version_id = 398": 1, // finished, it stays
			"SELECT count(*) FROM goose_db_version WHERE version_id = 399": 0,
		} {
			if n := s.count(t, query); n != want {
				t.Errorf("%s: %d, want %d", query, n, want)
			}
		}
		p = s.run(t) // the old version, on a store that is wider by one of two
		s.awaitReady(t, p, kept.ID)
		p.stop(t)
		two := []*process{s.startNext(t, "")}
		if strings.HasPrefix(store, "postgres") {
			other := s.twin(t, "second")
			two = append(two, other.startNext(t, ""))
			two[1].await(t, "ready market", func() bool { return answersAt(other.url + "/readyz") })
		}
		two[0].await(t, "ready market", func() bool { return answersAt(s.url + "/readyz") })
		s.awaitReady(t, two[0], kept.ID)
		s.endedWell(t, two[0], dir, 1)
		if n := s.count(t, "SELECT count(*) FROM next_things"); n != 1 {
			t.Errorf("the rows that the migration copies are there %d times", n)
		}
		if strings.HasPrefix(store, "sqlite") { // a second process is refused before it looks at the schema
			p := s.twin(t, "second").startNext(t, "")
			if code := p.wait(t); code != exitConflict {
				t.Errorf("the second process ended with %d", code)
			}
		}
	})
}
