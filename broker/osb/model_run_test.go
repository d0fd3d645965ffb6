package osb_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity"
)

// TestTheModel sends random sequences of requests and compares each answer with the model. More of it:
// go test ./broker/osb -run TestTheModel -rapid.checks=1000 -rapid.steps=60
func TestTheModel(t *testing.T) {
	few(t)
	m := newModelMarket(t)
	rapid.Check(t, func(rt *rapid.T) {
		m.life(rt, lawful(), ground{[]string{"cf-eu", "cf-us"}, []string{"a", "b"}, []string{"x", "y", "z"}})
	})
}

// TestAWrongLawIsFoundOut plants one wrong law after the other in the model: each must be noticed. It plays on small ground, where
// that comes about soon, and logs the few requests that show it.
func TestAWrongLawIsFoundOut(t *testing.T) {
	set(t, "rapid.checks", "2000")
	set(t, "rapid.nofailfile", "true")
	set(t, "rapid.shrinktime", "1s")
	set(t, "rapid.steps", "8")
	small := ground{[]string{"cf-eu"}, []string{"a"}, []string{"x"}}
	m := newModelMarket(t)
	for name, plant := range map[string]func(*laws){
		"an order again is a conflict":          func(l *laws) { l.again = 409 },
		"a delete of nothing is not found":      func(l *laws) { l.gone = 404 },
		"what has to wait is not told so":       func(l *laws) { l.busy = "" },
		"the same request is another operation": func(l *laws) { l.sameWork = false },
		"a failed update takes the new plan":    func(l *laws) { l.keeps = false },
	} {
		t.Run(name, func(t *testing.T) {
			wrong := lawful()
			plant(&wrong)
			r := &recorder{name: t.Name()}
			done := make(chan struct{})
			go func() {
				defer close(done)
				rapid.Check(r, func(rt *rapid.T) { m.life(rt, wrong, small) })
			}()
			<-done
			if !r.failed {
				t.Fatal("nobody noticed")
			}
			t.Log(m.trail)
		})
	}
}

// few keeps the property test short unless the command line says otherwise.
func few(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{"rapid.checks": "25", "rapid.steps": "40"} {
		if f := flag.Lookup(name); f.Value.String() == f.DefValue {
			set(t, name, value)
		}
	}
}

func set(t *testing.T, name, value string) {
	t.Helper()
	was := flag.Lookup(name).Value.String()
	if err := flag.Set(name, value); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = flag.Set(name, was) })
}

// recorder stands where a test stands that is meant to fail.
type recorder struct {
	rapid.TB
	name   string
	failed bool
}

func (r *recorder) Helper()               {}
func (r *recorder) Name() string          { return r.name }
func (r *recorder) Logf(string, ...any)   {}
func (r *recorder) Log(...any)            {}
func (r *recorder) Errorf(string, ...any) { r.failed = true }
func (r *recorder) Error(...any)          { r.failed = true }
func (r *recorder) Fail()                 { r.failed = true }
func (r *recorder) Failed() bool          { return r.failed }
func (r *recorder) FailNow()              { r.failed = true; runtime.Goexit() }
func (r *recorder) Fatal(...any)          { r.FailNow() }
func (r *recorder) Fatalf(string, ...any) { r.FailNow() }

// modelMarket is a market whose slow work goes on only when the test says so.
type modelMarket struct {
	*market
	runs  int
	trail []string // the requests of the latest run

	mu   sync.Mutex
	held map[place]chan struct{} // closed when the work there may go on; the platform by its id with us
}

func newModelMarket(t *testing.T) *modelMarket {
	t.Helper()
	m := &modelMarket{market: newMarketWaiting(t, 20*time.Second), held: map[place]chan struct{}{}}
	m.driver.OnStep(func(_, id, when string) {
		if when == "before" {
			m.wait(id)
		}
	})
	t.Cleanup(m.release)
	return m
}

// wait holds a driver's call up as long as its instance's work is held.
func (m *modelMarket) wait(id string) {
	market := identity.Principal{Kind: identity.System}
	if bd, err := m.broker.Binding(context.Background(), market, id); err == nil {
		id = bd.Instance
	}
	i, err := m.broker.Instance(context.Background(), market, "", id)
	if err != nil {
		return // offerings and the like belong to none
	}
	m.mu.Lock()
	gate := m.held[place{i.Platform, i.PlatformInstance}]
	m.mu.Unlock()
	if gate != nil {
		<-gate
	}
}

func (m *modelMarket) hold(at place) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held[at] == nil {
		m.held[at] = make(chan struct{})
	}
}

func (m *modelMarket) release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for at, gate := range m.held {
		close(gate)
		delete(m.held, at)
	}
}

// ground is what a run plays with: platforms, and the ids that they give to instances and bindings.
type ground struct{ platforms, instances, bindings []string }

// life is one run: random requests to an empty world, and in the end nothing may be left at the backend.
func (m *modelMarket) life(rt *rapid.T, l laws, g ground) {
	m.runs++
	m.trail = nil
	r := &run{modelMarket: m, ground: g, world: &world{laws: l, instances: map[place]*modelled{}}, prefix: fmt.Sprintf("r%d-", m.runs)}
	defer r.clear()
	rt.Repeat(map[string]func(*rapid.T){
		"put": r.put, "put again": r.put, "patch": r.patch, "bind": r.bind, "bind again": r.bind, "rotate": r.rotate, "unbind": r.unbind, "delete": r.remove,
		"get": r.get, "poll": r.poll, "finish": r.finish,
	})
	r.finish(rt)
	r.clear()
	left, err := m.driver.Leftovers()
	for late := time.Now().Add(time.Minute); len(left) > 0 && time.Now().Before(late); { // what the broker cleans up by itself nobody waited for
		time.Sleep(time.Millisecond)
		left, err = m.driver.Leftovers()
	}
	if err != nil || len(left) > 0 {
		rt.Fatalf("left at the backend: %v %v", left, err)
	}
}

// run is one sequence of requests.
type run struct {
	*modelMarket
	ground
	world  *world
	prefix string
}

func (r *run) place(rt *rapid.T) place {
	return place{rapid.SampledFrom(r.platforms).Draw(rt, "platform"), rapid.SampledFrom(r.ground.instances).Draw(rt, "instance")}
}

func (r *run) plan(rt *rapid.T, more ...string) string {
	return rapid.SampledFrom(append([]string{"sync", "sync", "queued", "queued", "rotatable", "unbindable", "failing"}, more...)).Draw(rt, "plan")
}

// likely is the plan that the instance has, most of the time.
func (r *run) likely(rt *rapid.T, at place) string {
	if i := r.world.instances[at]; i != nil && rapid.IntRange(0, 4).Draw(rt, "another plan") < 4 {
		return i.plan
	}
	return r.plan(rt)
}

func (r *run) binding(rt *rapid.T, label string) string {
	return rapid.SampledFrom(r.bindings).Draw(rt, label)
}

func (r *run) size(rt *rapid.T) int {
	return rapid.SampledFrom([]int{0, 0, 0, 0, 1, 2, 11}).Draw(rt, "size")
}

// async is mostly yes: otherwise most requests for slow plans would only be refused.
func (r *run) async(rt *rapid.T) bool { return rapid.IntRange(0, 4).Draw(rt, "hurried") < 4 }

func (r *run) put(rt *rapid.T) {
	at, plan, size, async := r.place(rt), r.plan(rt), r.size(rt), r.async(rt)
	w := r.world.put(at, plan, size, async)
	r.request(rt, at, "PUT", "", async, r.body(plan, size, `,"organization_guid":"o","space_guid":"s"`), w)
	if w.status == 502 {
		r.cleaned(rt, at)
	}
}

func (r *run) patch(rt *rapid.T) {
	at, plan, size, async := r.place(rt), r.plan(rt, "", "", ""), r.size(rt), r.async(rt)
	r.request(rt, at, "PATCH", "", async, r.body(plan, size, ""), r.world.patch(at, plan, size, async))
}

func (r *run) bind(rt *rapid.T) {
	at, id := r.place(rt), r.binding(rt, "binding")
	plan, app, size, async := r.likely(rt, at), rapid.SampledFrom([]string{"", "", "app-1"}).Draw(rt, "app"), r.size(rt), r.async(rt)
	w := r.world.bind(at, id, plan, app, size, async)
	r.request(rt, at, "PUT", id, async, r.body(plan, size, `,"bind_resource":{"app_guid":"`+app+`"}`), w)
}

func (r *run) rotate(rt *rapid.T) {
	at, id, pred, async := r.place(rt), r.binding(rt, "binding"), r.binding(rt, "predecessor"), r.async(rt)
	r.request(rt, at, "PUT", id, async, `{"predecessor_binding_id":"`+pred+`"}`, r.world.rotate(at, id, pred, async))
}

func (r *run) unbind(rt *rapid.T) {
	at, id := r.place(rt), r.binding(rt, "binding")
	plan, async := r.likely(rt, at), r.async(rt)
	r.notBehind(rt, at)
	r.request(rt, at, "DELETE", id, async, plan, r.world.unbind(at, id, plan, async))
}

func (r *run) remove(rt *rapid.T) {
	at := r.place(rt)
	plan, async := r.likely(rt, at), r.async(rt)
	r.notBehind(rt, at)
	r.request(rt, at, "DELETE", "", async, plan, r.world.remove(at, plan, async))
}

// notBehind leaves out what would be waited for: fast work behind a held update.
func (r *run) notBehind(rt *rapid.T, at place) {
	if i := r.world.instances[at]; i != nil && i.phase == updating && !sorts()[i.plan].async {
		rt.Skip("behind an update that is held")
	}
}

func (r *run) get(rt *rapid.T) {
	at := r.place(rt)
	r.request(rt, at, "GET", "", false, "", r.world.get(at))
	for _, id := range r.bindings {
		r.request(rt, at, "GET", id, false, "", r.world.getBinding(at, id))
	}
	for credentials, n := range r.world.seen() {
		if n > 1 {
			rt.Fatalf("%d bindings have the credentials %s", n, credentials)
		}
	}
}

func (r *run) poll(rt *rapid.T) {
	at := r.place(rt)
	for _, id := range append([]string{""}, r.bindings...) {
		r.request(rt, at, "POLL", id, false, "", r.world.poll(at, id))
	}
}

// finish lets all work go on and waits until it has ended as the model says.
func (r *run) finish(rt *rapid.T) {
	r.trail = append(r.trail, "finish")
	r.release()
	for at, i := range r.world.instances {
		ids := []string{""}
		for id := range i.bindings {
			ids = append(ids, id)
		}
		for _, id := range ids {
			r.ended(rt, at, id)
		}
		r.world.end(i)
	}
}

// ended waits until the latest operation of an instance or binding is over.
func (r *run) ended(rt *rapid.T, at place, binding string) {
	for late := time.Now().Add(30 * time.Second); time.Now().Before(late); {
		if _, body := r.send(at, "POLL", binding, false, ""); body["state"] != "in progress" {
			return
		}
	}
	rt.Fatalf("%v %s is still in progress", at, binding)
}

// cleaned waits until the broker has cleaned up after an order that failed.
func (r *run) cleaned(rt *rapid.T, at place) {
	for late := time.Now().Add(30 * time.Second); time.Now().Before(late); {
		list, err := r.broker.Instances(context.Background(), r.root, identity.Scope{})
		if err != nil {
			rt.Fatal(err)
		}
		there := false
		for _, i := range list {
			there = there || i.Platform == r.ids[at.platform] && i.PlatformInstance == r.prefix+at.id && (i.State == broker.Failed || i.State == broker.Deleting)
		}
		if !there {
			return
		}
	}
	rt.Fatalf("%v is not cleaned up", at)
}

// clear ends a run's instances, whatever the model thinks of them.
func (r *run) clear() {
	r.release()
	list, err := r.broker.Instances(context.Background(), r.root, identity.Scope{})
	r.ok(err)
	for _, i := range list {
		gone, err := r.broker.Deprovision(context.Background(), r.root, i.ID)
		if err == nil {
			_, err = r.broker.Wait(context.Background(), gone.Operation.ID, 30*time.Second)
		}
		if err != nil && i.State != broker.Deleting && i.State != broker.Failed {
			r.ok(err)
		}
	}
}

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
