package broker

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
)

var appA = identity.Scope{Org: "org_a", Project: "prj_a", App: "app_a"}

func TestAConsumerIsToldWhatToMeasureAndItsReportsAreKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := newMarket(t, db), t.Context()
		i := m.made(t, "sync", "orders")
		bd := m.bound(t, i.ID)
		c, probes, err := m.Join(ctx, ada, appA, "host-1")
		if err != nil || len(probes) != 1 || probes[0].Binding != bd.ID || probes[0].Instance != "orders" || probes[0].Address == "" || probes[0].Protocol != "tcp" {
			t.Fatal(c, probes, err)
		}
		if list, err := m.Latencies(ctx, ada, i.ID); err != nil || len(list) != 0 {
			t.Fatal("latencies before anybody measured", list, err)
		}
		for range 3 {
			now, err := m.Report(ctx, ada, c.ID, []Measurement{
				{Binding: bd.ID, Connect: time.Millisecond, First: 2 * time.Millisecond},
				{Binding: "bnd_of_somebody", Connect: time.Millisecond, First: 2 * time.Millisecond},
			})
			if err != nil || !now.Current {
				t.Fatal(now, err)
			}
		}
		list, err := m.Latencies(ctx, eve, i.ID)
		if err != nil || len(list) != 1 || list[0].Now.N != 3 || list[0].Now.P50 != 2*time.Millisecond || list[0].Regressed || !slices.Equal(list[0].Hosts, []string{"host-1"}) {
			t.Fatalf("%+v, %v", list, err)
		}
		all, err := m.Consumers(ctx, eve, appA)
		if err != nil || len(all) != 1 || !all[0].Current {
			t.Fatal(all, err)
		}
		rotated := m.bound(t, m.made(t, "sync", "second").ID) // another binding: another environment
		if all, err = m.Consumers(ctx, ada, appA); err != nil || all[0].Current {
			t.Fatal("a consumer with an old environment passes for current after", rotated.ID, err)
		}
		if err := m.Leave(ctx, ada, c.ID); err != nil {
			t.Fatal(err)
		}
		_, err = m.Report(ctx, ada, c.ID, nil)
		kind(t, err, fault.NotFound)
	})
}

func TestARegressionIsFlaggedAndADayIsKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := newMarket(t, db), t.Context()
		i := m.made(t, "sync", "orders")
		bd := m.bound(t, i.ID)
		now := time.Now()
		var rows []latencyRow
		for n := range 10 {
			ago := time.Duration(n) * time.Minute
			rows = append(rows,
				latencyRow{bd.ID, now.Add(-ago).UnixMicro(), "con_1", 100, 9000},
				latencyRow{bd.ID, now.Add(-time.Hour - ago).UnixMicro(), "con_1", 100, 2000},
				latencyRow{bd.ID, now.Add(-30*time.Hour - ago).UnixMicro(), "con_1", 100, 1})
		}
		err := db.Tx(ctx, func(ctx context.Context) error { return m.insertLatencies(ctx, rows, now.Add(-latencyKept)) })
		if err != nil {
			t.Fatal(err)
		}
		list, err := m.Latencies(ctx, ada, i.ID)
		if err != nil || len(list) != 1 || !list[0].Regressed || list[0].Now.P50 != 9*time.Millisecond || list[0].Before.P50 != 2*time.Millisecond || list[0].Before.N != 10 {
			t.Fatalf("%+v, %v", list, err)
		}
		c, _, err := m.Join(ctx, ada, appA, "host-1")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Report(ctx, ada, c.ID, []Measurement{{bd.ID, 1, 1}}); err != nil {
			t.Fatal(err)
		}
		if kept, err := m.listLatencies(ctx, bd.ID, time.UnixMicro(0)); err != nil || len(kept) != 21 {
			t.Fatal("older than a day is kept:", len(kept), err)
		}
	})
}

func TestConsumersOfOthersAreNotThereAndNonsenseChangesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := newMarket(t, db), t.Context()
		bd := m.bound(t, m.made(t, "sync", "orders").ID)
		c, _, err := m.Join(ctx, ada, appA, "host-1")
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = m.Join(ctx, bob, appA, "host-2")
		kind(t, err, fault.NotFound)
		_, _, err = m.Join(ctx, eve, appA, "host-2")
		kind(t, err, fault.Forbidden)
		for _, host := range []string{"", strings.Repeat("h", 256)} {
			_, _, err = m.Join(ctx, ada, appA, host)
			kind(t, err, fault.Invalid)
		}
		_, err = m.Report(ctx, bob, c.ID, nil)
		kind(t, err, fault.NotFound)
		kind(t, m.Leave(ctx, bob, c.ID), fault.NotFound)
		for _, bad := range []Measurement{{bd.ID, -1, 1}, {bd.ID, 2, 1}, {bd.ID, 1, 2 * time.Hour}} {
			_, err = m.Report(ctx, ada, c.ID, []Measurement{{bd.ID, 1, 1}, bad})
			kind(t, err, fault.Invalid)
		}
		if kept, err := m.listLatencies(ctx, bd.ID, time.UnixMicro(0)); err != nil || len(kept) != 0 {
			t.Fatal("a refused report left something:", kept, err)
		}
	})
}

func TestTargetsLeaveOutWhatIsNotUp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := newMarket(t, db), t.Context()
		list, err := m.Targets(ctx, ada)
		if err != nil || len(list) != 1 || list[0].Provider != "fakes" || list[0].Target.Address == "" {
			t.Fatal(list, err)
		}
	})
}
