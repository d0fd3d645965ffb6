package osb_test

import "maps"

// world is the protocol's laws as a small model: what every platform's instances and bindings are, and what each request must be answered.
type world struct {
	laws      laws
	instances map[place]*modelled
}

// place is where a platform keeps an instance: its own id space.
type place struct{ platform, id string }

// laws are those that a test may plant a wrong one of, to see that it is found out.
type laws struct {
	again    int    // the answer to an order that is there already
	gone     int    // to the delete of what is not there
	busy     string // the code of what has to wait
	sameWork bool   // the same request again names the same operation
	keeps    bool   // a failed update keeps the plan
}

func lawful() laws {
	return laws{again: 200, gone: 410, busy: "ConcurrencyError", sameWork: true, keeps: true}
}

// sort is what the model knows of a plan.
type sort struct{ async, bindable, rotatable, params, fails bool }

func sorts() map[string]sort {
	return map[string]sort{
		"sync": {bindable: true}, "queued": {async: true, bindable: true, params: true}, "rotatable": {bindable: true, rotatable: true},
		"unbindable": {}, "failing": {bindable: true, fails: true},
	}
}

// The phases of instances and bindings.
const (
	creating = "creating"
	ready    = "ready"
	updating = "updating"
	expiring = "expiring"
	deleting = "deleting"
	gone     = "gone"
)

type modelled struct {
	plan, toPlan string
	size, toSize int // of the one parameter; 0: not given
	phase, last  string
	op           string // of the work that goes on, as the platform was told
	former       map[string]bool
	bindings     map[string]*bound
}

type bound struct {
	phase, last, op, app, pred string
	size                       int
	credentials                string // "" as long as nobody has seen them
}

// want is what a request must be answered.
type want struct {
	status      int
	code        string
	op          *string // where the operation's id is kept, of an answer 202
	other       bool    // it must be another one
	plan        string  // of a GET
	size        int
	state       string  // of last_operation
	credentials *string // where they are kept
}

var (
	invalid  = want{status: 400}
	notThere = want{status: 404}
	hurried  = want{status: 422, code: "AsyncRequired"}
)

func (w *world) busy() want { return want{status: 422, code: w.laws.busy} }

func (w *world) goneAlready() want { return want{status: w.laws.gone} }

// accepted is the answer of work that goes on; again: it went on before.
func (w *world) accepted(op *string, again bool) want {
	if !again {
		*op = ""
	}
	return want{status: 202, op: op, other: again && !w.laws.sameWork}
}

func (i *modelled) live() bool { return i != nil && i.phase != gone }

func (b *bound) live() bool { return b != nil && b.phase != gone }

// has tells whether a binding is there that was ordered in this way.
func (i *modelled) has(id string, b bound) bool {
	had := i.bindings[id]
	return had.live() && had.phase != deleting && had.app == b.app && had.size == b.size && had.pred == b.pred
}

// absent is the answer where there is no instance: the plan that is named says whether the platform had to wait.
func absent(plan string, async bool, otherwise want) want {
	if sorts()[plan].async && !async {
		return hurried
	}
	return otherwise
}

// fits tells whether a size may be given to a plan.
func (s sort) fits(size int) bool { return size == 0 || s.params && size <= 10 }

func (w *world) put(at place, plan string, size int, async bool) want {
	s, i := sorts()[plan], w.instances[at]
	switch {
	case !s.fits(size):
		return invalid
	case s.async && !async:
		return hurried
	case i.live() && i.phase == deleting:
		return w.busy()
	case i.live() && (i.plan != plan || i.size != size):
		return want{status: 409}
	case i.live() && i.phase == creating:
		return w.accepted(&i.op, true)
	case i.live():
		return want{status: w.laws.again}
	}
	i = &modelled{plan: plan, size: size, former: map[string]bool{}, bindings: map[string]*bound{}}
	w.instances[at] = i
	switch {
	case s.fails:
		i.phase, i.last = gone, "failed"
		return want{status: 502}
	case s.async:
		i.phase, i.last = creating, "in progress"
		return w.accepted(&i.op, false)
	}
	i.phase, i.last = ready, "succeeded"
	return want{status: 201}
}

func (w *world) patch(at place, plan string, size int, async bool) want {
	i := w.instances[at]
	if !i.live() {
		return absent(plan, async, notThere)
	}
	to, toSize := i.plan, i.size
	if plan != "" {
		to = plan
	}
	if size > 0 {
		toSize = size
	}
	slow := sorts()[i.plan].async || sorts()[to].async
	switch {
	case !sorts()[to].fits(toSize): // what was given before is kept
		return invalid
	case slow && !async:
		return hurried
	case i.phase == creating || i.phase == deleting:
		return w.busy()
	case i.phase == updating && (to != i.toPlan || toSize != i.toSize):
		return w.busy()
	case i.phase == updating:
		return w.accepted(&i.op, true)
	case to == i.plan && toSize == i.size:
		return want{status: 200}
	}
	i.toPlan, i.toSize, i.former[to] = to, toSize, true
	if slow {
		i.phase, i.last = updating, "in progress"
		return w.accepted(&i.op, false)
	}
	if w.updated(i); i.last == "failed" {
		return want{status: 502}
	}
	return want{status: 200}
}

// updated ends an update.
func (w *world) updated(i *modelled) {
	i.phase, i.last = ready, "succeeded"
	if sorts()[i.toPlan].fails {
		i.last = "failed"
		if w.laws.keeps {
			return
		}
	}
	i.former[i.plan] = true
	i.plan, i.size = i.toPlan, i.toSize
}

// names tells whether a request may name a plan for an instance: its own or one that it had or was to have.
func (i *modelled) names(plan string) bool { return plan == i.plan || i.former[plan] }

func (w *world) bind(at place, id, plan, app string, size int, async bool) want {
	i := w.instances[at]
	switch {
	case !i.live():
		return absent(plan, async, notThere)
	case !i.names(plan):
		return invalid
	case !sorts()[i.plan].bindable, !sorts()[i.plan].fits(size):
		if b := (bound{app: app, size: size}); i.has(id, b) && (async || !sorts()[i.plan].async) {
			return w.bound(i, id, b)
		}
		return invalid
	case sorts()[i.plan].async && !async:
		return hurried
	}
	return w.bound(i, id, bound{app: app, size: size})
}

// bound answers a bind that is well-formed, or makes the binding.
func (w *world) bound(i *modelled, id string, b bound) want {
	had := i.bindings[id]
	switch {
	case had.live() && had.phase == deleting:
		return w.busy()
	case had.live() && (had.app != b.app || had.size != b.size || had.pred != b.pred):
		return want{status: 409}
	case had.live() && had.phase == creating:
		return w.accepted(&had.op, true)
	case had.live():
		return want{status: 200, credentials: &had.credentials}
	case i.phase != ready:
		return w.busy()
	}
	if old := i.bindings[b.pred]; b.pred != "" {
		switch {
		case old.phase == creating:
			return w.busy()
		case old.phase != ready:
			return want{status: 422}
		}
		old.phase = expiring
	}
	i.bindings[id] = &b
	if sorts()[i.plan].async {
		b.phase, b.last = creating, "in progress"
		return w.accepted(&b.op, false)
	}
	b.phase, b.last = ready, "succeeded"
	return want{status: 201, credentials: &b.credentials}
}

func (w *world) rotate(at place, id, pred string, async bool) want {
	i := w.instances[at]
	if !i.live() {
		return notThere
	}
	old := i.bindings[pred]
	switch {
	case old == nil:
		return invalid
	case i.has(id, bound{app: old.app, size: old.size, pred: pred}) && (async || !sorts()[i.plan].async):
	case !sorts()[i.plan].bindable:
		return invalid
	case sorts()[i.plan].async && !async:
		return hurried
	case !sorts()[i.plan].rotatable:
		return want{status: 422}
	}
	return w.bound(i, id, bound{app: old.app, size: old.size, pred: pred})
}

func (w *world) unbind(at place, id, plan string, async bool) want {
	i := w.instances[at]
	switch {
	case !i.live():
		return absent(plan, async, w.goneAlready())
	case !i.names(plan):
		return invalid
	case sorts()[i.plan].async && !async:
		return hurried
	}
	b := i.bindings[id]
	switch {
	case !b.live():
		return w.goneAlready()
	case b.phase == deleting:
		return w.accepted(&b.op, true)
	case sorts()[i.plan].async:
		b.phase, b.last = deleting, "in progress"
		return w.accepted(&b.op, false)
	}
	b.phase, b.last = gone, "succeeded"
	return want{status: 200}
}

func (w *world) remove(at place, plan string, async bool) want {
	i := w.instances[at]
	switch {
	case !i.live():
		return absent(plan, async, w.goneAlready())
	case !i.names(plan):
		return invalid
	case sorts()[i.plan].async && !async:
		return hurried
	case i.phase == deleting:
		return w.accepted(&i.op, true)
	}
	for _, b := range i.bindings {
		if b.live() && b.phase != deleting {
			b.phase, b.last, b.op = deleting, "in progress", ""
		}
	}
	i.phase, i.last = deleting, "in progress"
	if sorts()[i.plan].async {
		return w.accepted(&i.op, false)
	}
	w.end(i)
	return want{status: 200}
}

// end lets all work on an instance come to its end.
func (w *world) end(i *modelled) {
	for _, b := range i.bindings {
		switch b.phase {
		case creating:
			b.phase, b.last = ready, "succeeded"
		case deleting:
			b.phase, b.last = gone, "succeeded"
		}
	}
	switch i.phase {
	case creating:
		i.phase, i.last = ready, "succeeded"
	case updating:
		w.updated(i)
	case deleting:
		i.phase, i.last = gone, "succeeded"
	}
}

func (w *world) get(at place) want {
	switch i := w.instances[at]; {
	case i == nil:
		return notThere
	case i.phase == ready:
		return want{status: 200, plan: i.plan, size: i.size}
	case i.phase == updating:
		return w.busy()
	}
	return notThere
}

func (w *world) getBinding(at place, id string) want {
	if i := w.instances[at]; i != nil {
		if b := i.bindings[id]; b.live() && (b.phase == ready || b.phase == expiring) {
			return want{status: 200, credentials: &b.credentials}
		}
	}
	return notThere
}

func (w *world) poll(at place, binding string) want {
	i := w.instances[at]
	if i == nil {
		return notThere
	}
	if binding == "" {
		return want{status: 200, state: i.last}
	}
	if b := i.bindings[binding]; b != nil {
		return want{status: 200, state: b.last}
	}
	return notThere
}

// seen lists every credential and operation that a platform was told, for each must be its own.
func (w *world) seen() map[string]int {
	all := map[string]int{}
	for i := range maps.Values(w.instances) {
		for b := range maps.Values(i.bindings) {
			if b.credentials != "" {
				all[b.credentials]++
			}
		}
	}
	return all
}
