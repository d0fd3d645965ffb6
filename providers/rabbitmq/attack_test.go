package rabbitmq_test

import (
	"context"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/sutlerhq/sutler/providers/rabbitmq"
)

// queueOf declares a queue on a channel of its own, with arguments, and gives the server's refusal.
func queueOf(a *rabbitmq.App, name string, exclusive bool, args amqp.Table) error {
	return a.With(func(ch *amqp.Channel) error {
		_, err := ch.QueueDeclare(name, !exclusive, false, exclusive, false, args)
		return err
	})
}

// What an app writes into a queue's declaration bounds a queue further, and never less than the plan does.
func TestNoArgumentOutbidsThePlan(t *testing.T) {
	d := driver(server(t))
	i := made(t, d, "ins_outbid", tight())
	_, uri := bound(t, d, i, "bnd_outbid")
	a := connect(t, uri)
	for name, args := range map[string]amqp.Table{
		"length": {"x-max-length": int64(1 << 40), "x-max-length-bytes": int64(1 << 50)},
		"lazy":   {"x-queue-mode": "lazy"},
		"reject": {"x-overflow": "reject-publish"},
	} {
		if err := queueOf(a, name, false, args); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		err := a.With(func(ch *amqp.Channel) error {
			for range 30 {
				if err := ch.PublishWithContext(t.Context(), "", name, true, false, amqp.Publishing{Body: []byte("x")}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, name, func() (bool, error) { n, err := length(a, name); return n == 5, err })
	}
	if err := queueOf(a, "one more", false, nil); err == nil {
		t.Error("a fourth queue where the plan has three")
	}
	for _, args := range []amqp.Table{nil, {"x-queue-type": "stream"}, {"x-queue-type": "quorum"}} {
		if err := queueOf(a, "one more", len(args) == 0, args); err == nil {
			t.Errorf("a fourth queue by %v, exclusive or not", args)
		}
	}
}

// Streams and quorum queues keep messages in ways of their own; the plan holds them all the same, whatever their declaration asks for.
func TestStreamsAndQuorumQueuesAreHeld(t *testing.T) {
	d := driver(server(t))
	i := made(t, d, "ins_kinds", tight())
	_, uri := bound(t, d, i, "bnd_kinds")
	a := connect(t, uri)
	for kind, args := range map[string]amqp.Table{
		"quorum":      {"x-max-length": int64(1 << 40)},
		"stream":      {},
		"wide stream": {"x-max-length-bytes": int64(1 << 40), "x-stream-max-segment-size-bytes": int64(1 << 30), "x-max-age": "1Y"},
	} {
		args["x-queue-type"] = kind[len(kind)-6:]
		if err := queueOf(a, kind, false, args); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if err := fill(t.Context(), a, kind, args, 400, 1000); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
	}
	for _, kind := range []string{"stream", "wide stream"} {
		eventually(t, kind, func() (bool, error) {
			n, err := eldest(t.Context(), a, kind)
			return n >= 250, err // of 400: it keeps the segment that is written to
		})
	}
	if n, err := length(a, "quorum"); err != nil || n > 5 {
		t.Errorf("the quorum queue keeps %d messages, %v", n, err)
	}
}

// eldest gives the number of the first message that a stream has.
func eldest(ctx context.Context, a *rabbitmq.App, stream string) (n int64, err error) {
	err = a.With(func(ch *amqp.Channel) error {
		if err := ch.Qos(1, 0, false); err != nil {
			return err
		}
		messages, err := ch.ConsumeWithContext(ctx, stream, "", false, false, false, false, amqp.Table{"x-stream-offset": "first"})
		if err != nil {
			return err
		}
		m := <-messages
		n, _ = m.Headers["x-stream-offset"].(int64)
		return nil
	})
	return n, err
}

// A login that is taken away answers nothing and leaves nothing that another could not use: replies by the direct way, exclusive queues, consumers.
func TestNothingOutlivesTheLogin(t *testing.T) {
	d := driver(server(t))
	i := made(t, d, "ins_outlive", tight())
	b, uri := bound(t, d, i, "bnd_outlive")
	_, other := bound(t, d, i, "bnd_stays")
	a, c := connect(t, uri), connect(t, other)
	ch, err := a.Conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	replies, err := ch.Consume("amq.rabbitmq.reply-to", "", true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclare("only mine", false, false, true, false, nil); err != nil {
		t.Fatal(err)
	}
	if err := queueOf(c, "asked", false, nil); err != nil {
		t.Fatal(err)
	}
	if err := ch.PublishWithContext(t.Context(), "", "asked", true, false, amqp.Publishing{ReplyTo: "amq.rabbitmq.reply-to", Body: []byte("?")}); err != nil {
		t.Fatal(err)
	}
	var way string
	reply := func() error {
		return c.With(func(ch *amqp.Channel) error {
			if err := ch.Confirm(false); err != nil {
				return err
			}
			sure, err := ch.PublishWithDeferredConfirmWithContext(t.Context(), "", way, false, false, amqp.Publishing{Body: []byte("!")})
			if err != nil {
				return err
			}
			_, err = sure.WaitContext(t.Context())
			return err
		})
	}
	eventually(t, "the question", func() (bool, error) {
		return way != "", c.With(func(ch *amqp.Channel) error {
			m, ok, err := ch.Get("asked", true)
			if ok {
				way = m.ReplyTo
			}
			return err
		})
	})
	if err := reply(); err != nil {
		t.Fatal(err)
	}
	if m := <-replies; string(m.Body) != "!" {
		t.Fatalf("the reply is %q", m.Body)
	}
	if _, err := d.Unbind(t.Context(), i, b); err != nil {
		t.Fatal(err)
	}
	if err := reply(); err != nil {
		t.Errorf("a reply to nobody breaks the one who gives it: %v", err)
	}
	if m, ok := <-replies; ok {
		t.Errorf("a reply came after Unbind: %q", m.Body)
	}
	if err := ch.PublishWithContext(t.Context(), "", "asked", false, false, amqp.Publishing{}); err == nil {
		t.Error("the channel takes messages after Unbind")
	}
	eventually(t, "the exclusive queue's end", func() (bool, error) { return queueOf(c, "only mine", false, nil) == nil, nil })
}
