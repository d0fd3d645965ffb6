package broker

import (
	"context"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity"
	"gorm.io/gorm/clause"
)

// instanceRow is an instance as stored: params and driver_state are sealed, times are microseconds.
type instanceRow struct {
	ID, Name, Org, Project, App           string
	Offering, OfferingID, Plan, PlanID    string
	Kind, Provider, Region                string
	State                                 State
	Health, Note, Params, DriverState     string
	Platform, PlatformInstance            string
	PlatformOrg, PlatformSpace            string // empty for people's, and for those from before places were kept
	DashboardURL                          string `gorm:"column:dashboard_url"`
	Operation, Maintenance, Placement     string
	HealthNote, Excess                    string // excess: JSON of what Watch last found, empty when nothing
	ExcessDue                             int64  // when it is suspended for that; market time
	CreatedAt, ReadyAt, StoppedAt, GoneAt int64  `gorm:"autoCreateTime:false"`
	Rev                                   int64
}

// TableName names the table for gorm.
func (instanceRow) TableName() string { return "instances" }

func (r instanceRow) scope() identity.Scope { return identity.Scope{Org: r.Org, Project: r.Project} }

// at tells whether a platform ordered the instance for this place. Of one from before places were kept nobody knows: then it did.
func (r instanceRow) at(p Place) bool {
	return r.PlatformOrg == "" || r.PlatformOrg == p.Org && r.PlatformSpace == p.Space
}

// view is the row as callers see it; params and the latest operation are added by open.
func (r instanceRow) view() Instance {
	i := Instance{
		ID: r.ID, Name: r.Name, Org: r.Org, Project: r.Project, Offering: r.Offering, Plan: r.Plan, OfferingID: r.OfferingID, PlanID: r.PlanID,
		Kind: catalog.Kind(r.Kind), Provider: r.Provider, Region: r.Region, State: r.State, Health: r.Health, Note: r.Note,
		Platform: r.Platform, PlatformInstance: r.PlatformInstance, DashboardURL: r.DashboardURL, Maintenance: r.Maintenance,
		CreatedAt: instant(r.CreatedAt), ReadyAt: instant(r.ReadyAt), GoneAt: instant(r.GoneAt),
		Placement: r.Placement, HealthNote: r.HealthNote, SuspendDue: instant(r.ExcessDue),
	}
	r.showExcess(&i)
	return i
}

// insertInstance adds a row unless its name or its platform's id is taken; it tells whether it did.
func (b *Broker) insertInstance(ctx context.Context, r *instanceRow) (bool, error) {
	x := b.DB.From(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(r)
	return x.RowsAffected == 1, x.Error
}

// lockInstance takes the row for the rest of the transaction, so that everything about one instance is decided one after the other.
func (b *Broker) lockInstance(ctx context.Context, id string) (r instanceRow, found bool, err error) {
	err = b.DB.From(ctx).Raw(`UPDATE instances SET rev = rev + 1 WHERE id = ? RETURNING `+b.DB.Columns(r), id).Scan(&r).Error
	return r, r.ID != "", err
}

// lockInstances is lockInstance for several, in the order of their ids as all do. SQLite's one writer needs no row lock.
func (b *Broker) lockInstances(ctx context.Context, ids []string) error {
	if b.DB.SQLite {
		return nil
	}
	var locked []string
	return b.DB.From(ctx).Raw(`SELECT id FROM instances WHERE id IN ? ORDER BY id FOR UPDATE`, ids).Scan(&locked).Error
}

// saveInstance writes what may change in an instance's life; what it was suspended for goes with it. Only with the row locked.
func (b *Broker) saveInstance(ctx context.Context, r instanceRow) error {
	err := b.DB.From(ctx).Exec(`UPDATE instances SET state = ?, health = ?, health_note = ?, excess = ?, excess_due = ?, note = ?, plan = ?, plan_id = ?, params = ?, maintenance = ?,
 driver_state = ?, dashboard_url = ?, operation = ?, ready_at = ?, stopped_at = ?, gone_at = ? WHERE id = ?`,
		r.State, r.Health, r.HealthNote, r.Excess, r.ExcessDue, r.Note, r.Plan, r.PlanID, r.Params, r.Maintenance, r.DriverState, r.DashboardURL, r.Operation, r.ReadyAt, r.StoppedAt, r.GoneAt, r.ID).Error
	if err == nil && r.State == Gone {
		_, err = b.dropSuspension(ctx, r.ID, "")
	}
	return err
}

func (b *Broker) findInstance(ctx context.Context, where string, args ...any) (r instanceRow, found bool, err error) {
	err = b.DB.From(ctx).Raw(`SELECT `+b.DB.Columns(r)+` FROM instances WHERE `+where+` LIMIT 1`, args...).Scan(&r).Error
	return r, r.ID != "", err
}

// listInstances gives live instances within s, newest first; orgs narrows to those when not nil.
func (b *Broker) listInstances(ctx context.Context, s identity.Scope, orgs []string) (rows []instanceRow, err error) {
	q := b.DB.From(ctx).Table("instances").Where("state <> 'gone'")
	if orgs != nil {
		q = q.Where("org IN ?", orgs)
	}
	if s.Org != "" {
		q = q.Where("org = ?", s.Org)
	}
	if s.Project != "" {
		q = q.Where("project = ?", s.Project)
	}
	if s.App != "" {
		q = q.Where("app = ? OR id IN (SELECT instance FROM bindings WHERE app = ? AND state <> 'gone')", s.App, s.App)
	}
	return rows, q.Order("created_at DESC, id DESC").Find(&rows).Error
}

// readable gives the instances whose use is read: charged and not on their way out.
func (b *Broker) readable(ctx context.Context) (rows []instanceRow, err error) {
	return rows, b.DB.From(ctx).Raw(`SELECT * FROM instances WHERE state IN ('ready', 'updating', 'suspended') ORDER BY id`).Scan(&rows).Error
}

// used counts live instances by plan id.
func (b *Broker) used(ctx context.Context) (map[string]int, error) {
	var rows []struct {
		PlanID string
		N      int
	}
	err := b.DB.From(ctx).Raw(`SELECT plan_id, count(*) AS n FROM instances WHERE state <> 'gone' GROUP BY plan_id`).Scan(&rows).Error
	m := make(map[string]int, len(rows))
	for _, r := range rows {
		m[r.PlanID] = r.N
	}
	return m, err
}

// usedOf counts the live instances of one plan and those that are changing to it, and lets nobody else count it before the transaction ends.
func (b *Broker) usedOf(ctx context.Context, plan string) (n int, err error) {
	if err := b.DB.From(ctx).Exec(`UPDATE plans SET doc = doc WHERE id = ?`, plan).Error; err != nil {
		return 0, err
	}
	return n, b.DB.From(ctx).Raw(`SELECT count(*) FROM instances WHERE state <> 'gone'
 AND (plan_id = ? OR id IN (SELECT instance FROM operations WHERE live = 1 AND verb = 'update' AND plan = ?))`, plan, plan).Scan(&n).Error
}

func instant(micro int64) time.Time {
	if micro == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micro).UTC()
}
