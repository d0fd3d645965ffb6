package broker

import (
	"context"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/fake"
)

// weighed is a backend with a gauge beside the counter of the fake one.
type weighed struct{ *fake.Driver }

func (w weighed) Read(ctx context.Context, i providers.Instance) ([]providers.Reading, error) {
	shown, err := w.Driver.Read(ctx, i)
	return append(shown, providers.Reading{Metric: "storage_bytes", Value: money.FromInt(7), Type: "gauge"}), err
}

// What a leap over many hours records is what hour after hour records: the same events, in the same windows.
func TestALeapRecordsWhatHoursRecord(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		leap, steps := newWeighed(t, db), newWeighed(t, dbtest.New(t))
		const hours = 50
		var got [2][]string
		for n, m := range []*market{leap, steps} {
			from := m.clock.Now().Truncate(time.Hour)
			names := map[string]string{}
			for _, name := range []string{"orders", "stock"} {
				i := m.made(t, "sync", name)
				names[i.ID] = name
				if err := m.driver.Use(i.ID, 10); err != nil {
					t.Fatal(err)
				}
			}
			by := []time.Duration{hours * time.Hour}
			if m == steps {
				by = slices.Repeat([]time.Duration{time.Hour}, hours)
			}
			for _, d := range by {
				if _, err := m.Calendar.Advance(t.Context(), d); err != nil {
					t.Fatal(err)
				}
			}
			for e := range maps.Values(m.books.events) {
				if at := e.Time.Sub(from); at < hours*time.Hour { // the test's own time may take one of them over one hour more
					got[n] = append(got[n], names[e.Instance]+" "+e.Metric+" "+e.Value.String()+" "+at.String())
				}
			}
			slices.Sort(got[n])
		}
		if len(got[0]) != 2*(hours+1) || !slices.Equal(got[0], got[1]) { // a gauge each hour, a counter once
			t.Fatalf("%d and %d events\n%q\n%q", len(got[0]), len(got[1]), got[0], got[1])
		}
	})
}

func newWeighed(t *testing.T, db *database.DB) *market {
	t.Helper()
	driver := fake.New(fake.Options{})
	p := providers.New(providers.Settings{Name: "fakes", Region: "here", Driver: "fake", Failures: 1000}, weighed{driver}, slog.New(slog.DiscardHandler))
	if err := p.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	k := &books{db: db, events: map[string]catalog.Event{}}
	return joinWith(t, db, driver, k, filepath.Join(t.TempDir(), "master.key"), "one", func(c *Config) { c.Providers = providers.NewSet(p) })
}
