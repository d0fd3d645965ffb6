package fake

import (
	"context"
	"maps"
	"slices"
)

// App is one open session, as an app has it: what conformance is tested with.
type App struct{ *Session }

// Login connects as an app does: with the credentials of a binding and nothing else.
func (d *Driver) Login(_ context.Context, credentials map[string]any) (*App, error) {
	s, err := d.Connect(credentials)
	if err != nil {
		return nil, err
	}
	return &App{s}, nil
}

// Put keeps a value under a key.
func (a *App) Put(_ context.Context, key, value string) error { return a.Session.Put(key, value) }

// Get gives the value under a key, "" when there is none.
func (a *App) Get(_ context.Context, key string) (string, error) { return a.Session.Get(key) }

// Keys lists the keys that can be seen.
func (a *App) Keys(context.Context) ([]string, error) { return a.Session.Keys() }

// Trespass tries the objects of theirs, which hold the key "secret", with the login of mine. It names the first way in, "" when there is none.
func (d *Driver) Trespass(ctx context.Context, mine, theirs map[string]any) (way string, err error) {
	a, err := d.Login(ctx, mine)
	if err != nil {
		return "", err
	}
	defer a.Close()
	if keys, err := a.Keys(ctx); err != nil || slices.Contains(keys, "secret") {
		return "the list of their keys", err
	}
	mixed := maps.Clone(theirs)
	mixed["password"] = mine["password"]
	if b, err := d.Login(ctx, mixed); err == nil {
		b.Close()
		return "their name with one's own password", nil
	}
	return "", nil
}

// Cling fills the object and changes the login's own password.
func (d *Driver) Cling(ctx context.Context, a *App) error {
	for _, key := range []string{"mine", `it's "mine"`, "größe 🐘"} {
		if err := a.Put(ctx, key, "x"); err != nil {
			return err
		}
	}
	return d.edit(a.object, func(o *object) error {
		l := o.Logins[a.binding]
		l.Password = "changed by the app itself"
		o.Logins[a.binding] = l
		return nil
	})
}
