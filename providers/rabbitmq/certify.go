package rabbitmq

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/sutlerhq/sutler/providers"
)

// App is a connection as an app has it: what conformance is tested with. A value is the one message of a durable queue named after its key.
type App struct {
	Conn  *amqp.Connection
	names []string // queues it looks for: AMQP lists none
}

// Login connects as an app does: with the credentials of a binding and nothing else.
func Login(_ context.Context, credentials map[string]any) (*App, error) {
	uri, _ := credentials["uri"].(string)
	roots, err := providers.Authority(credentials)
	if err != nil {
		return nil, err
	}
	trust := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots} // used by amqps:// alone
	c, err := amqp.DialConfig(uri, amqp.Config{Heartbeat: 10 * time.Second, TLSClientConfig: trust, Dial: func(network, addr string) (net.Conn, error) {
		return net.DialTimeout(network, addr, 10*time.Second)
	}})
	if err != nil {
		return nil, err
	}
	return &App{c, []string{"secret", "mine"}}, nil
}

// With runs f on a channel of its own: an error closes the channel.
func (a *App) With(f func(ch *amqp.Channel) error) error {
	ch, err := a.Conn.Channel()
	if err != nil {
		return err
	}
	return errors.Join(f(ch), quiet(ch.Close()))
}

// quiet takes "it is closed already" for a good end: the error that closed it has been told.
func quiet(err error) error {
	if errors.Is(err, amqp.ErrClosed) {
		return nil
	}
	return err
}

// Put keeps a value under a key.
func (a *App) Put(ctx context.Context, key, value string) error {
	return a.With(func(ch *amqp.Channel) error {
		if _, err := ch.QueueDeclare(key, true, false, false, false, nil); err != nil {
			return err
		}
		if err := ch.Confirm(false); err != nil {
			return err
		}
		if _, err := ch.QueuePurge(key, false); err != nil {
			return err
		}
		sure, err := ch.PublishWithDeferredConfirmWithContext(ctx, "", key, true, false, amqp.Publishing{Body: []byte(value), DeliveryMode: amqp.Persistent})
		if err != nil {
			return err
		}
		if ok, err := sure.WaitContext(ctx); err != nil || !ok {
			return fmt.Errorf("not confirmed: %w", errors.Join(err, amqp.ErrClosed))
		}
		return nil
	})
}

// Get gives the value under a key, "" when there is none.
func (a *App) Get(_ context.Context, key string) (value string, err error) {
	err = a.With(func(ch *amqp.Channel) error {
		m, ok, err := ch.Get(key, false)
		if err != nil || !ok {
			return err
		}
		value = string(m.Body)
		return m.Nack(false, true)
	})
	if e := new(amqp.Error); errors.As(err, &e) && e.Code == amqp.NotFound {
		return "", nil
	}
	return value, err
}

// Keys lists the keys that can be seen.
func (a *App) Keys(context.Context) (list []string, err error) {
	for _, name := range a.names {
		err := a.With(func(ch *amqp.Channel) error {
			_, err := ch.QueueDeclarePassive(name, true, false, false, false, nil)
			return err
		})
		if err == nil {
			list = append(list, name)
		}
	}
	return list, nil
}

// Close ends the connection.
func (a *App) Close() { _ = a.Conn.Close() } // it may be dead: that is what the tests are about
