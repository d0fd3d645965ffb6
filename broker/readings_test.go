package broker

import (
	"testing"
	"time"

	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/fake"
)

// What is used is recorded once, hour by hour, whatever the provider does.
func TestReadings(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		i := m.made(t, "sync", "orders")
		use := func(n int64) {
			t.Helper()
			if err := m.driver.Use(i.ID, n); err != nil {
				t.Fatal(err)
			}
		}
		hour := func(want string) {
			t.Helper()
			if _, err := m.Calendar.Advance(t.Context(), time.Hour); err != nil {
				t.Fatal(err)
			}
			if got := m.books.used(t, fake.Metric); got != want {
				t.Fatalf("recorded %s, want %s", got, want)
			}
		}
		use(10)
		hour("10")
		use(5)
		hour("15")
		hour("15") // nothing used
		m.driver.FailNext("read", 1, nil)
		use(7)
		hour("15") // not answered: nothing lost
		hour("22")
		if err := m.driver.Restart(); err != nil {
			t.Fatal(err)
		}
		use(3)
		hour("25") // the counter began again
		use(4)
		gone, err := m.Deprovision(t.Context(), ada, i.ID)
		if err != nil {
			t.Fatal(err)
		}
		m.ends(t, gone.Operation.ID, succeeded)
		if got := m.books.used(t, fake.Metric); got != "29" {
			t.Fatalf("the last part of an hour: recorded %s, want 29", got)
		}
		for _, e := range m.books.events {
			if e.Sender != "collector" || e.Instance != i.ID || e.Time.IsZero() {
				t.Fatalf("%+v", e)
			}
		}
	})
}

// What was used on the old plan is recorded before the change, so that the old plan's rates are charged for it; the rest comes after.
func TestAChangeOfPlanIsReadBetween(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		i := m.made(t, "sync", "orders")
		change := func(o UpdateOrder) {
			t.Helper()
			o.Instance = i.ID
			u, _, err := m.Update(t.Context(), ada, o)
			if err != nil {
				t.Fatal(err)
			}
			m.ends(t, u.Operation.ID, succeeded)
		}
		use := func(n int64) {
			t.Helper()
			if err := m.driver.Use(i.ID, n); err != nil {
				t.Fatal(err)
			}
		}
		use(10)
		change(UpdateOrder{Plan: "maintained"})
		if got := m.books.used(t, fake.Metric); got != "10" {
			t.Fatalf("recorded %s at the change, want 10", got)
		}
		for _, e := range m.books.events {
			if !e.Time.Before(m.books.changed) {
				t.Fatalf("used at %s, changed at %s", e.Time, m.books.changed)
			}
		}
		use(5)
		change(UpdateOrder{Maintenance: Newest}) // no other plan
		m.driver.FailNext("read", 1, nil)
		change(UpdateOrder{Plan: "sync"}) // not answered: the next hour has it
		if got := m.books.used(t, fake.Metric); got != "10" {
			t.Fatalf("recorded %s, want 10 still", got)
		}
		if _, err := m.Calendar.Advance(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		if got := m.books.used(t, fake.Metric); got != "15" {
			t.Fatalf("recorded %s, want 15", got)
		}
	})
}

func TestReadingTheSameHourTwiceCountsOnce(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	i := m.made(t, "sync", "orders")
	if err := m.driver.Use(i.ID, 10); err != nil {
		t.Fatal(err)
	}
	due := m.clock.Now().Truncate(time.Hour).Add(time.Hour)
	for range 2 {
		if next, err := m.readAll(t.Context(), "hourly", due); err != nil || !next.Equal(due.Add(time.Hour)) {
			t.Fatal(next, err)
		}
	}
	if got := m.books.used(t, fake.Metric); got != "10" {
		t.Fatal(got)
	}
}

// Of two readings that meet, the one that was looked at first is recorded last: what the other one has recorded is not counted again, then or later.
func TestAReadingThatComesLateCountsNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		i := m.made(t, "sync", "orders")
		hour := m.clock.Now().Truncate(time.Hour).Add(time.Hour)
		for _, r := range []struct{ value, end, looked, sum int64 }{
			{100, 0, 1000, 100},
			{130, 1, 3000, 130},
			{110, 2, 2000, 130}, // it was on its way when the one before overtook it
			{140, 3, 4000, 140},
			{140, 3, 5000, 140}, // the same window again
		} {
			u := use{instance: i.ID, looked: r.looked, shown: []providers.Reading{{Metric: fake.Metric, Value: money.FromInt(r.value), Epoch: "a"}}}
			if err := m.recordUses(t.Context(), hour.Add(time.Duration(r.end)*time.Second), u); err != nil {
				t.Fatal(err)
			}
			if got := m.books.used(t, fake.Metric); got != money.FromInt(r.sum).String() {
				t.Fatalf("%+v: recorded %s", r, got)
			}
		}
	})
}

func TestSince(t *testing.T) {
	for _, c := range []struct {
		name, was, epoch, now string
		known                 bool
		want                  string
	}{
		{"the first reading", "", "", "7", false, "7"},
		{"it went on", "7", "a", "9.5", true, "2.5"},
		{"it began again", "7", "b", "2", true, "2"},
		{"it went back", "7", "a", "2", true, "0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := since(readingRow{Value: c.was, Epoch: c.epoch}, c.known, providers.Reading{Value: money.MustParse(c.now), Epoch: "a"})
			if err != nil || got.String() != c.want {
				t.Fatal(got, err)
			}
		})
	}
}

// Many hours in one go ask the provider once in a moment, not once an hour, and count the same.
func TestManyHoursInOneGo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		names := []string{"orders", "stock", "mail"}
		var made []Instance
		for _, name := range names {
			made = append(made, m.made(t, "sync", name))
		}
		use := func(n int64) {
			t.Helper()
			for _, i := range made {
				if err := m.driver.Use(i.ID, n); err != nil {
					t.Fatal(err)
				}
			}
		}
		ahead := func(d time.Duration, want string) {
			t.Helper()
			if _, err := m.Calendar.Advance(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			if got := m.books.used(t, fake.Metric); got != want {
				t.Fatalf("recorded %s, want %s", got, want)
			}
		}
		use(10)
		ahead(72*time.Hour, "30")
		use(5)
		ahead(time.Hour, "45") // nothing is remembered from one go to the next
	})
}
