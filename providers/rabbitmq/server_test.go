package rabbitmq_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"testing"

	rabbithole "github.com/michaelklishin/rabbit-hole/v2"

	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/rabbitmq"
)

// node is the one server of this package's tests; it starts with the first that asks.
var node = sync.OnceValues(func() (*local.Server, error) {
	if err := local.Ensure(context.Background(), "rabbitmq"); err != nil {
		return nil, err
	}
	dir, err := local.Temporary("rabbitmq")
	if err != nil {
		return nil, err
	}
	folder = dir
	running, err = local.RabbitMQ(context.Background(), dir, "administrator", true)
	return running, err
})

// folder is where the server is, and running its process of the moment.
var (
	folder  string
	running *local.Server
)

func TestMain(m *testing.M) {
	code := m.Run()
	if running != nil {
		if err := running.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	if folder != "" {
		_ = os.RemoveAll(folder)
	}
	os.Exit(code)
}

// restart ends the server and starts it again in the same place. No other test may be under way.
func restart(ctx context.Context) error {
	at := running.Address + " " + running.Admin
	err := running.Stop()
	if err == nil {
		running, err = local.RabbitMQ(context.WithoutCancel(ctx), folder, "administrator", true)
	}
	if err == nil && running.Address+" "+running.Admin != at {
		err = errors.New("somebody else took the server's ports meanwhile")
	}
	return err
}

// reset throws away what the management plugin has counted, as an operator does.
func reset(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodDelete, "http://"+running.Admin+"/api/reset", http.NoBody)
	if err != nil {
		return err
	}
	r.SetBasicAuth(running.User, running.Password)
	answer, err := http.DefaultClient.Do(r)
	if err == nil && answer.StatusCode >= http.StatusBadRequest {
		err = errors.New(answer.Status)
	}
	return done(answer, err)
}

func server(t testing.TB) *local.Server {
	t.Helper()
	if testing.Short() {
		t.Skip("short: no servers")
	}
	s, err := node()
	if errors.Is(err, local.ErrNoProgram) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func place(s *local.Server) rabbitmq.Server {
	return rabbitmq.Server{Admin: "http://" + s.User + ":" + s.Password + "@" + s.Admin, AMQP: s.Address}
}

// administrator is the server's own way in, past the driver.
func administrator(t testing.TB, s *local.Server) *rabbithole.Client {
	t.Helper()
	c, err := rabbithole.NewClient("http://"+s.Admin, s.User, s.Password)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func done(answer *http.Response, err error) error {
	if answer != nil {
		err = errors.Join(err, answer.Body.Close())
	}
	return err
}

// leftovers lists what instances and bindings leave: all but the server's own and the marker of its start.
func leftovers(c *rabbithole.Client) ([]string, error) {
	var out []string
	vhosts, err := c.ListVhosts()
	if err != nil {
		return nil, err
	}
	for _, v := range vhosts {
		if v.Name != "sutler" {
			out = append(out, "vhost "+v.Name)
		}
	}
	users, err := c.ListUsers()
	if err != nil {
		return nil, err
	}
	for _, u := range users {
		out = append(out, "user "+u.Name)
	}
	permissions, err := c.ListPermissions()
	if err != nil {
		return nil, err
	}
	for _, p := range permissions {
		if p.Vhost != "sutler" {
			out = append(out, "permission "+p.User+" "+p.Vhost)
		}
	}
	topics, err := c.ListTopicPermissions()
	if err != nil {
		return nil, err
	}
	for _, p := range topics {
		out = append(out, "label "+p.User+" "+p.Exchange)
	}
	policies, err := c.ListOperatorPolicies()
	if err != nil {
		return nil, err
	}
	for _, p := range policies {
		out = append(out, "policy "+p.Vhost+" "+p.Name)
	}
	limits, err := c.GetAllVhostLimits()
	for _, l := range limits {
		if len(l.Value) > 0 {
			out = append(out, fmt.Sprint("limit ", l.Vhost, l.Value))
		}
	}
	return out, err
}

func bareVhost() rabbithole.VhostSettings { return rabbithole.VhostSettings{} }

func bareUser() rabbithole.UserSettings {
	return rabbithole.UserSettings{Password: "bare", Tags: rabbithole.UserTags{}}
}
