package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// signNATS sends itself a message, and where the plan has JetStream keeps the entry in a key-value bucket and reads it back.
func signNATS(ctx context.Context, address, entry string) (string, error) {
	nc, err := nats.Connect(address, nats.Name("guestbook"), nats.Timeout(5*time.Second))
	if err != nil {
		return "", err
	}
	defer nc.Close()
	if err := echo(ctx, nc, entry); err != nil {
		return "", err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return "", err
	}
	kv, err := bucket(ctx, js)
	if errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) || errors.Is(err, jetstream.ErrJetStreamNotEnabled) {
		return fmt.Sprintf("heard its own message %q", entry), nil
	}
	if err != nil {
		return "", fmt.Errorf("key-value bucket: %w", err)
	}
	if _, err := kv.PutString(ctx, "last", entry); err != nil {
		return "", err
	}
	got, err := kv.Get(ctx, "last")
	if err != nil {
		return "", err
	}
	if string(got.Value()) != entry {
		return "", fmt.Errorf("put %q and got %q", entry, got.Value())
	}
	return fmt.Sprintf("heard its own message, key %q revision %d says %q", got.Key(), got.Revision(), got.Value()), nil
}

// bucket takes the guestbook's bucket, or makes it, small enough for the smallest plan.
func bucket(ctx context.Context, js jetstream.JetStream) (jetstream.KeyValue, error) {
	kv, err := js.KeyValue(ctx, "guestbook")
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: "guestbook", MaxBytes: 1 << 20})
	}
	return kv, err
}

// echo subscribes, publishes, and waits to hear it.
func echo(ctx context.Context, nc *nats.Conn, entry string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	sub, err := nc.SubscribeSync("guestbook.entries")
	if err != nil {
		return err
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := nc.Publish("guestbook.entries", []byte(entry)); err != nil {
		return err
	}
	for {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return fmt.Errorf("its own message did not come back: %w", err)
		}
		if string(m.Data) == entry {
			return nil
		}
	}
}
