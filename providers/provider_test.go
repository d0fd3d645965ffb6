package providers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/fake"
)

// scripted does what the test says, at every verb of the bare contract.
type scripted struct {
	do    func(ctx context.Context) (providers.Progress, error)
	calls atomic.Int64
}

func (s *scripted) Offerings(context.Context) ([]catalog.Offering, error) {
	return []catalog.Offering{{Name: "thing", Plans: []catalog.Plan{{Name: "one"}}}}, nil
}

func (s *scripted) Provision(ctx context.Context, _ providers.Instance) (providers.Progress, error) {
	s.calls.Add(1)
	return s.do(ctx)
}

func (s *scripted) Deprovision(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	return s.Provision(ctx, i)
}

func (s *scripted) Bind(ctx context.Context, i providers.Instance, _ providers.Binding) (providers.Grant, providers.Progress, error) {
	p, err := s.Provision(ctx, i)
	return providers.Grant{Credentials: map[string]any{"password": "hunter2"}}, p, err
}

func (s *scripted) Unbind(ctx context.Context, i providers.Instance, _ providers.Binding) (providers.Progress, error) {
	return s.Provision(ctx, i)
}

// probed adds a probe.
type probed struct {
	scripted
	answer atomic.Pointer[error]
	probes atomic.Int32
}

func (p *probed) Probe(context.Context) error {
	p.probes.Add(1)
	if e := p.answer.Load(); e != nil {
		return *e
	}
	return nil
}

func always(err error) func(context.Context) (providers.Progress, error) {
	return func(context.Context) (providers.Progress, error) { return providers.Progress{}, err }
}

func TestErrorsAreClassed(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connect: connection refused")}
	for name, c := range map[string]struct {
		err  error
		want fault.Kind
	}{
		"unclassed":     {errors.New("boom"), fault.ProviderFailed},
		"deadline":      {fmt.Errorf("query: %w", context.DeadlineExceeded), fault.Timeout},
		"network":       {fmt.Errorf("dial: %w", refused), fault.Unavailable},
		"fault kept":    {fault.Invalid.Errorf("no"), fault.Invalid},
		"fault wrapped": {fmt.Errorf("deeper: %w", fault.Refused.Errorf("no")), fault.Refused},
		"bare kind":     {fmt.Errorf("deeper: %w", fault.Conflict), fault.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			p := providers.New(providers.Settings{Name: "p"}, &scripted{do: always(c.err)}, nil)
			_, err := p.Provision(t.Context(), providers.Instance{ID: "ins_1"})
			if got := fault.KindOf(err); got != c.want {
				t.Fatalf("kind %s, want %s (%v)", got, c.want, err)
			}
			if strings.Contains(err.Error(), "boom") || strings.Contains(err.Error(), "dial") {
				t.Fatalf("the driver's own text reached the caller: %q", err)
			}
		})
	}
}

func TestSecretsStayOutOfLogAndErrors(t *testing.T) {
	leaks := []error{
		errors.New(`cannot connect to "postgres://admin:hunter2@db/postgres"`),
		errors.New("connect: host=db user=admin password=hunter2 dbname=x"),
		errors.New(`syntax error near: CREATE ROLE x PASSWORD 'hunter2'`),
		errors.New(`{"username":"x","password":"hunter2"}`),
		fault.Refused.Wrap(errors.New("secret: hunter2"), "no entry for nats://u:hunter2@h"),
	}
	for _, leak := range leaks {
		var log bytes.Buffer
		p := providers.New(providers.Settings{Name: "p"}, &scripted{do: always(leak)}, slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
		g, _, err := p.Bind(t.Context(), providers.Instance{ID: "ins_1", Params: json.RawMessage(`{"x":"hunter2"}`)}, providers.Binding{ID: "bnd_1"})
		text := log.String() + err.Error() + fmt.Sprint(fault.Of(err).Unwrap())
		if strings.Contains(text, "hunter2") {
			t.Errorf("leaked: %s", text)
		}
		if g.Credentials != nil {
			t.Error("a failed bind granted credentials")
		}
		if !strings.Contains(log.String(), "bnd_1") {
			t.Errorf("the failure was not logged: %s", log.String())
		}
	}
}

func TestStateComesBackBesideAnError(t *testing.T) {
	d := &scripted{do: func(context.Context) (providers.Progress, error) {
		return providers.Progress{State: json.RawMessage(`{"half":true}`)}, errors.New("boom")
	}}
	p := providers.New(providers.Settings{Name: "p"}, d, nil)
	got, err := p.Provision(t.Context(), providers.Instance{})
	if err == nil || string(got.State) != `{"half":true}` {
		t.Fatalf("got %s, %v", got.State, err)
	}
	_, got, err = p.Bind(t.Context(), providers.Instance{}, providers.Binding{})
	if err == nil || string(got.State) != `{"half":true}` {
		t.Fatalf("bind: got %s, %v", got.State, err)
	}
}

func TestPanicIsCaught(t *testing.T) {
	d := &scripted{do: func(context.Context) (providers.Progress, error) { panic("ouch") }}
	_, err := providers.New(providers.Settings{Name: "p"}, d, nil).Provision(t.Context(), providers.Instance{})
	if fault.KindOf(err) != fault.ProviderFailed || strings.Contains(err.Error(), "ouch") {
		t.Fatalf("got %v", err)
	}
}

func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		deaf := &scripted{do: func(context.Context) (providers.Progress, error) {
			<-release
			return providers.Progress{Done: true}, nil
		}}
		p := providers.New(providers.Settings{Name: "p"}, deaf, nil)
		began := time.Now()
		_, err := p.Provision(t.Context(), providers.Instance{})
		if fault.KindOf(err) != fault.Timeout || time.Since(began) > 35*time.Second {
			t.Fatalf("after %s: %v", time.Since(began), err)
		}
		close(release)
		heeding := &scripted{do: func(ctx context.Context) (providers.Progress, error) {
			<-ctx.Done()
			return providers.Progress{State: json.RawMessage(`1`)}, ctx.Err()
		}}
		got, err := providers.New(providers.Settings{Name: "p", Deadline: time.Second}, heeding, nil).Provision(t.Context(), providers.Instance{})
		if fault.KindOf(err) != fault.Timeout || string(got.State) != "1" {
			t.Fatalf("got %s, %v", got.State, err)
		}
	})
}

func TestCallerWhoGivesUpIsNoFailure(t *testing.T) {
	d := &scripted{do: func(ctx context.Context) (providers.Progress, error) { return providers.Progress{}, ctx.Err() }}
	p := providers.New(providers.Settings{Name: "p"}, d, nil)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 8 {
		if _, err := p.Provision(gone, providers.Instance{}); fault.KindOf(err) != fault.Unavailable {
			t.Fatalf("got %v", err)
		}
	}
	if _, err := p.Provision(t.Context(), providers.Instance{}); err != nil {
		t.Fatalf("the breaker opened: %v", err)
	}
}

func TestMissingCapability(t *testing.T) {
	p := providers.New(providers.Settings{Name: "p"}, &scripted{do: always(nil)}, nil)
	_, e1 := p.Update(t.Context(), providers.Instance{}, providers.Instance{})
	_, e2 := p.Read(t.Context(), providers.Instance{})
	_, e3 := p.Suspend(t.Context(), providers.Instance{})
	_, e4 := p.Resume(t.Context(), providers.Instance{})
	_, e5 := p.Inspect(t.Context(), providers.Instance{})
	_, e6 := p.Target(t.Context(), providers.Instance{})
	for n, err := range []error{e1, e2, e3, e4, e5, e6} {
		if fault.KindOf(err) != fault.Unprocessable {
			t.Errorf("%d: %v", n, err)
		}
	}
	if p.Dashboard(providers.Instance{}) != "" || p.Can(providers.Updates) || p.Status() != providers.Up {
		t.Error("a bare driver has no page, no updates, and is up")
	}
}

func TestSet(t *testing.T) {
	a, b := providers.New(providers.Settings{Name: "a"}, &scripted{}, nil), providers.New(providers.Settings{Name: "b", Region: "west"}, &scripted{}, nil)
	s := providers.NewSet(b, a)
	if got, ok := s.Get("a"); !ok || got != a {
		t.Error("a is not found")
	}
	if _, ok := s.Get("c"); ok {
		t.Error("c is found")
	}
	if all := s.All(); len(all) != 2 || all[0] != b {
		t.Error("not in the order given")
	}
	list, err := b.Offerings(t.Context())
	if err != nil || list[0].Provider != "b" || list[0].Region != "west" || list[0].ID == "" || list[0].Plans[0].ID == "" {
		t.Errorf("%v %+v", err, list)
	}
	again, _ := b.Offerings(t.Context())
	other, _ := a.Offerings(t.Context())
	if again[0].ID != list[0].ID || other[0].ID == list[0].ID {
		t.Error("ids are not stable, or shared by two providers")
	}
}

func TestDerived(t *testing.T) {
	seed := bytes.Repeat([]byte{7}, 32)
	a, err := providers.Password(seed, "x")
	b, _ := providers.Password(seed, "x")
	c, _ := providers.Password(seed, "y")
	if err != nil || a != b || a == c || len(a) != 40 {
		t.Errorf("%q %q %q %v", a, b, c, err)
	}
	if _, err := providers.Password(nil, "x"); err == nil {
		t.Error("no seed gave a password")
	}
	if n := providers.Name("i", `'; DROP "ünïcode`); len(n) != 27 || strings.Trim(n, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		t.Errorf("name %q", n)
	}
}

// TestVerbsAreWhatIsCounted: the names that Verbs gives are those under which calls are told of.
func TestVerbsAreWhatIsCounted(t *testing.T) {
	told := map[string]bool{}
	p := providers.New(providers.Settings{Name: "p", Called: func(verb string, _ time.Duration, _ error) { told[verb] = true }}, fake.New(fake.Options{}), nil)
	i, b := providers.Instance{ID: "ins_1"}, providers.Binding{ID: "bnd_1"}
	ctx := t.Context()
	_, _ = p.Provision(ctx, i)
	_, _, _ = p.Bind(ctx, i, b)
	_, _ = p.Unbind(ctx, i, b)
	_, _ = p.Update(ctx, i, i)
	_, _ = p.Read(ctx, i)
	_, _ = p.Suspend(ctx, i)
	_, _ = p.Resume(ctx, i)
	_, _ = p.Inspect(ctx, i)
	_, _ = p.Target(ctx, i)
	_, _ = p.Excess(ctx, i)
	_ = p.Backup(ctx, i, io.Discard)
	_ = p.Restore(ctx, i, strings.NewReader(""))
	_, _ = p.Count(ctx, i)
	_, _ = p.List(ctx)
	_, _ = p.Deprovision(ctx, i)
	if got, want := slices.Sorted(maps.Keys(told)), slices.Sorted(slices.Values(p.Verbs())); !slices.Equal(got, want) {
		t.Errorf("told of %q, Verbs gives %q", got, want)
	}
	if n := len(providers.New(providers.Settings{Name: "p"}, &scripted{}, nil).Verbs()); n != 4 {
		t.Errorf("a bare driver has %d verbs", n)
	}
}
