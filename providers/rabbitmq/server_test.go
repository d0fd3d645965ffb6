package rabbitmq_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	rabbithole "github.com/michaelklishin/rabbit-hole/v2"

	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/providertest"
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
	if err := encrypt(dir); err != nil {
		return nil, err
	}
	running, err = begin(context.Background())
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

// secret is how the server is reached with TLS, beside its plain doors, and who signed its certificate.
var secret struct{ amqp, admin, ca string }

// begin starts the server. The door for TLS opens last.
func begin(ctx context.Context) (*local.Server, error) {
	s, err := local.RabbitMQ(ctx, folder, "administrator", true)
	for deadline := time.Now().Add(time.Minute); err == nil; time.Sleep(20 * time.Millisecond) {
		conn, late := net.Dial("tcp", secret.amqp)
		if late == nil {
			return s, conn.Close()
		}
		if time.Now().After(deadline) {
			err = errors.Join(late, s.Stop())
		}
	}
	return nil, err
}

// encrypt lets a server that starts in dir speak TLS on two more ports.
func encrypt(dir string) error {
	c, err := providertest.NewCertificate()
	if err != nil {
		return err
	}
	amqp, err := local.FreePort()
	if err != nil {
		return err
	}
	admin, err := local.FreePort()
	if err != nil {
		return err
	}
	secret.amqp, secret.admin, secret.ca = fmt.Sprint("localhost:", amqp), fmt.Sprint("localhost:", admin), string(c.CA)
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	conf := fmt.Sprintf("listeners.ssl.1 = 127.0.0.1:%d\nssl_options.certfile = %s\nssl_options.keyfile = %s\nssl_options.verify = verify_none\n"+
		"management.ssl.ip = 127.0.0.1\nmanagement.ssl.port = %d\nmanagement.ssl.certfile = %[2]s\nmanagement.ssl.keyfile = %[3]s\n", amqp, cert, key, admin)
	//nolint:gosec // the server runs as another user, and the key is good for these tests
	return errors.Join(os.MkdirAll(filepath.Join(dir, "conf.d"), 0o755), os.WriteFile(cert, c.Cert, 0o644), os.WriteFile(key, c.Key, 0o644),
		os.WriteFile(filepath.Join(dir, "conf.d", "tls.conf"), []byte(conf), 0o644))
}

// restart ends the server and starts it again in the same place. No other test may be under way.
func restart(ctx context.Context) error {
	at := running.Address + " " + running.Admin
	err := running.Stop()
	if err == nil {
		running, err = begin(context.WithoutCancel(ctx))
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
