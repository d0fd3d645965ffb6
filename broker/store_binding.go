package broker

import (
	"context"

	"github.com/sutlerhq/sutler/identity"
	"gorm.io/gorm/clause"
)

// bindingRow is a binding as stored: params, seed, driver_state and credentials are sealed.
type bindingRow struct {
	ID, Instance, Org, Project, App, AppName, Alias string
	State                                           State
	Note, Params, Seed, DriverState, Credentials    string
	Platform, PlatformBinding, Operation            string
	Predecessor, Successor                          string // of a rotation; who has a successor has given its alias away
	CreatedAt, ExpiresAt, GoneAt                    int64  `gorm:"autoCreateTime:false"`
}

// TableName names the table for gorm.
func (bindingRow) TableName() string { return "bindings" }

func (r bindingRow) scope() identity.Scope {
	return identity.Scope{Org: r.Org, Project: r.Project, App: r.App}
}

// successor is who takes this binding's place. A binding that never came to be names the one that kept its place: that is no successor.
func (r bindingRow) successor() string {
	if r.Successor == r.Predecessor {
		return ""
	}
	return r.Successor
}

func (r bindingRow) view() Binding {
	return Binding{
		ID: r.ID, Instance: r.Instance, App: r.App, AppName: r.AppName, Alias: r.Alias, State: r.State, Note: r.Note,
		PlatformBinding: r.PlatformBinding, Predecessor: r.Predecessor, Successor: r.successor(), CreatedAt: instant(r.CreatedAt), ExpiresAt: instant(r.ExpiresAt),
	}
}

// insertBinding adds a row unless its alias or its platform's id is taken; it tells whether it did.
func (b *Broker) insertBinding(ctx context.Context, r *bindingRow) (bool, error) {
	x := b.DB.From(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(r)
	return x.RowsAffected == 1, x.Error
}

// saveBinding writes what may change in a binding's life. Only with its instance locked.
func (b *Broker) saveBinding(ctx context.Context, r bindingRow) error {
	return b.DB.From(ctx).Exec(`UPDATE bindings SET state = ?, note = ?, seed = ?, driver_state = ?, credentials = ?, operation = ?, successor = ?, expires_at = ?, gone_at = ? WHERE id = ?`,
		r.State, r.Note, r.Seed, r.DriverState, r.Credentials, r.Operation, r.Successor, r.ExpiresAt, r.GoneAt, r.ID).Error
}

func (b *Broker) findBinding(ctx context.Context, where string, args ...any) (r bindingRow, found bool, err error) {
	err = b.DB.From(ctx).Raw(`SELECT `+b.DB.Columns(r)+` FROM bindings WHERE `+where+` LIMIT 1`, args...).Scan(&r).Error
	return r, r.ID != "", err
}

// listBindings gives bindings in the order of their making.
func (b *Broker) listBindings(ctx context.Context, where string, args ...any) (rows []bindingRow, err error) {
	return rows, b.DB.From(ctx).Raw(`SELECT `+b.DB.Columns(rows)+` FROM bindings WHERE `+where+` ORDER BY created_at, id`, args...).Scan(&rows).Error
}

// aliases gives those an app has in use.
func (b *Broker) aliases(ctx context.Context, app string) (names []string, err error) {
	return names, b.DB.From(ctx).Raw(`SELECT alias FROM bindings WHERE app = ? AND state <> 'gone' AND successor = ''`, app).Scan(&names).Error
}
