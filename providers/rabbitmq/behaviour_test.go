package rabbitmq_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/providertest"
	"github.com/sutlerhq/sutler/providers/rabbitmq"
)

func driver(s *local.Server) *rabbitmq.Driver {
	return rabbitmq.New(rabbitmq.Settings{Server: rabbitmq.At(place(s))})
}

// tight is a plan whose every limit is soon reached.
func tight() catalog.Plan {
	return catalog.Plan{Name: "tight", Limits: catalog.Limits{"connections": 2, "queues": 3, "queue_length": 5, "storage_bytes": 4000}}
}

func made(t testing.TB, d *rabbitmq.Driver, id string, p catalog.Plan) providers.Instance {
	t.Helper()
	i := providers.Instance{ID: id, Plan: p, Params: json.RawMessage(`{}`)}
	if p, err := d.Provision(t.Context(), i); err != nil || !p.Done {
		t.Fatalf("%+v %v", p, err)
	}
	t.Cleanup(func() {
		if _, err := d.Deprovision(context.Background(), i); err != nil {
			t.Error(err)
		}
	})
	return i
}

func bound(t testing.TB, d *rabbitmq.Driver, i providers.Instance, id string) (providers.Binding, string) {
	t.Helper()
	b := providers.Binding{ID: id, Seed: []byte("0123456789abcdef" + id)}
	g, p, err := d.Bind(t.Context(), i, b)
	if err != nil || !p.Done {
		t.Fatalf("%+v %v", p, err)
	}
	return b, g.Credentials["uri"].(string)
}

func connect(t testing.TB, uri string) *rabbitmq.App {
	t.Helper()
	a, err := dial(uri)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// eventually asks until ok: the management plugin's figures come late.
func eventually(t testing.TB, what string, ok func() (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		good, err := ok()
		if good && err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func TestConnectionsAndQueuesAreHeld(t *testing.T) {
	d := driver(server(t))
	i := made(t, d, "ins_held", tight())
	b, uri := bound(t, d, i, "bnd_held")
	first := connect(t, uri)
	connect(t, uri)
	if third, err := dial(uri); err == nil {
		third.Close()
		t.Error("one connection more than the plan allows")
	}
	for n := range 3 {
		if err := first.Put(t.Context(), strconv.Itoa(n), "x"); err != nil {
			t.Fatal(err)
		}
	}
	if err := first.Put(t.Context(), "one more", "x"); err == nil {
		t.Error("one queue more than the plan allows")
	}
	if _, err := d.Unbind(t.Context(), i, b); err != nil {
		t.Errorf("an app that uses all connections cannot be unbound: %v", err)
	}
}

// fill publishes n messages of a size to a queue, which it declares with arguments, confirmed.
func fill(ctx context.Context, a *rabbitmq.App, queue string, args amqp.Table, n, size int) error {
	return a.With(func(ch *amqp.Channel) error {
		if _, err := ch.QueueDeclare(queue, true, false, false, false, args); err != nil {
			return err
		}
		if err := ch.Confirm(false); err != nil {
			return err
		}
		for range n {
			sure, err := ch.PublishWithDeferredConfirmWithContext(ctx, "", queue, true, false, amqp.Publishing{Body: make([]byte, size)})
			if err != nil {
				return err
			}
			if _, err := sure.WaitContext(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// endless asks for a longer queue than any plan has.
func endless() amqp.Table { return amqp.Table{"x-max-length": 1_000_000} }

func length(a *rabbitmq.App, queue string) (n int, err error) {
	err = a.With(func(ch *amqp.Channel) error {
		q, err := ch.QueueDeclarePassive(queue, true, false, false, false, nil)
		n = q.Messages
		return err
	})
	return n, err
}

func TestLengthIsHeldWhateverTheQueueAsksFor(t *testing.T) {
	d := driver(server(t))
	i := made(t, d, "ins_length", tight())
	_, uri := bound(t, d, i, "bnd_length")
	a := connect(t, uri)
	if err := fill(t.Context(), a, "many", endless(), 20, 1); err != nil {
		t.Fatal(err)
	}
	if n, err := length(a, "many"); err != nil || n != 5 {
		t.Errorf("%d messages are kept, %v", n, err)
	}
	wide := i
	wide.Plan = tight()
	wide.Plan.Limits["queue_length"] = 8
	if _, err := d.Update(t.Context(), i, wide); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the new length", func() (bool, error) {
		if err := fill(t.Context(), a, "many", endless(), 20, 1); err != nil {
			return false, err
		}
		n, err := length(a, "many")
		return n == 8, err
	})
}

func TestStorageIsWatched(t *testing.T) {
	d := driver(server(t))
	i := made(t, d, "ins_storage", tight())
	_, uri := bound(t, d, i, "bnd_storage")
	a := connect(t, uri)
	if over, err := d.Watch(t.Context(), i); err != nil || len(over) != 0 {
		t.Errorf("%+v %v", over, err)
	}
	for _, queue := range []string{"a", "b"} { // each within the limit, both together past it
		if err := fill(t.Context(), a, queue, endless(), 3, 1000); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the excess", func() (bool, error) {
		over, err := d.Watch(t.Context(), i)
		return len(over) == 1 && over[0].Limit == "storage_bytes" && over[0].Used == 6000 && !over[0].Held, err
	})
}

func TestInspectShowsSessionsByBinding(t *testing.T) {
	d := driver(server(t))
	i := made(t, d, "ins_sessions", tight())
	_, uri := bound(t, d, i, "bnd_'quoted\\ größe")
	bound(t, d, i, "bnd_quiet")
	connect(t, uri)
	eventually(t, "the session", func() (bool, error) {
		in, err := d.Inspect(t.Context(), i)
		return in.Exists && len(in.Sessions) == 2 && in.Sessions["bnd_'quoted\\ größe"] == 1, err
	})
}

func TestRemovedByHand(t *testing.T) {
	s := server(t)
	d := driver(s)
	i := made(t, d, "ins_byhand", tight())
	b, uri := bound(t, d, i, "bnd_byhand")
	vhost := uri[strings.LastIndex(uri, "/")+1:]
	if err := done(administrator(t, s).DeleteVhost(vhost)); err != nil {
		t.Fatal(err)
	}
	if in, err := d.Inspect(t.Context(), i); err != nil || in.Exists {
		t.Errorf("%+v %v", in, err)
	}
	if _, _, err := d.Bind(t.Context(), i, b); fault.KindOf(err) != fault.Refused {
		t.Errorf("bind: %v", err)
	}
	if _, err := d.Read(t.Context(), i); fault.KindOf(err) != fault.Refused {
		t.Errorf("read: %v", err)
	}
	if p, err := d.Unbind(t.Context(), i, b); err != nil || !p.Done {
		t.Errorf("unbind: %v", err)
	}
}

func TestUnreachableServerIsUnavailable(t *testing.T) {
	d := rabbitmq.New(rabbitmq.Settings{Server: rabbitmq.At(rabbitmq.Server{Admin: "http://admin:hunter2@127.0.0.1:1", AMQP: "127.0.0.1:1"})})
	p := providers.New(providers.Settings{Name: "rabbit"}, d, nil)
	_, err := p.Provision(t.Context(), providers.Instance{ID: "ins_x"})
	if fault.KindOf(err) != fault.Unavailable || strings.Contains(fmt.Sprint(err, errors.Unwrap(err)), "hunter2") {
		t.Errorf("got %v", err)
	}
}

func reading(t testing.TB, d *rabbitmq.Driver, i providers.Instance, metric string) (int64, string) {
	t.Helper()
	list, err := d.Read(t.Context(), i)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		if r.Metric == metric {
			n, err := strconv.ParseInt(r.Value.String(), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n, r.Epoch
		}
	}
	t.Fatalf("no %s", metric)
	return 0, ""
}

// restartKeeps starts the server again, and expects a suspension and what was written to outlive that, and the counts to begin a new epoch.
func restartKeeps(ctx context.Context, t *testing.T, d *rabbitmq.Driver) error {
	t.Helper()
	i := made(t, d, "ins_epoch", tight())
	_, uri := bound(t, d, i, "bnd_epoch")
	if err := connect(t, uri).Put(ctx, "q", "kept"); err != nil {
		return err
	}
	if _, err := d.Suspend(ctx, i); err != nil {
		return err
	}
	_, before := reading(t, d, i, "messages")
	if err := restart(ctx); err != nil {
		return err
	}
	n, after := reading(t, d, i, "messages")
	if b, e := reading(t, d, i, "bytes"); after == before || e != after || n != 0 || b != 0 {
		t.Errorf("after a restart: %d messages, %d bytes in %s and %s, before in %s", n, b, after, e, before)
	}
	if a, err := dial(uri); err == nil {
		a.Close()
		t.Error("a restart opened a suspended instance")
	}
	if _, err := d.Resume(ctx, i); err != nil {
		return err
	}
	if got, err := connect(t, uri).Get(ctx, "q"); err != nil || got != "kept" {
		t.Errorf("the message did not outlive the restart: %q %v", got, err)
	}
	return nil
}

func TestHowLongItTakes(t *testing.T) {
	s := server(t)
	d, root := driver(s), administrator(t, s)
	var emptyVhost, provision, plainUser, bind, unbind, removed time.Duration
	const rounds = 5
	took := func(into *time.Duration, f func() error) {
		t.Helper()
		began := time.Now()
		if err := f(); err != nil {
			t.Fatal(err)
		}
		*into += time.Since(began)
	}
	for n := range rounds {
		i := providers.Instance{ID: "ins_time" + strconv.Itoa(n), Plan: tight()}
		b := providers.Binding{ID: "bnd_time" + strconv.Itoa(n), Seed: make([]byte, 32)}
		took(&emptyVhost, func() error { return done(root.PutVhost("bare", bareVhost())) })
		took(&provision, func() error { _, err := d.Provision(t.Context(), i); return err })
		took(&plainUser, func() error { return done(root.PutUser("bare", bareUser())) })
		var g providers.Grant
		took(&bind, func() (err error) { g, _, err = d.Bind(t.Context(), i, b); return err })
		connect(t, g.Credentials["uri"].(string))
		took(&unbind, func() error { _, err := d.Unbind(t.Context(), i, b); return err })
		took(&removed, func() error { _, err := d.Deprovision(t.Context(), i); return err })
		if err := errors.Join(done(root.DeleteVhost("bare")), done(root.DeleteUser("bare"))); err != nil {
			t.Fatal(err)
		}
	}
	providertest.KeepTimings(t, "rabbitmq",
		providertest.Timing{Verb: "provision", Mean: provision / rounds, Bare: "PUT vhost", Base: emptyVhost / rounds, Rounds: rounds},
		providertest.Timing{Verb: "bind", Mean: bind / rounds, Bare: "PUT user", Base: plainUser / rounds, Rounds: rounds},
		providertest.Timing{Verb: "unbind", Mean: unbind / rounds, Note: "with an open connection", Rounds: rounds},
		providertest.Timing{Verb: "deprovision", Mean: removed / rounds, Rounds: rounds})
}
