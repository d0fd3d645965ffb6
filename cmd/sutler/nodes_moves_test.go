package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/web/client"
)

// dedicatedFolder is a folder for PostgreSQL servers that outlive the market, of which none is left when the test has ended.
func dedicatedFolder(t *testing.T) string {
	t.Helper()
	if err := local.Ensure(t.Context(), "postgresql"); err != nil {
		t.Fatal(err)
	}
	return ownFolder(t, "postgresql")
}

// startCoasts starts two processes on one store, each with Redis and PostgreSQL servers of its own that only it reaches, and an app.
func startCoasts(t *testing.T) (first, second *twice) {
	t.Helper()
	var text strings.Builder
	for node, side := range map[string]string{"first": "a", "second": "b"} {
		fmt.Fprintf(&text, `- {name: rd-%[1]s, driver: redis, region: %[1]s, node: %[2]s, settings: {dir: %[3]s}, offerings: [{offering: redis, name: rd-%[1]s, plans: [{name: dev}]}]}
- {name: pg-%[1]s, driver: postgres, region: %[1]s, node: %[2]s, settings: {dedicated: {dir: %[4]s}}, offerings: [{offering: postgresql-dedicated, name: pg-%[1]s, plans: [{name: dev}]}]}
`, side, node, redisFolder(t), dedicatedFolder(t))
	}
	folder := t.TempDir()
	fmt.Fprintf(&text, "backups: {folder: %s}\n", folder)
	s := newSite(t, dbtest.Postgres(t), "first", text.String())
	at := client.Place{Org: devOrg, Project: devProject}
	first, second = &twice{site: s, t: t, at: at, folder: folder}, &twice{site: s.twin(t, "second"), t: t, at: at, folder: folder}
	first.process, second.process = first.run(t), second.run(t)
	if _, err := first.client().CreateApp(t.Context(), client.NewApp{Name: "guestbook", Org: devOrg, Project: devProject}); err != nil {
		t.Fatal(err)
	}
	return first, second
}

// TestDataGoFromNodeToNode restores and moves what an app wrote from servers of one node to servers of another, which no process reaches both of,
// and kills one node in the middle of each move: that which has the data, and that which gets them.
func TestDataGoFromNodeToNode(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts servers")
	}
	t.Parallel()
	first, second := startCoasts(t)
	for _, k := range []struct {
		name, plan, alias string
		kept              kept
		victim            *twice
	}{{"rd", "dev", "RD", redisKey(), first}, {"pg", "dev", "PG", postgresTable(), second}} {
		second.buy(k.name+"-a:"+k.plan, k.name, k.alias)
		text := secretText + " " + k.name
		k.kept.put(t, second.vars(), k.alias, text)
		second.restored(first.backedUp(k.name), k.name+"-b", k.alias+"_COPY")
		if got := k.kept.get(t, second.vars(), k.alias+"_COPY"); got != text {
			t.Errorf("%s: the copy holds %q", k.name, got)
		}
		first.crosses(second, k.victim, k.name, k.alias, k.kept)
	}
	first.nothingInClear(first.folder)
}

// crosses moves an instance to the other node while one of both is killed, takes that back, and moves it for good.
func (m *twice) crosses(other, victim *twice, name, alias string, k kept) {
	t := m.t
	t.Helper()
	text, old := secretText+" "+name, other.vars()
	to := client.Relocation{Provider: name + "-b"}
	if _, err := other.client().MoveInstance(t.Context(), m.at, name, to); err != nil {
		t.Fatal(err)
	}
	victim.kill()
	victim.process = victim.run(t)
	mv := m.comes(name, "moved")
	if mv.Bytes == 0 || len(mv.Copied) == 0 || fmt.Sprint(mv.Copied) != fmt.Sprint(mv.Counted) {
		t.Errorf("%+v", mv)
	}
	now := m.vars()
	if len(now) != len(old) || now[alias+"_URL"] == old[alias+"_URL"] || k.get(t, now, alias) != text {
		t.Errorf("%s: %d variables, before %d", name, len(now), len(old))
	}
	k.put(t, now, alias, "written since")
	if _, err := m.client().RollBackMove(t.Context(), m.at, name, client.Return{Name: name}); err != nil {
		t.Fatal(err)
	}
	m.comes(mv.Instance, "rolled back")
	m.awaitReady(t, m.process, mv.Instance)
	if back := other.vars(); back[alias+"_URL"] != old[alias+"_URL"] || k.get(t, back, alias) != text {
		t.Errorf("%s is not as it was", name)
	}
	if _, err := m.client().MoveInstance(t.Context(), m.at, name, to); err != nil {
		t.Fatal(err)
	}
	other.comes(name, "moved")
	if _, err := other.client().ConfirmMove(t.Context(), m.at, name); err != nil {
		t.Fatal(err)
	}
	m.await(t, "end of the old instance", func() bool {
		i, err := m.client().Instance(t.Context(), m.at, mv.Instance)
		return err != nil || i.State == "gone"
	})
	if got := k.get(t, m.vars(), alias); got != text {
		t.Errorf("%s: after all it holds %q", name, got)
	}
}
