package nats

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/sutlerhq/sutler/providers"
)

// App is one open connection, as an app has it: what conformance is tested with. Its keys are those of a key-value bucket.
type App struct {
	Conn *natsgo.Conn
	js   jetstream.JetStream
}

// Login connects as an app does: with the credentials of a binding and nothing else.
func Login(_ context.Context, credentials map[string]any) (*App, error) {
	c, err := Dial(credentials)
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(c)
	if err != nil {
		c.Close()
		return nil, err
	}
	return &App{c, js}, nil
}

// Dial opens one connection with a binding's credentials: a login in the address, or a creds file of its own. It never tries again.
func Dial(credentials map[string]any, more ...natsgo.Option) (*natsgo.Conn, error) {
	options := append(more, natsgo.NoReconnect(), natsgo.Timeout(5*time.Second))
	if creds, ok := credentials["creds"].(string); ok {
		options = append(options, natsgo.UserCredentialBytes([]byte(creds)))
	}
	roots, err := providers.Authority(credentials)
	if err != nil {
		return nil, err
	}
	if roots != nil {
		options = append(options, natsgo.Secure(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}))
	}
	return natsgo.Connect(fmt.Sprint(credentials["uri"]), options...)
}

func (a *App) bucket(ctx context.Context) (jetstream.KeyValue, error) {
	if a.Conn.IsClosed() {
		return nil, natsgo.ErrConnectionClosed
	}
	for late := time.Now().Add(startDeadline); ; {
		kv, err := a.js.KeyValue(ctx, "notes")
		if errors.Is(err, jetstream.ErrBucketNotFound) {
			kv, err = a.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: "notes", MaxBytes: 1 << 20})
		}
		if !news(err) || time.Now().After(late) {
			return kv, err
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// storeFailed is JetStream's code for a stream whose store could not be made.
const storeFailed = 10049

// news tells whether an answer is of a node of a cluster that has just heard of the account, and cannot store anything yet.
func news(err error) bool {
	api, ok := errors.AsType[*jetstream.APIError](err)
	return ok && (api.ErrorCode == storeFailed || api.ErrorCode == jetstream.JSErrCodeJetStreamNotEnabledForAccount)
}

// Put keeps a value under a key.
func (a *App) Put(ctx context.Context, key, value string) error {
	kv, err := a.bucket(ctx)
	if err != nil {
		return err
	}
	_, err = kv.PutString(ctx, key, value)
	return err
}

// Get gives the value under a key, "" when there is none.
func (a *App) Get(ctx context.Context, key string) (string, error) {
	kv, err := a.bucket(ctx)
	if err != nil {
		return "", err
	}
	e, err := kv.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return string(e.Value()), nil
}

// Keys lists the keys that can be seen.
func (a *App) Keys(ctx context.Context) ([]string, error) {
	kv, err := a.bucket(ctx)
	if err != nil {
		return nil, err
	}
	keys, err := kv.Keys(ctx)
	if errors.Is(err, jetstream.ErrNoKeysFound) {
		return nil, nil
	}
	return keys, err
}

// Close ends the connection.
func (a *App) Close() { a.Conn.Close() }
