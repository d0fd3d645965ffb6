package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Market lists what the caller may buy.
func (c *Client) Market(ctx context.Context) ([]Offering, error) {
	return get[[]Offering](ctx, c, path("marketplace"), nil)
}

// Instances lists the live instances of a place, newest first.
func (c *Client) Instances(ctx context.Context, at Place) ([]Instance, error) {
	return get[[]Instance](ctx, c, path("instances"), at.query())
}

// Instance finds one by name or id.
func (c *Client) Instance(ctx context.Context, at Place, ref string) (Instance, error) {
	return get[Instance](ctx, c, path("instances", ref), at.query())
}

// CreateInstance asks for an instance; it is made while the answer is already here.
func (c *Client) CreateInstance(ctx context.Context, n NewInstance) (Ordered, error) {
	return post[Ordered](ctx, c, path("instances"), n)
}

// DestroyInstance asks for the end of an instance and of its bindings.
func (c *Client) DestroyInstance(ctx context.Context, id string) (Instance, error) {
	return call[Instance](ctx, c, http.MethodDelete, path("instances", id), nil, nil)
}

// Bindings lists the live bindings of a place, of an instance or of an app (names or ids; both may be empty).
func (c *Client) Bindings(ctx context.Context, at Place, instance, app string) ([]Binding, error) {
	q := at.query()
	if instance != "" {
		q.Set("instance", instance)
	}
	if app != "" {
		q.Set("app", app)
	}
	return get[[]Binding](ctx, c, path("bindings"), q)
}

// Binding finds one by id, without credentials.
func (c *Client) Binding(ctx context.Context, id string) (Binding, error) {
	return get[Binding](ctx, c, path("bindings", id), nil)
}

// Credentials finds a binding by id, with credentials in clear. The reading is audited.
func (c *Client) Credentials(ctx context.Context, id string) (Binding, error) {
	return get[Binding](ctx, c, path("bindings", id, "credentials"), nil)
}

// Bind asks for a binding.
func (c *Client) Bind(ctx context.Context, n NewBinding) (Binding, error) {
	return post[Binding](ctx, c, path("bindings"), n)
}

// UpdateInstance asks for a change; it is made while the answer is already here.
func (c *Client) UpdateInstance(ctx context.Context, at Place, ref string, change InstanceChange) (Updated, error) {
	return call[Updated](ctx, c, http.MethodPatch, path("instances", ref), at.query(), change)
}

// Rotate asks for new credentials under a binding's alias; the answer is the binding that replaces it.
func (c *Client) Rotate(ctx context.Context, id string) (Binding, error) {
	return post[Binding](ctx, c, path("bindings", id, "rotate"), nil)
}

// Unbind asks for the end of a binding.
func (c *Client) Unbind(ctx context.Context, id string) (Binding, error) {
	return call[Binding](ctx, c, http.MethodDelete, path("bindings", id), nil, nil)
}

// Operation finds one by id, once it has ended or wait (at most 30 seconds) has passed.
func (c *Client) Operation(ctx context.Context, id string, wait time.Duration) (Operation, error) {
	q := url.Values{}
	if wait > 0 {
		q.Set("wait", strconv.Itoa(int(wait.Seconds())))
	}
	return get[Operation](ctx, c, path("operations", id), q)
}

// Operations lists the market's operations, newest first; stuck: only those that need a person.
func (c *Client) Operations(ctx context.Context, stuck bool) ([]Operation, error) {
	q := url.Values{}
	if stuck {
		q.Set("stuck", "true")
	}
	return get[[]Operation](ctx, c, path("operations"), q)
}

// RetryOperation tries one that has work left now.
func (c *Client) RetryOperation(ctx context.Context, id string) (Operation, error) {
	return post[Operation](ctx, c, path("operations", id, "retry"), nil)
}

// PurgeOperation gives up a stuck delete; the answer's note says what may be left at the provider.
func (c *Client) PurgeOperation(ctx context.Context, id string, p Purge) (Operation, error) {
	return post[Operation](ctx, c, path("operations", id, "purge"), p)
}

// Apps lists the apps of a place.
func (c *Client) Apps(ctx context.Context, at Place) ([]App, error) {
	return get[[]App](ctx, c, path("apps"), at.query())
}

// App finds one by name or id.
func (c *Client) App(ctx context.Context, at Place, ref string) (App, error) {
	return get[App](ctx, c, path("apps", ref), at.query())
}

// CreateApp makes an app.
func (c *Client) CreateApp(ctx context.Context, n NewApp) (App, error) {
	return post[App](ctx, c, path("apps"), n)
}

// Environment gives an app's variables written in a format: dotenv, shell, json… The reading is audited.
func (c *Client) Environment(ctx context.Context, at Place, app, format string) ([]byte, error) {
	q := at.query()
	q.Set("format", format)
	return c.do(ctx, http.MethodGet, path("apps", app, "env"), q, nil)
}

// Variables gives an app's environment. The reading is audited.
func (c *Client) Variables(ctx context.Context, at Place, app string) (map[string]string, error) {
	q := at.query()
	q.Set("format", "json")
	return get[map[string]string](ctx, c, path("apps", app, "env"), q)
}
