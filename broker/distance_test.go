package broker

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/fake"
	"github.com/sutlerhq/sutler/providers/latency"
)

// gauging lets a market measure with f once, at once.
func gauging(m *market, f func(latency.Target) ([]time.Duration, error)) {
	m.Measure = func(_ context.Context, t latency.Target, _ int) ([]time.Duration, error) { return f(t) }
	m.gauged.began = map[string]time.Time{}
	m.gaugeAll(context.Background())
}

func TestDistancesAreMeasuredAndNeverMadeUp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := newMarket(t, db), t.Context()
		project := identity.Scope{Org: "org_a", Project: "prj_a"}
		none := func(when string) {
			t.Helper()
			if list, err := m.Distances(ctx, ada, project); err != nil || len(list) != 0 {
				t.Fatalf("%s: %+v, %v", when, list, err)
			}
		}
		none("before anybody measured")
		gauging(m, func(latency.Target) ([]time.Duration, error) { return nil, errors.New("connection refused") })
		none("after a measuring that got no answer")
		gauging(m, func(latency.Target) ([]time.Duration, error) {
			return []time.Duration{3 * time.Millisecond, time.Millisecond, 2 * time.Millisecond}, nil
		})
		list, err := m.Distances(ctx, ada, identity.Scope{})
		if err != nil || len(list) != 1 || list[0].Provider != "fakes" || list[0].App != "" || list[0].Measured != (latency.Summary{N: 3, P50: 2 * time.Millisecond, P95: 3 * time.Millisecond}) || time.Since(list[0].MeasuredAt) > time.Minute {
			t.Fatalf("%+v, %v", list, err)
		}
		bd := m.bound(t, m.made(t, "sync", "orders").ID)
		c, _, err := m.Join(ctx, ada, appA, "host-1")
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		err = db.Tx(ctx, func(ctx context.Context) error {
			return m.insertLatencies(ctx, []latencyRow{
				{bd.ID, now.Add(-time.Hour).UnixMicro(), c.ID, 100, 9000},
				{bd.ID, now.Add(-time.Hour + time.Minute).UnixMicro(), "con_gone", 100, 7000},
				{bd.ID, now.Add(-2 * time.Hour).UnixMicro(), c.ID, 100, 1}, // too long before the last one
			}, now.Add(-latencyKept))
		})
		if err != nil {
			t.Fatal(err)
		}
		list, err = m.Distances(ctx, eve, project)
		if err != nil || len(list) != 2 || list[1].App != "name-app_a" || list[1].Measured.N != 2 || list[1].Measured.P50 != 7*time.Millisecond || !slices.Equal(list[1].Hosts, []string{"host-1"}) ||
			list[1].MeasuredAt.UnixMicro() != now.Add(-time.Hour+time.Minute).UnixMicro() {
			t.Fatalf("%+v, %v", list, err)
		}
		if list, err = m.Distances(ctx, ada, identity.Scope{Org: "org_b", Project: "prj_b"}); err != nil || len(list) != 1 {
			t.Fatal("another project's apps are told of", list, err)
		}
	})
}

func TestAProviderThatIsAwayIsNotMeasured(t *testing.T) {
	db := dbtest.New(t)
	m := newMarket(t, db)
	away := providers.New(providers.Settings{Name: "there", Node: "two", Away: true}, fake.New(fake.Options{}), nil)
	away.Tell(providers.Up, "")
	m.Providers = providers.NewSet(away)
	gauging(m, func(latency.Target) ([]time.Duration, error) {
		t.Error("another node's backend was measured from here")
		return nil, nil
	})
}

func TestAMeasuringIsForgottenAfterADay(t *testing.T) {
	g := gauged{began: map[string]time.Time{}, samples: map[string][]gauge{}}
	now := time.Now()
	if !g.due("a", now) || g.due("a", now.Add(gaugeEvery-1)) || !g.due("a", now.Add(gaugeEvery)) {
		t.Error("it is measured every minute")
	}
	g.add("a", now, []time.Duration{9})
	g.add("a", now.Add(recent+1), []time.Duration{5})
	if d, ok := g.of("a", now.Add(recent+1)); !ok || d.Measured != (latency.Summary{N: 1, P50: 5, P95: 5}) {
		t.Errorf("%+v", d)
	}
	if _, ok := g.of("a", now.Add(recent+latencyKept+2)); ok {
		t.Error("what was measured yesterday passes for known")
	}
}
