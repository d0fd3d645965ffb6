package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/web/client"
)

// pings lets the app send commands.
func (c *talk) pings(t *testing.T, n int) {
	t.Helper()
	for range n {
		if got := c.say(t, "INCR count"); !strings.HasPrefix(got, ":") {
			t.Fatal(got)
		}
	}
}

// commands is how many commands the server has done since it began, the few of the market among them.
func (c *talk) commands(t *testing.T) (n int64) {
	t.Helper()
	size := 0
	if _, err := fmt.Sscanf(c.say(t, "INFO stats"), "$%d", &size); err != nil {
		t.Fatal(err)
	}
	text := make([]byte, size+2)
	for got := 0; got < len(text); {
		more, err := c.answers.Read(text[got:])
		if err != nil {
			t.Fatal(err)
		}
		got += more
	}
	_, after, _ := strings.Cut(string(text), "total_commands_processed:")
	if _, err := fmt.Sscanf(after, "%d", &n); err != nil {
		t.Fatal(string(text), err)
	}
	return n
}

// TestANodesMetersAreReadByThatNode: two processes on one store, one of which has the Redis server that an app uses. Whichever runs the calendar, what
// the server counted is told and recorded once: while both live, after the node was away for an hour, and after the provider was given to the
// other node, which reclaims what waited for the first.
func TestANodesMetersAreReadByThatNode(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	first := newSite(t, dbtest.Postgres(t), "first", fmt.Sprintf("- {name: redis-here, driver: redis, region: eu, node: first, settings: {dir: %q}}\n", redisFolder(t)))
	second := first.twin(t, "second")
	owner, other := first.run(t), second.run(t)
	i := second.order(t, other, "redis:dev")
	second.awaitReady(t, other, i.ID)
	for _, app := range []string{"web", "late"} {
		if _, err := second.client().CreateApp(t.Context(), client.NewApp{Name: app, Org: devOrg, Project: devProject}); err != nil {
			t.Fatal(err)
		}
	}
	b, err := second.client().Bind(t.Context(), client.NewBinding{Instance: i.ID, App: "web", Org: devOrg, Project: devProject})
	if err != nil {
		t.Fatal(err)
	}
	app := talkTo(t, second.credentials(t, other, b.ID))
	m := &metered{site: second, process: other, t: t, instance: i.ID, metric: "commands", shown: func() int64 { return app.commands(t) }}

	app.pings(t, busy)
	if got := m.counts("while both live", 0); got < busy {
		t.Errorf("%d, and the app sent %d", got, busy)
	}
	before := m.used()
	owner.kill()
	app.pings(t, busy)
	m.hour()
	if got := m.used(); got != before {
		t.Errorf("%d are told of a meter that nobody could read, before %d", got, before)
	}
	owner = first.run(t)
	if got := m.counts("after the node was away", 0); got < 2*busy {
		t.Errorf("%d, and the app sent %d", got, 2*busy)
	}

	owner.kill()
	app.pings(t, busy)
	waiting, err := second.client().Bind(t.Context(), client.NewBinding{Instance: i.ID, App: "late", Org: devOrg, Project: devProject})
	if err != nil {
		t.Fatal(err)
	}
	other.kill()
	second.give(t, "first", "second")
	m.process = second.run(t)
	late := talkTo(t, second.credentials(t, m.process, waiting.ID))
	if got := late.say(t, "GET count"); !strings.HasPrefix(got, "$") {
		t.Errorf("the access that waited is of another server: %s", got)
	}
	if got := m.counts("after another node has it", 0); got < 3*busy {
		t.Errorf("%d, and the app sent %d", got, 3*busy)
	}
}

// give lets a provider of one node be another's, from the next start on.
func (s site) give(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, strings.ReplaceAll(string(text), "region: eu, node: "+from, "region: eu, node: "+to))
}
