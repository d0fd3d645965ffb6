package osb_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"pgregory.net/rapid"
)

// body is that of an order; an empty plan is left out.
func (r *run) body(plan string, size int, more string) string {
	text := `{"service_id":"` + r.offering.ID + `"`
	if plan != "" {
		text += `,"plan_id":"` + r.market.plan(plan) + `"`
	}
	if size > 0 {
		text += fmt.Sprintf(`,"parameters":{"size":%d}`, size)
	}
	return text + more + "}"
}

// request sends one request and compares the answer with what the model wants.
func (r *run) request(rt *rapid.T, at place, method, binding string, async bool, body string, w want) {
	if w.status == 202 {
		r.hold(place{r.ids[at.platform], r.prefix + at.id})
	}
	r.trail = append(r.trail, fmt.Sprintf("%s %s/%s/%s %d", method, at.platform, at.id, binding, w.status))
	status, got := r.send(at, method, binding, async, body)
	fail := func(what string) { // in the same words wherever it happens, so that the shortest way there is found
		rt.Helper()
		rt.Logf("%v %v: %v", r.trail, body, got)
		rt.Fatalf("%s is answered %d, want %d: the %s is wrong", method, status, w.status, what)
	}
	code, _ := got["error"].(string)
	switch {
	case status != w.status:
		fail("status")
	case code != w.code:
		fail("code")
	case w.state != "" && got["state"] != w.state:
		fail("state")
	case w.plan != "" && (got["plan_id"] != r.market.plan(w.plan) || fmt.Sprint(got["parameters"]) != sized(w.size)):
		fail("plan or parameters")
	case w.other && fmt.Sprint(got["operation"]) == *w.op, w.op != nil && !w.other && !settle(w.op, got["operation"]):
		fail("operation")
	case w.credentials != nil && !settle(w.credentials, got["credentials"]):
		fail("credentials")
	}
}

func sized(n int) string {
	if n == 0 {
		return "map[]"
	}
	return fmt.Sprintf("map[size:%d]", n)
}

// settle keeps what was said for the first time; later it must be the same.
func settle(known *string, said any) bool {
	text := fmt.Sprint(said)
	if *known == "" {
		*known = text
	}
	return said != nil && *known == text
}

// send sends a request; POLL is GET last_operation, and the body of a DELETE is the plan it names.
func (r *run) send(at place, method, binding string, async bool, body string) (int, map[string]any) {
	path := "/v2/service_instances/" + r.prefix + at.id
	if binding != "" {
		path += "/service_bindings/" + binding
	}
	query := fmt.Sprintf("?accepts_incomplete=%t", async)
	switch method {
	case "POLL":
		method, path = http.MethodGet, path+"/last_operation"
	case http.MethodDelete:
		query += "&service_id=" + r.offering.ID + "&plan_id=" + r.market.plan(body)
		body = ""
	}
	req, err := http.NewRequestWithContext(context.Background(), method, r.server.URL+path+query, strings.NewReader(body))
	r.ok(err)
	req.SetBasicAuth(at.platform, r.passwords[at.platform])
	req.Header.Set("X-Broker-API-Version", "2.17")
	res, err := http.DefaultClient.Do(req)
	r.ok(err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	r.ok(err)
	got := map[string]any{}
	r.ok(json.Unmarshal(raw, &got))
	return res.StatusCode, got
}
