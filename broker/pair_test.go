package broker

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/fake"
)

// pair is a market of two providers of one kind.
type pair struct {
	*market
	there *fake.Driver
}

func newPair(t *testing.T, db *database.DB) pair {
	t.Helper()
	k := &books{db: db, events: map[string]catalog.Event{}}
	p := pair{there: fake.New(fake.Options{Name: "other"})}
	p.market = join(t, db, fake.New(fake.Options{}), k, filepath.Join(t.TempDir(), "master.key"), "one", p.other(t))
	return p
}

func (p pair) other(t *testing.T) *providers.Provider {
	t.Helper()
	o := providers.New(providers.Settings{Name: "others", Region: "there", Driver: "fake", Failures: 1000}, p.there, slog.New(slog.DiscardHandler))
	if err := o.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	return o
}

// used is an instance that an app is bound to and has written to.
func (p pair) inUse(t *testing.T) (Instance, Binding) {
	t.Helper()
	i := p.made(t, "sync", "orders")
	bd, _, err := p.Bind(t.Context(), ada, BindOrder{Instance: i.ID, App: "app_a"})
	if err != nil {
		t.Fatal(err)
	}
	p.ends(t, bd.Operation.ID, succeeded)
	p.put(t, p.driver, "greeting", "hello")
	return i, bd
}

// env is what the app is given: one set of credentials, of the alias FAKE.
func (p pair) env(t *testing.T) Credentials {
	t.Helper()
	all, err := p.AppCredentials(t.Context(), ada, "app_a")
	if err != nil || len(all) != 1 || all[0].Binding.Alias != "FAKE" {
		t.Fatalf("%+v %v", all, err)
	}
	return all[0]
}

func (p pair) put(t *testing.T, d *fake.Driver, key, value string) {
	t.Helper()
	s, err := d.Connect(p.env(t).Values)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Put(key, value); err != nil {
		t.Fatal(err)
	}
}

func (p pair) holds(t *testing.T, d *fake.Driver, key, value string) {
	t.Helper()
	s, err := d.Connect(p.env(t).Values)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, err := s.Get(key); err != nil || got != value {
		t.Fatalf("%q %v, want %q", got, err, value)
	}
}

func (p pair) moves(t *testing.T, instance string) Move {
	t.Helper()
	m, choice, err := p.Move(t.Context(), ada, MoveOrder{Instance: instance, Provider: "others", Plan: "sync", Currency: "EUR"})
	if err != nil || choice.Offering.Provider != "others" || m.State != movePreparing {
		t.Fatal(m, choice, err)
	}
	return m
}

// comes waits until the move of an instance is in a state.
func (m *market) comes(t *testing.T, instance, state string) Move {
	t.Helper()
	var mv Move
	eventually(t, "a move that is "+state, func() bool {
		var err error
		if mv, err = m.MoveOf(t.Context(), ada, instance); err != nil || mv.State != state && !mv.EndedAt.IsZero() {
			t.Fatalf("it is %s (%s), want %s: %v", mv.State, mv.Note, state, err)
		}
		return mv.State == state
	})
	return mv
}
