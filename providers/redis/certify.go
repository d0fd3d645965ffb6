package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"

	client "github.com/redis/go-redis/v9"

	"github.com/sutlerhq/sutler/providers"
)

// App is one open connection, as an app has it: what conformance is tested with. It writes below the prefix that it was given.
type App struct {
	*client.Conn
	c      *client.Client
	Prefix string
}

func options(credentials map[string]any) (*client.Options, error) {
	o, err := client.ParseURL(fmt.Sprint(credentials["uri"]))
	if err != nil {
		return nil, err
	}
	if o.TLSConfig != nil {
		if o.TLSConfig.RootCAs, err = providers.Authority(credentials); err != nil {
			return nil, err
		}
	}
	o.DisableIdentity, o.MaxRetries, o.Protocol, o.ContextTimeoutEnabled = true, -1, 2, true
	return o, nil
}

// Login connects as an app does: with the credentials of a binding and nothing else.
func Login(ctx context.Context, credentials map[string]any) (*App, error) {
	o, err := options(credentials)
	if err != nil {
		return nil, err
	}
	prefix, _ := credentials["prefix"].(string)
	opened := false
	o.Dialer = func(ctx context.Context, network, address string) (net.Conn, error) { // one connection, never a second one instead
		if opened {
			return nil, net.ErrClosed
		}
		opened = true
		if o.TLSConfig != nil {
			return (&tls.Dialer{Config: o.TLSConfig}).DialContext(ctx, network, address)
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	c := client.NewClient(o)
	a := &App{Conn: c.Conn(), c: c, Prefix: prefix}
	if err := a.Ping(ctx).Err(); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// Put keeps a value under a key.
func (a *App) Put(ctx context.Context, key, value string) error {
	return a.Set(ctx, a.Prefix+key, value, 0).Err()
}

// Get gives the value under a key, "" when there is none.
func (a *App) Get(ctx context.Context, key string) (string, error) {
	value, err := a.Conn.Get(ctx, a.Prefix+key).Result()
	if errors.Is(err, client.Nil) {
		err = nil
	}
	return value, err
}

// Keys lists what can be seen: on a shared server only what one asks for by name.
func (a *App) Keys(ctx context.Context) ([]string, error) {
	keys, err := a.Conn.Keys(ctx, "*").Result()
	if a.Prefix != "" && err != nil && strings.HasPrefix(err.Error(), "NOPERM") {
		return nil, nil
	}
	return keys, err
}

// Close ends the connection.
func (a *App) Close() {
	_ = a.Conn.Close()
	_ = a.c.Close()
}
