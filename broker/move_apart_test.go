package broker

import (
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/fake"
)

// coasts is a market of two nodes, each with a provider that only it may call: "fakes" at east, "others" at west.
type coasts struct {
	db         *database.DB
	books      *books
	key        string
	east, west *fake.Driver
}

func newCoasts(t *testing.T) coasts {
	t.Helper()
	db := dbtest.NewPostgres(t) // which alone has several processes
	return coasts{db, &books{db: db, events: map[string]catalog.Event{}}, filepath.Join(t.TempDir(), "master.key"), fake.New(fake.Options{}), fake.New(fake.Options{Name: "other"})}
}

// start begins the process of a node. As in a pair, its driver is the east's and there is the west's; the app is told of both.
func (c coasts) start(t *testing.T, node string, change func(*Config)) pair {
	t.Helper()
	m := joinAt(t, c.db, node, c.east, c.books, c.key, "boot-"+node, func(config *Config) {
		config.Providers = providers.NewSet(c.provider(t, node, "fakes", "east", c.east), c.provider(t, node, "others", "west", c.west))
		if change != nil {
			change(config)
		}
	})
	return pair{m, c.west}
}

func (c coasts) provider(t *testing.T, node, name, owner string, d *fake.Driver) *providers.Provider {
	t.Helper()
	away := node != owner
	p := providers.New(providers.Settings{Name: name, Region: owner, Driver: "fake", Failures: 1000, Node: owner, Away: away}, d, slog.New(slog.DiscardHandler))
	if !away {
		if err := p.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// bothUp waits until each process has heard of the other one's provider.
func bothUp(t *testing.T, list ...pair) {
	t.Helper()
	for _, p := range list {
		eventually(t, "word of all providers", func() bool {
			return !slices.ContainsFunc(p.Providers.All(), func(o *providers.Provider) bool { return !answers(o) })
		})
	}
}

// nothingLeft waits until no backup is left that data went by.
func (p pair) nothingLeft(t *testing.T) {
	t.Helper()
	eventually(t, "no copy is left", func() bool {
		list, err := p.Backups(t.Context(), ada, shopA, "")
		return err == nil && len(list) == 0
	})
}

// ended waits until an instance is gone, whatever process works on it.
func (p pair) ended(t *testing.T, id string) {
	t.Helper()
	eventually(t, "the instance is gone", func() bool { return p.sees(t, id).State == Gone })
}

// No process reaches both instances: the data go by way of the vault, each node does its own half, and all is as in one process.
func TestAMoveGoesFromNodeToNode(t *testing.T) {
	t.Parallel()
	c, ctx := newCoasts(t), t.Context()
	east, west := c.start(t, "east", nil), c.start(t, "west", nil)
	bothUp(t, east, west)
	i, bd := west.inUse(t)
	east.moves(t, i.ID)
	m := west.comes(t, i.ID, moveMoved)
	if m.Bytes == 0 || m.Counted["keys"] != 1 || m.Copied["keys"] != 1 || !m.Switched {
		t.Errorf("%+v", m)
	}
	east.holds(t, c.west, "greeting", "hello")
	west.nothingLeft(t)
	east.put(t, c.west, "greeting", "written since")
	if _, err := west.RollBackMove(ctx, ada, i.ID, "orders"); err != nil {
		t.Fatal(err)
	}
	east.comes(t, i.ID, moveUndone)
	east.ended(t, m.Target)
	if east.env(t).Binding.ID != bd.ID {
		t.Error("not the old binding")
	}
	east.holds(t, c.east, "greeting", "hello")
	again := west.moves(t, i.ID)
	east.comes(t, i.ID, moveMoved)
	if _, err := east.ConfirmMove(ctx, ada, again.Target); err != nil {
		t.Fatal(err)
	}
	west.ended(t, i.ID)
	west.holds(t, c.west, "greeting", "hello")
	west.nothingLeft(t)
	if left, err := c.east.Leftovers(); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
}

// Whichever node is killed in the middle of its half, its next start goes on with it.
func TestAMoveBetweenNodesOutlivesEither(t *testing.T) {
	for _, at := range []struct {
		node, verb string
	}{{"east", "suspend"}, {"east", "backup"}, {"west", "provision"}, {"west", "restore"}} {
		t.Run(at.node+"_"+at.verb, func(t *testing.T) {
			t.Parallel()
			c := newCoasts(t)
			sides := map[string]pair{"east": c.start(t, "east", nil), "west": c.start(t, "west", nil)}
			bothUp(t, sides["east"], sides["west"])
			i, _ := sides["west"].inUse(t)
			d := map[string]*fake.Driver{"east": c.east, "west": c.west}[at.node]
			hold := d.Hang(at.verb)
			sides["east"].moves(t, i.ID)
			select {
			case <-hold.Entered:
			case <-time.After(time.Minute):
				t.Fatal("the provider was not called")
			}
			sides[at.node].stop()
			hold.Release()
			next := c.start(t, at.node, nil)
			next.comes(t, i.ID, moveMoved)
			next.holds(t, c.west, "greeting", "hello")
			next.nothingLeft(t)
		})
	}
}

func TestAMoveBetweenNodesThatFailsIsRolledBack(t *testing.T) {
	for _, f := range []struct {
		name string
		fail func(c coasts)
	}{
		{"the copy out is refused", func(c coasts) { c.east.FailNext("backup", -1, fault.Refused.Errorf("It is too big.")) }},
		{"the copy in is refused", func(c coasts) { c.west.FailNext("restore", -1, fault.Refused.Errorf("The disk is full.")) }},
	} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			c := newCoasts(t)
			east, west := c.start(t, "east", nil), c.start(t, "west", nil)
			bothUp(t, east, west)
			i, bd := west.inUse(t)
			f.fail(c)
			east.moves(t, i.ID)
			m := west.comes(t, i.ID, moveFailed)
			if m.Note == "" || m.Switched {
				t.Errorf("%+v", m)
			}
			east.holds(t, c.east, "greeting", "hello")
			if east.env(t).Binding.ID != bd.ID {
				t.Error("not the old binding")
			}
			east.ended(t, m.Target)
			if f.name == "the copy in is refused" {
				east.nothingLeft(t)
			}
		})
	}
}

// Without a place that both nodes reach nothing can be moved between them: that is said at once, and nothing is begun.
func TestAMoveBetweenNodesNeedsAPlaceForItsData(t *testing.T) {
	t.Parallel()
	c := newCoasts(t)
	none := func(config *Config) { config.Vault = nil }
	east, west := c.start(t, "east", none), c.start(t, "west", none)
	bothUp(t, east, west)
	i, _ := west.inUse(t)
	_, _, err := west.Move(t.Context(), ada, MoveOrder{Instance: i.ID, Provider: "others", Plan: "sync", Currency: "EUR"})
	kind(t, err, fault.Unprocessable)
	if list, err := west.Instances(t.Context(), ada, shopA); err != nil || len(list) != 1 || list[0].State != Ready {
		t.Fatal(list, err)
	}
	_, err = west.MoveOf(t.Context(), ada, i.ID)
	kind(t, err, fault.NotFound)
}

// A backup of an instance at one node becomes a new instance at another.
func TestABackupIsRestoredAtAnotherNode(t *testing.T) {
	t.Parallel()
	c, ctx := newCoasts(t), t.Context()
	east, west := c.start(t, "east", nil), c.start(t, "west", nil)
	bothUp(t, east, west)
	i, _ := west.inUse(t)
	bk, err := west.BackUp(ctx, ada, i.ID)
	if err != nil {
		t.Fatal(err)
	}
	west.backup(t, bk.ID, backupReady)
	made, _, err := east.Restore(ctx, ada, RestoreOrder{Backup: bk.ID, Provider: "others", Plan: "sync", Currency: "EUR"})
	if err != nil {
		t.Fatal(err)
	}
	east.ends(t, made.Operation.ID, succeeded)
	bd, _, err := east.Bind(ctx, ada, BindOrder{Instance: made.ID})
	if err != nil {
		t.Fatal(err)
	}
	east.ends(t, bd.Operation.ID, succeeded)
	cr, err := east.Credentials(ctx, ada, bd.ID)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.west.Connect(cr.Values)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, err := s.Get("greeting"); err != nil || got != "hello" {
		t.Fatal(got, err)
	}
}
