package rabbitmq_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/providertest"
	"github.com/sutlerhq/sutler/providers/rabbitmq"
)

func login(ctx context.Context, credentials map[string]any) (providertest.Session, error) {
	a, err := rabbitmq.Login(ctx, credentials)
	if err != nil {
		return nil, err
	}
	return a, nil
}

func dial(uri string) (*rabbitmq.App, error) {
	return rabbitmq.Login(context.Background(), map[string]any{"uri": uri})
}

// cling owns what is hard to take away: exclusive and durable queues, a consumer, unacknowledged messages, exchanges bound to each other.
func cling(ctx context.Context, s providertest.Session) error {
	ch, err := s.(*rabbitmq.App).Conn.Channel()
	if err != nil {
		return err
	}
	for _, exclusive := range []bool{true, false} {
		q, err := ch.QueueDeclare(fmt.Sprintf(`cling'"\ %t`, exclusive), !exclusive, false, exclusive, false, nil)
		if err != nil {
			return err
		}
		if err := ch.PublishWithContext(ctx, "", q.Name, true, false, amqp.Publishing{Body: []byte("x")}); err != nil {
			return err
		}
		if _, err := ch.Consume(q.Name, "", false, exclusive, false, false, nil); err != nil {
			return err
		}
	}
	if err := ch.ExchangeDeclare("mine", "topic", true, false, false, false, nil); err != nil {
		return err
	}
	return ch.ExchangeBind("amq.topic", "#", "mine", false, nil)
}

// trespass tries the other tenant's virtual host by AMQP, and by the management API everything that shows or changes what is not one's own,
// or that lets the server call elsewhere.
func trespass(t *testing.T, api string) func(ctx context.Context, mine, theirs map[string]any) error {
	return func(ctx context.Context, mine, theirs map[string]any) error {
		for _, vhost := range []any{theirs["vhost"], "/", "sutler"} {
			uri := strings.Replace(mine["uri"].(string), "/"+mine["vhost"].(string), "/"+strings.ReplaceAll(fmt.Sprint(vhost), "/", "%2f"), 1)
			if a, err := dial(uri); err == nil {
				a.Close()
				return nil
			}
		}
		p := web{api, mine["username"].(string), mine["password"].(string)}
		got, err := p.refusedAll(ctx, mine, theirs)
		if err == nil && got != "" {
			t.Log("open: ", got)
		}
		if err != nil || got != "" {
			return err
		}
		return errors.New("refused everywhere")
	}
}

// web is the management API with a tenant's login.
type web struct{ api, user, password string }

func (w web) ask(ctx context.Context, method, path, body string) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, method, w.api+"/api/"+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, "", err
	}
	r.SetBasicAuth(w.user, w.password)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), err
}

// refusedAll gives the first request that got through, or "".
func (w web) refusedAll(ctx context.Context, mine, theirs map[string]any) (string, error) {
	own, other, user := mine["vhost"], theirs["vhost"], mine["username"]
	shovel := fmt.Sprintf(`{"value":{"src-uri":"amqp://","src-queue":"q","dest-uri":%q,"dest-queue":"q"}}`, "amqp://169.254.169.254")
	for _, try := range [][3]string{
		{"GET", fmt.Sprintf("queues/%s", other)},
		{"GET", fmt.Sprintf("vhosts/%s", other)},
		{"GET", fmt.Sprintf("vhosts/%s/connections", other)},
		{"GET", fmt.Sprintf("exchanges/%s", other)},
		{"PUT", fmt.Sprintf("queues/%s/planted", other), `{}`},
		{"POST", fmt.Sprintf("exchanges/%s/amq.default/publish", other), `{"properties":{},"routing_key":"secret","payload":"x","payload_encoding":"string"}`},
		{"POST", fmt.Sprintf("queues/%s/secret/get", other), `{"count":1,"ackmode":"ack_requeue_true","encoding":"auto"}`},
		{"DELETE", fmt.Sprintf("queues/%s/secret", other)},
		{"GET", "users"},
		{"GET", "nodes"},
		{"GET", "definitions"},
		{"GET", "permissions"},
		{"GET", fmt.Sprintf("users/%s/permissions", theirs["username"])},
		{"PUT", "vhosts/more", `{}`},
		{"PUT", "users/more", `{"password":"x","tags":"administrator"}`},
		{"PUT", fmt.Sprintf("users/%s", user), `{"password":"changed","tags":"administrator"}`},
		{"PUT", fmt.Sprintf("permissions/%s/%s", other, user), `{"configure":".*","write":".*","read":".*"}`},
		{"PUT", fmt.Sprintf("vhost-limits/%s/max-connections", own), `{"value":1000}`},
		{"DELETE", fmt.Sprintf("vhost-limits/%s/max-connections", own)},
		{"PUT", fmt.Sprintf("user-limits/%s/max-connections", user), `{"value":1000}`},
		{"PUT", fmt.Sprintf("operator-policies/%s/sutler", own), `{"pattern":".*","definition":{"max-length":1000000}}`},
		{"DELETE", fmt.Sprintf("operator-policies/%s/sutler", own)},
		{"PUT", fmt.Sprintf("policies/%s/mine", own), `{"pattern":".*","definition":{"max-length":1000000}}`},
		{"PUT", fmt.Sprintf("parameters/shovel/%s/out", own), shovel},
		{"PUT", fmt.Sprintf("parameters/federation-upstream/%s/out", own), `{"value":{"uri":"amqp://169.254.169.254"}}`},
		{"PUT", "global-parameters/planted", `{"value":1}`},
		{"DELETE", fmt.Sprintf("vhosts/%s", own)},
		{"PUT", fmt.Sprintf("vhosts/%s", own), `{"tracing":true}`},
		{"DELETE", fmt.Sprintf("connections/username/%s", theirs["username"])},
	} {
		code, _, err := w.ask(ctx, try[0], try[1], try[2])
		if err != nil || code < 400 {
			return try[0] + " " + try[1], err
		}
	}
	for _, list := range []string{"vhosts", "queues", "connections", "channels", "exchanges", "consumers", "bindings", "policies", "parameters", "vhost-limits", "operator-policies", "overview", "whoami"} {
		code, text, err := w.ask(ctx, "GET", list, "")
		if err != nil || code < 400 && (strings.Contains(text, fmt.Sprint(other)) || strings.Contains(text, fmt.Sprint(theirs["username"]))) {
			return "GET " + list, err
		}
	}
	return "", nil
}

func harness(t *testing.T, management bool) providertest.Harness {
	t.Helper()
	s := server(t)
	open := func() *providers.Provider {
		return providers.New(providers.Settings{Name: "rabbit", Failures: 1000}, rabbitmq.New(rabbitmq.Settings{Server: rabbitmq.At(place(s)), Management: management}), nil)
	}
	p := open()
	list, err := p.Offerings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root := administrator(t, s)
	return providertest.Harness{
		Provider: p, Plan: list[0].Plans[0], Other: list[0].Plans[1],
		Login: login, Trespass: trespass(t, "http://"+s.Admin), Cling: cling,
		Leftovers: func(context.Context) ([]string, error) { return leftovers(root) },
		Overfill:  providertest.Fill(3 * (4 << 20)), Tight: providertest.Tightened(list[0].Plans[0], "storage_bytes", 4<<20),
		Reopen:  func(context.Context) (*providers.Provider, error) { return open(), nil },
		Reset:   func(ctx context.Context, _ providers.Instance) error { return reset(ctx) },
		Restart: func(ctx context.Context, _ providers.Instance) error { return restartKeeps(ctx, t, driver(s)) },
	}
}

func TestConformance(t *testing.T) {
	h := harness(t, false)
	providertest.Keep(t, "rabbitmq", providertest.ConformTogether(t, 4*time.Minute, h))
}

// The tag changes what a login may see and how it is shut; the rest is the same.
func TestConformanceWithManagement(t *testing.T) {
	h := harness(t, true)
	providertest.ConformTogether(t, 2*time.Minute, h,
		"credentials_complete", "tenants_apart", "suspend_keeps", "revoked_clinging", "nothing_left")
}

// The way in that Trespass expects to be shut is the one that the administrator's login finds open: the attempts themselves are sound.
func TestTrespassFindsWhatIsOpen(t *testing.T) {
	s := server(t)
	own, theirs := map[string]any{"vhost": "/", "username": s.User}, map[string]any{"vhost": "/", "username": s.User}
	if got, err := (web{"http://" + s.Admin, s.User, s.Password}).refusedAll(t.Context(), own, theirs); err != nil || got == "" {
		t.Errorf("the administrator was refused everywhere: %v", err)
	}
}
