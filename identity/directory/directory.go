package directory

import (
	"context"
	"slices"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/audit"
	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/fault"
)

// OwnIssuer is the stable name of our own OpenID provider. People are linked to it by their id, whatever address the market answers at.
const OwnIssuer = "sutler"

// Accounts is billing as the directory sees it: an org names an account.
type Accounts interface {
	OpenAccount(ctx context.Context, name, currency string) (id string, err error)
	LinkOrg(ctx context.Context, account, org string) error
}

// Trail takes the audit rows; *audit.Log is one.
type Trail interface {
	Append(ctx context.Context, e audit.Entry) error
}

// Config is what the directory works with. DB, Audit and Accounts are required; Clock is the wall's when nil.
type Config struct {
	DB       *database.DB
	Audit    Trail
	Accounts Accounts
	Clock    clock.Clock
}

// Directory is the room's front. Methods that take a principal ask identity.Can themselves; refs are ids or names.
type Directory struct {
	store    store
	db       *database.DB
	trail    Trail
	accounts Accounts
	clock    clock.Clock
	known    known
	hashing  chan struct{} // at most two passwords are hashed at a time: each takes 19 MiB
}

// New makes a directory over the store.
func New(c Config) *Directory {
	if c.Clock == nil {
		c.Clock = clock.Wall{}
	}
	return &Directory{store: store{c.DB}, db: c.DB, trail: c.Audit, accounts: c.Accounts, clock: c.Clock, hashing: make(chan struct{}, 2)}
}

// SetAccounts names the accounts after New, for wiring: billing's ledger and the directory are made one after the other.
// Call it before the first request is served.
func (d *Directory) SetAccounts(a Accounts) { d.accounts = a }

func (d *Directory) now() int64 { return d.clock.Now().UnixMicro() }

// note appends one deed to the audit trail, in the transaction of ctx.
func (d *Directory) note(ctx context.Context, who identity.Principal, s identity.Scope, action, object string, detail map[string]string) error {
	return d.trail.Append(ctx, audit.Entry{
		Org: s.Org, Project: s.Project, At: d.clock.Now(), Who: who.Label(), Via: who.Via(),
		Action: action, Object: object, Detail: detail,
	})
}

// seeing are the actions of which any one makes a scope visible.
var seeing = []identity.Action{
	identity.OrgRead, identity.InstanceRead, identity.AppRead, identity.UsageRead, identity.InvoiceRead, identity.InstanceWrite, identity.AppWrite,
}

func sees(who identity.Principal, s identity.Scope) bool {
	return slices.ContainsFunc(seeing, func(a identity.Action) bool { return identity.Can(who, a, s) })
}

// seesOrg holds for members of the org and for members of any project in it.
func seesOrg(who identity.Principal, org string) bool {
	return sees(who, identity.Scope{Org: org}) || slices.ContainsFunc(who.Grants, func(g identity.Grant) bool {
		return g.Scope.Org == org && sees(who, g.Scope)
	})
}

// inMarket refuses who may not do a in the market's scope.
func inMarket(who identity.Principal, a identity.Action) error {
	if identity.Can(who, a, identity.Scope{}) {
		return nil
	}
	return forbidden(a)
}

func forbidden(a identity.Action) error {
	return fault.Forbidden.Errorf("Your role does not allow %s here.", a).WithHint("Ask an owner or an operator for a role that does.")
}

func absent(noun, ref string) error { return fault.NotFound.Errorf("There is no %s %q.", noun, ref) }

func instant(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
