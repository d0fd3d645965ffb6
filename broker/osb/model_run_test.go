package osb_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
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
		m.life(rt, lawful(), ground{
			platforms: []string{"cf-eu", "cf-us"}, instances: []string{"a", "b"}, bindings: []string{"x", "y", "z"},
			plans: []string{"sync", "sync", "queued", "queued", "rotatable", "unbindable", "failing"},
		})
	})
}

// TestAWrongLawIsFoundOut plants one wrong law after the other in the model: each must be noticed. It plays on small ground, where
// that comes about soon, and logs the few requests that show it. These two tests set flags, so they do not run beside each other.
func TestAWrongLawIsFoundOut(t *testing.T) {
	set(t, "rapid.checks", "2000")
	set(t, "rapid.nofailfile", "true")
	set(t, "rapid.shrinktime", "300ms")
	set(t, "rapid.steps", "8")
	small := ground{platforms: []string{"cf-eu"}, instances: []string{"a"}, bindings: []string{"x"}, plans: []string{"sync", "queued", "failing"}, only: []string{"put", "patch", "delete", "get"}}
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

// ground is what a run plays with: platforms, the ids that they give to instances and bindings, the plans that they order, and what they do; nil:
// everything.
type ground struct{ platforms, instances, bindings, plans, only []string }

// life is one run: random requests to an empty world, and in the end nothing may be left at the backend.
func (m *modelMarket) life(rt *rapid.T, l laws, g ground) {
	m.runs++
	m.trail = nil
	r := &run{modelMarket: m, ground: g, world: &world{laws: l, instances: map[place]*modelled{}}, prefix: fmt.Sprintf("r%d-", m.runs)}
	defer r.clear()
	deeds := map[string]func(*rapid.T){
		"put": r.put, "put again": r.put, "patch": r.patch, "bind": r.bind, "bind again": r.bind, "rotate": r.rotate, "unbind": r.unbind, "delete": r.remove,
		"get": r.get, "poll": r.poll, "finish": r.finish,
	}
	if g.only != nil {
		maps.DeleteFunc(deeds, func(name string, _ func(*rapid.T)) bool { return !slices.Contains(g.only, name) })
	}
	rt.Repeat(deeds)
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
	return rapid.SampledFrom(append(slices.Clone(r.plans), more...)).Draw(rt, "plan")
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
