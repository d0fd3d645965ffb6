package broker

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/fake"
)

// nodes are processes of one market; only the one at a provider's node may call that provider.
type nodes struct {
	db     *database.DB
	books  *books
	key    string
	driver *fake.Driver // of the one that may
}

func newNodes(t *testing.T) nodes {
	t.Helper()
	db := dbtest.NewPostgres(t) // which alone has several processes
	return nodes{db, &books{db: db, events: map[string]catalog.Event{}}, filepath.Join(t.TempDir(), "master.key"), fake.New(fake.Options{})}
}

// start begins a process at a node; the provider belongs to that or another one.
func (n nodes) start(t *testing.T, node, owner string) *market {
	t.Helper()
	d := n.driver
	if node != owner {
		d = fake.New(fake.Options{})
	}
	return joinAt(t, n.db, node, d, n.books, n.key, "boot-"+node, func(c *Config) {
		c.Providers = providers.NewSet(n.provider(t, d, owner, node != owner))
	})
}

func (n nodes) provider(t *testing.T, d *fake.Driver, node string, away bool) *providers.Provider {
	t.Helper()
	p := providers.New(providers.Settings{Name: "fakes", Region: "here", Driver: "fake", Failures: 1000, Node: node, Away: away}, d, slog.New(slog.DiscardHandler))
	if !away {
		if err := p.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (n nodes) use(t *testing.T, instance string, q int64) {
	t.Helper()
	if err := n.driver.Use(instance, q); err != nil {
		t.Fatal(err)
	}
}

func (n nodes) recorded(t *testing.T, want string) {
	t.Helper()
	if got := n.books.used(t, fake.Metric); got != want {
		t.Fatalf("recorded %s, want %s", got, want)
	}
}

// The calendar runs in a process that may not call the provider: the meters are read by the one that may, for the hour that the calendar says, and
// the calendar goes on when they have been.
func TestANodeReadsItsMetersForTheCalendarOfAnother(t *testing.T) {
	n := newNodes(t)
	owner, other := n.start(t, "owner", "owner"), n.start(t, "other", "owner")
	i := other.made(t, "sync", "orders")
	n.use(t, i.ID, 10)
	due := owner.clock.Now().Truncate(time.Hour).Add(time.Hour)
	for range 2 { // the same hour again counts nothing
		if next, err := other.readAll(t.Context(), "hourly", due); err != nil || !next.Equal(due.Add(time.Hour)) {
			t.Fatal(next, err)
		}
		n.recorded(t, "10")
	}
	for _, e := range n.books.events {
		if !e.Time.Equal(due.Add(-time.Microsecond)) {
			t.Errorf("it counts at %s, for the hour that ends at %s", e.Time, due)
		}
	}
	if n := other.driver.Calls("read"); n != 0 {
		t.Errorf("the other process called the provider %d times", n)
	}
	n.use(t, i.ID, 5)
	if _, err := owner.readAll(t.Context(), "hourly", due.Add(time.Hour)); err != nil { // the owner's own calendar asks nobody
		t.Fatal(err)
	}
	n.recorded(t, "15")
}

// A process that waits for a node's meters ends in the middle: the hour stays due, and is counted once, by whoever comes next.
func TestAReadingIsWaitedForByTheNextProcess(t *testing.T) {
	n := newNodes(t)
	owner, other := n.start(t, "owner", "owner"), n.start(t, "other", "owner")
	i := owner.made(t, "sync", "orders")
	n.use(t, i.ID, 10)
	due := owner.clock.Now().Truncate(time.Hour).Add(time.Hour)
	hold := n.driver.Hang("read")
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := other.readAll(ctx, "hourly", due)
		ended <- err
	}()
	<-hold.Entered
	end()
	if err := <-ended; err == nil {
		t.Fatal("the hour was called read")
	}
	n.recorded(t, "0")
	hold.Release()
	third := n.start(t, "third", "owner")
	if _, err := third.readAll(t.Context(), "hourly", due); err != nil {
		t.Fatal(err)
	}
	n.recorded(t, "10")
}

// What a node comes to too late, or what is another's by now, it leaves alone: the next hour's reading holds it.
func TestANodeLeavesAloneWhatIsNotItsHour(t *testing.T) {
	n := newNodes(t)
	owner, other := n.start(t, "owner", "owner"), n.start(t, "other", "owner")
	i := owner.made(t, "sync", "orders")
	n.use(t, i.ID, 10)
	now := owner.clock.Now()
	for _, c := range []struct {
		m   *market
		due time.Time
	}{{owner, now.Add(-readThereLate - time.Second)}, {other, now}} {
		if err := c.m.readHere(t.Context(), readingAt{Provider: "fakes", Due: c.due.UnixMicro()}); err != nil {
			t.Fatal(err)
		}
		n.recorded(t, "0")
	}
	if n := n.driver.Calls("read") + other.driver.Calls("read"); n != 0 {
		t.Errorf("the provider was called %d times", n)
	}
	if err := owner.readHere(t.Context(), readingAt{Provider: "fakes", Due: now.Add(-time.Minute).UnixMicro()}); err != nil {
		t.Fatal(err)
	}
	n.recorded(t, "10")
}

// A provider moves to another node while work waits for the former one, which does not come back: the new one takes it over, and its meters.
func TestWorkOfANodeThatLostItsProviderIsReclaimed(t *testing.T) {
	n := newNodes(t)
	owner, other := n.start(t, "owner", "owner"), n.start(t, "other", "owner")
	i := other.made(t, "sync", "orders")
	n.use(t, i.ID, 10)
	due := owner.clock.Now().Truncate(time.Hour).Add(time.Hour)
	if _, err := other.readAll(t.Context(), "hourly", due); err != nil {
		t.Fatal(err)
	}
	owner.stop()
	bd, _, err := other.Bind(t.Context(), ada, BindOrder{Instance: i.ID})
	if err != nil {
		t.Fatal(err)
	}
	other.stop()
	n.use(t, i.ID, 5)
	heir := n.start(t, "heir", "heir")
	heir.ends(t, bd.Operation.ID, succeeded)
	if _, err := heir.readAll(t.Context(), "hourly", due.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	n.recorded(t, "15")
	watcher := n.start(t, "watcher", "heir")
	n.use(t, i.ID, 2)
	if _, err := watcher.readAll(t.Context(), "hourly", due.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	n.recorded(t, "17")
}
