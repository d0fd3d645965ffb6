package rabbitmq

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Trespass tries the virtual host of theirs and the server's own with the login of mine. Where the credentials tell the management API, or api
// does (http(s)://host:port), it tries there everything that shows or changes what is not one's own, or that lets the server call elsewhere. It
// names the first way in, "" when there is none. What it made where a way was open it takes back.
func Trespass(api string) func(ctx context.Context, mine, theirs map[string]any) (way string, err error) {
	return func(ctx context.Context, mine, theirs map[string]any) (string, error) {
		for _, vhost := range []any{theirs["vhost"], "/", "sutler"} {
			u, err := url.Parse(fmt.Sprint(mine["uri"]))
			if err != nil {
				return "", errors.New("the uri is malformed")
			}
			u.Path, u.RawPath = "/"+fmt.Sprint(vhost), "/"+url.PathEscape(fmt.Sprint(vhost))
			there := maps.Clone(mine)
			there["uri"] = u.String()
			if a, err := Login(ctx, there); err == nil {
				a.Close()
				return fmt.Sprint("the virtual host ", vhost), nil
			}
		}
		if told, ok := mine["management_url"].(string); ok {
			api = told
		}
		if api == "" {
			return "", nil
		}
		return management{strings.TrimRight(api, "/"), fmt.Sprint(mine["username"]), fmt.Sprint(mine["password"])}.open(ctx, mine, theirs)
	}
}

// management is the management API with a tenant's login.
type management struct{ api, user, password string }

func (m management) ask(ctx context.Context, method, path, body string) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, method, m.api+"/api/"+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, "", err
	}
	r.SetBasicAuth(m.user, m.password)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = answer.Body.Close() }() // it was read to its end
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), err
}

// open gives the first request that got through, or "".
func (m management) open(ctx context.Context, mine, theirs map[string]any) (string, error) {
	for _, try := range attempts(mine, theirs) {
		code, _, err := m.ask(ctx, try.method, try.path, try.body)
		if err != nil {
			return "", err
		}
		if code >= http.StatusBadRequest {
			continue
		}
		if try.undo {
			_, _, _ = m.ask(ctx, http.MethodDelete, try.path, "") // it is told of as a way in, whatever becomes of it
		}
		return try.method + " " + try.path, nil
	}
	other, them := fmt.Sprint(theirs["vhost"]), fmt.Sprint(theirs["username"])
	for _, list := range []string{"vhosts", "queues", "connections", "channels", "exchanges", "consumers", "bindings", "policies", "parameters", "vhost-limits", "operator-policies", "overview", "whoami"} {
		code, text, err := m.ask(ctx, http.MethodGet, list, "")
		if err != nil {
			return "", err
		}
		if code < http.StatusBadRequest && (strings.Contains(text, other) || strings.Contains(text, them)) {
			return "GET " + list, nil
		}
	}
	return "", nil
}

// attempt is a request that must be refused; undo: what it made can be deleted where it was made.
type attempt struct {
	method, path, body string
	undo               bool
}

func attempts(mine, theirs map[string]any) []attempt {
	own, other, user, them := fmt.Sprint(mine["vhost"]), fmt.Sprint(theirs["vhost"]), fmt.Sprint(mine["username"]), fmt.Sprint(theirs["username"])
	shovel := `{"value":{"src-uri":"amqp://","src-queue":"q","dest-uri":"amqp://127.0.0.1:1","dest-queue":"q"}}`
	return []attempt{
		{method: "GET", path: "queues/" + other},
		{method: "GET", path: "vhosts/" + other},
		{method: "GET", path: "vhosts/" + other + "/connections"},
		{method: "GET", path: "exchanges/" + other},
		{method: "PUT", path: "queues/" + other + "/planted", body: `{}`},
		{method: "POST", path: "exchanges/" + other + "/amq.default/publish", body: `{"properties":{},"routing_key":"secret","payload":"x","payload_encoding":"string"}`},
		{method: "POST", path: "queues/" + other + "/secret/get", body: `{"count":1,"ackmode":"ack_requeue_true","encoding":"auto"}`},
		{method: "DELETE", path: "queues/" + other + "/secret"},
		{method: "GET", path: "users"},
		{method: "GET", path: "nodes"},
		{method: "GET", path: "definitions"},
		{method: "GET", path: "permissions"},
		{method: "GET", path: "users/" + them + "/permissions"},
		{method: "PUT", path: "vhosts/more-" + own, body: `{}`, undo: true},
		{method: "PUT", path: "users/more-" + user, body: `{"password":"x","tags":"administrator"}`, undo: true},
		{method: "PUT", path: "users/" + user, body: `{"password":"changed","tags":"administrator"}`},
		{method: "PUT", path: "permissions/" + other + "/" + user, body: `{"configure":".*","write":".*","read":".*"}`},
		{method: "PUT", path: "vhost-limits/" + own + "/max-connections", body: `{"value":1000}`},
		{method: "DELETE", path: "vhost-limits/" + own + "/max-connections"},
		{method: "PUT", path: "user-limits/" + user + "/max-connections", body: `{"value":1000}`},
		{method: "PUT", path: "operator-policies/" + own + "/sutler", body: `{"pattern":".*","definition":{"max-length":1000000}}`},
		{method: "DELETE", path: "operator-policies/" + own + "/sutler"},
		{method: "PUT", path: "policies/" + own + "/mine", body: `{"pattern":".*","definition":{"max-length":1000000}}`},
		{method: "PUT", path: "parameters/shovel/" + own + "/out", body: shovel, undo: true},
		{method: "PUT", path: "parameters/federation-upstream/" + own + "/out", body: `{"value":{"uri":"amqp://127.0.0.1:1"}}`, undo: true},
		{method: "PUT", path: "global-parameters/more-" + own, body: `{"value":1}`, undo: true},
		{method: "DELETE", path: "vhosts/" + own},
		{method: "PUT", path: "vhosts/" + own, body: `{"tracing":true}`},
		{method: "DELETE", path: "connections/username/" + them},
	}
}

// Cling owns what is hard to take away: exclusive and durable queues, a consumer, unacknowledged messages, exchanges bound to each other.
func Cling(ctx context.Context, a *App) error {
	ch, err := a.Conn.Channel()
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

// Lag is how late a server that is set as usual may tell what was done: each connection tells every five seconds, a counter at a time.
const Lag = 6 * time.Second
