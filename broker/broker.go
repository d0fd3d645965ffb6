package broker

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/audit"
	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/seal"
	"github.com/sutlerhq/sutler/internal/tasks"
	"github.com/sutlerhq/sutler/internal/vault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/latency"
)

// Meter is told of everything that is charged for. All verbs are idempotent and join the caller's transaction. *billing.Ledger satisfies it.
type Meter interface {
	Start(ctx context.Context, s catalog.Snapshot, at time.Time) error
	Change(ctx context.Context, s catalog.Snapshot, at time.Time) error
	Suspend(ctx context.Context, instance string, at time.Time) error
	Resume(ctx context.Context, instance string, at time.Time) error
	Stop(ctx context.Context, instance string, at time.Time) error
	Record(ctx context.Context, events ...catalog.Event) error // all or none
}

// Gate says whether an order may be taken (budget, account, currency); it reserves in the caller's transaction. A no is fault.Refused.
type Gate interface {
	Admit(ctx context.Context, order catalog.Snapshot) error
}

// Tenants names a scope and the account that pays for it. *directory.Directory satisfies it.
type Tenants interface {
	Tenancy(ctx context.Context, s identity.Scope) (identity.Tenancy, error)
}

// Config is what a broker stands on. All of it is needed but Published, Ended, Measure and Log.
type Config struct {
	DB        *database.DB
	Tasks     *tasks.Engine
	Calendar  *tasks.Calendar
	Box       *seal.Box
	Audit     *audit.Log
	Clock     clock.Clock // the market's
	Providers *providers.Set
	Terms     map[string][]catalog.Terms // by provider: names, prices, limits, visibility
	Currency  string                     // the market's, ISO 4217
	Meter     Meter
	Gate      Gate
	Tenants   Tenants
	Published func(ctx context.Context, offerings []catalog.Offering) error // told of the catalog at start and whenever it changed
	Ended     func(verb, provider, state string, took time.Duration)        // told of every operation that has ended, for those who count
	Grace     time.Duration                                                 // how long the old credentials of a rotated binding stay valid; 0 means an hour
	// WatchGrace is how long an instance may stay over a limit of its plan before it is suspended, in market time; 0 means a day.
	WatchGrace time.Duration
	Vault      vault.Vault // where backups are kept; nil: nowhere
	// Measure tells how far a provider is, in so many tries, for those who choose one: latency.Repeat. nil: the market itself measures none.
	Measure func(ctx context.Context, t latency.Target, tries int) ([]time.Duration, error)
	Log     *slog.Logger
}

// Broker is the room's front. Every method that takes a principal asks identity.Can itself: what may not be seen is fault.NotFound,
// what may be seen and not done is fault.Forbidden.
type Broker struct {
	Config
	shelf    atomic.Pointer[shelf]
	refresh  sync.Mutex // one refresh at a time
	hub      hub
	leaving  context.Context // ended by leave, when the process stops answering
	leave    context.CancelFunc
	turns    *turns
	gauged   gauged
	underway sync.Map // instance id -> context.CancelFunc of the provider call that makes it
}

// New registers the broker's work with the engine and the calendar and loads the catalog. Until ctx ends it keeps the catalog fresh.
func New(ctx context.Context, c Config) (*Broker, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Grace == 0 {
		c.Grace = time.Hour
	}
	if c.WatchGrace == 0 {
		c.WatchGrace = 24 * time.Hour
	}
	b := &Broker{Config: c, turns: newTurns(c.Tasks.Workers()), gauged: gauged{began: map[string]time.Time{}, samples: map[string][]gauge{}}}
	b.leaving, b.leave = context.WithCancel(context.WithoutCancel(ctx))
	b.shelf.Store(&shelf{})
	tasks.Handle(b.Tasks, "operation", b.work)
	tasks.Handle(b.Tasks, "backup", b.workBackup)
	tasks.Handle(b.Tasks, "move", b.workMove)
	tasks.Handle(b.Tasks, kindCount, b.workCount)
	b.Calendar.Handle("readings", b.readAll)
	hour := b.Clock.Now().Truncate(time.Hour).Add(time.Hour)
	if err := b.Calendar.Put(ctx, "readings", "hourly", hour); err != nil {
		return nil, err
	}
	retry, err := b.Refresh(ctx, startPatience)
	if err != nil {
		return nil, err
	}
	if err := b.resume(ctx, ""); err != nil { // what a former process waited for may be over
		return nil, err
	}
	tasks.Handle(b.Tasks, kindReadThere, b.readHere)
	if err := b.shareStatus(ctx); err != nil {
		return nil, err
	}
	if err := b.heedCordons(ctx); err != nil {
		return nil, err
	}
	if err := b.startRounds(ctx); err != nil {
		return nil, err
	}
	for _, p := range b.Providers.All() {
		go b.keepGoing(ctx, p)
	}
	go b.keepCordons(ctx)
	go b.keepStatus(ctx)
	go b.keepFresh(ctx, retry)
	if b.Measure != nil {
		go b.keepGauging(ctx)
	}
	return b, nil
}
