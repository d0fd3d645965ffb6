package fake_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/fake"
)

func instance(plan string) providers.Instance {
	return providers.Instance{ID: "ins_1", Offering: "fake", Plan: catalog.Plan{Name: plan}, Params: json.RawMessage(`{}`)}
}

var binding = providers.Binding{ID: "bnd_1", Seed: bytes.Repeat([]byte{1}, 32)}

func TestDelays(t *testing.T) {
	for plan, want := range map[string]time.Duration{"sync": 0, "async": time.Second, "slow": 10 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			d, i, began := fake.New(fake.Options{}), instance(plan), time.Now()
			for {
				p, err := d.Provision(t.Context(), i)
				if err != nil {
					t.Fatal(err)
				}
				if i.State = p.State; p.Done {
					break
				}
				time.Sleep(p.RetryAfter)
			}
			if took := time.Since(began); took != want {
				t.Errorf("%s took %s", plan, took)
			}
		})
	}
}

func TestOneObjectAcrossProcesses(t *testing.T) {
	dir, i := t.TempDir(), instance("slow")
	for range 3 { // three lives of a process that lost its State each time
		d := fake.New(fake.Options{Dir: dir})
		if p, err := d.Provision(t.Context(), i); err != nil || p.Done {
			t.Fatalf("%+v %v", p, err)
		}
		if n := d.Made(i.ID); n != 1 {
			t.Fatalf("%d objects made", n)
		}
	}
}

func TestMoods(t *testing.T) {
	ctx := t.Context()
	d := fake.New(fake.Options{})
	if _, err := d.Provision(ctx, instance("failing")); fault.KindOf(err) != fault.Refused {
		t.Errorf("failing: %v", err)
	}
	if p, err := d.Provision(ctx, instance("lying")); err != nil || !p.Done {
		t.Errorf("lying: %+v %v", p, err)
	}
	if in, _ := d.Inspect(ctx, instance("lying")); in.Exists {
		t.Error("lying: it exists")
	}
	if _, _, err := d.Bind(ctx, instance("lying"), binding); err == nil {
		t.Error("lying: bound")
	}
	i := instance("flaky")
	for n := range 3 {
		p, err := d.Provision(ctx, i)
		if i.State = p.State; (err == nil) != (n == 2) {
			t.Errorf("flaky, try %d: %v", n, err)
		}
	}
	if _, _, err := d.Bind(ctx, instance("unbindable"), binding); fault.KindOf(err) != fault.Refused {
		t.Errorf("unbindable: %v", err)
	}
}

func TestControls(t *testing.T) {
	d, i := fake.New(fake.Options{}), instance("sync")
	d.FailNext("provision", 1, nil)
	if _, err := d.Provision(t.Context(), i); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("told to fail: %v", err)
	}
	var steps []string
	d.OnStep(func(verb, _, when string) { steps = append(steps, verb+" "+when) })
	if _, err := d.Provision(t.Context(), i); err != nil || len(steps) != 2 || d.Calls("provision") != 2 {
		t.Errorf("%v %v %d", err, steps, d.Calls("provision"))
	}
	d.OnStep(nil)
	hold := d.Freeze("deprovision")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { _, err := d.Deprovision(ctx, i); done <- err }()
	<-hold.Entered
	cancel()
	hold.Release()
	if err := <-done; err != nil {
		t.Errorf("a frozen call did not do its work late: %v", err)
	}
	hang := d.Hang("bind")
	gone, end := context.WithCancel(t.Context())
	end()
	if _, _, err := d.Bind(gone, i, binding); !errors.Is(err, context.Canceled) {
		t.Errorf("a hanging call: %v", err)
	}
	hang.Release()
}
