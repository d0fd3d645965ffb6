package broker

import (
	"context"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity"
)

// Meter is told of everything that is charged for. All verbs are idempotent and join the caller's transaction. *billing.Ledger satisfies it.
type Meter interface {
	Start(ctx context.Context, s catalog.Snapshot, at time.Time) error
	Change(ctx context.Context, s catalog.Snapshot, at time.Time) error
	Suspend(ctx context.Context, instance string, at time.Time) error
	Resume(ctx context.Context, instance string, at time.Time) error
	Stop(ctx context.Context, instance string, at time.Time) error
	Record(ctx context.Context, e catalog.Event) error
}

// Gate says whether an order may be taken (budget, account, currency); it reserves in the caller's transaction. A no is fault.Refused.
type Gate interface {
	Admit(ctx context.Context, order catalog.Snapshot) error
}

// Tenants names a scope and the account that pays for it. *directory.Directory satisfies it.
type Tenants interface {
	Tenancy(ctx context.Context, s identity.Scope) (identity.Tenancy, error)
}
