package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/web/client"
)

// talk is an app's connection to its Redis server.
type talk struct {
	net.Conn
	answers *bufio.Reader
}

func talkTo(t *testing.T, credentials map[string]any) *talk {
	t.Helper()
	conn, err := net.Dial("tcp", net.JoinHostPort(fmt.Sprint(credentials["host"]), fmt.Sprint(credentials["port"])))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Minute))
	c := &talk{conn, bufio.NewReader(conn)}
	if got := c.say(t, fmt.Sprintf("AUTH %s %s", credentials["username"], credentials["password"])); got != "+OK" {
		t.Fatalf("the login is refused: %s", got)
	}
	return c
}

// say sends a command and gives the first line of the answer, or what is wrong with the connection.
func (c *talk) say(t *testing.T, command string) string {
	t.Helper()
	if _, err := c.Write([]byte(command + "\r\n")); err != nil {
		return err.Error()
	}
	line, err := c.answers.ReadString('\n')
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(line)
}

// redisFolder is a folder for detached servers, of which none is left when the test has ended.
func redisFolder(t *testing.T) string {
	t.Helper()
	if err := local.Ensure(t.Context(), "redis"); err != nil {
		t.Fatal(err)
	}
	return ownFolder(t, "redis")
}

// ownFolder is a folder for detached servers of a kind.
func ownFolder(t *testing.T, kind string) string {
	t.Helper()
	dir, err := local.Temporary("nodes")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if f, err := local.OpenFleet(dir, local.FleetOptions{Kind: kind, Detached: true}); err == nil {
			for _, name := range f.Names() {
				_ = f.Remove(name)
			}
			f.Close()
		}
		_ = os.RemoveAll(dir)
	})
	return dir
}

// TestANodesServersAreWorkedByThatNodeAlone: of three processes on one store one has the Redis servers. The others sell them, bind them and destroy
// them, and call nothing. When it is killed the servers go on serving, the others say that it is away, what they accept waits, and its next
// start adopts the servers and goes on.
func TestANodesServersAreWorkedByThatNodeAlone(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	dir := redisFolder(t)
	first := newSite(t, dbtest.Postgres(t), "first", fmt.Sprintf("- {name: redis-here, driver: redis, region: eu, node: first, settings: {dir: %q}}\n", dir))
	second, third := first.twin(t, "second"), first.twin(t, "third")
	owner, p, q := first.run(t), second.run(t), third.run(t)

	i := second.order(t, p, "redis:dev")
	second.awaitReady(t, p, i.ID)
	at := client.Place{Org: devOrg, Project: devProject}
	for _, app := range []string{"web", "late"} {
		if _, err := third.client().CreateApp(t.Context(), client.NewApp{Name: app, Org: devOrg, Project: devProject}); err != nil {
			t.Fatal(err)
		}
	}
	b, err := third.client().Bind(t.Context(), client.NewBinding{Instance: i.ID, App: "web", Org: devOrg, Project: devProject})
	if err != nil {
		t.Fatal(err)
	}
	app := talkTo(t, third.credentials(t, q, b.ID))
	if got := app.say(t, "SET key value"); got != "+OK" {
		t.Fatal(got)
	}

	owner.kill()
	if got := app.say(t, "INCR count"); got != ":1" {
		t.Fatalf("the server went with the market: %s", got)
	}
	waiting, err := second.client().Bind(t.Context(), client.NewBinding{Instance: i.ID, App: "late", Org: devOrg, Project: devProject})
	if err != nil {
		t.Fatalf("an order that its node will work on is refused: %v", err)
	}
	q.await(t, "word that the node is away", func() bool {
		list, err := third.client().Providers(t.Context())
		return err == nil && len(list) == 1 && strings.Contains(list[0].Note, "node first has not reported for")
	})
	if got, err := second.client().Binding(t.Context(), waiting.ID); err != nil || got.State != "creating" {
		t.Fatalf("without its node: %+v %v", got, err)
	}
	owner = first.run(t)
	owner.await(t, "adoption", func() bool { return strings.Contains(owner.out.String(), "a running server was adopted") })
	late := talkTo(t, second.credentials(t, p, waiting.ID))
	if got := late.say(t, "INCR count"); got != ":2" {
		t.Errorf("it is not the same server: %s", got)
	}
	if got := app.say(t, "INCR count"); got != ":3" {
		t.Errorf("the app's open connection did not live through it: %s", got)
	}

	if _, err := third.client().Unbind(t.Context(), b.ID); err != nil {
		t.Fatal(err)
	}
	q.await(t, "dead connection", func() bool { return !strings.HasPrefix(app.say(t, "PING"), "+") })
	if _, err := second.client().DestroyInstance(t.Context(), i.ID); err != nil {
		t.Fatal(err)
	}
	p.await(t, "end of the instance", func() bool {
		list, err := second.client().Instances(t.Context(), at)
		return err == nil && len(list) == 0
	})
	for name, s := range map[string]site{"second": second, "third": third} {
		if text := scrape(t, devJSON{URL: s.url, Token: s.token}); strings.Contains(text, `sutler_provider_call_duration_seconds_count{provider="redis-here"`) {
			t.Errorf("the node %s called the driver", name)
		}
	}
	if text := scrape(t, devJSON{URL: first.url, Token: first.token}); !strings.Contains(text, `sutler_provider_call_duration_seconds_count{provider="redis-here"`) {
		t.Error("the owning node's calls are not shown either: this test proves nothing")
	}
}
