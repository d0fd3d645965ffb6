package billing

import (
	"context"

	"github.com/sutlerhq/sutler/identity"
)

// intervalRow is a time in which an instance ran under one plan. EndedAt 0: it still does.
type intervalRow struct {
	ID, Instance, Account, Org, Project, App, Provider, Plan, Snapshot string
	StartedAt, EndedAt                                                 int64
}

type suspensionRow struct {
	Instance           string
	StartedAt, EndedAt int64
}

// intervals gives an instance's, oldest first.
func (s store) intervals(ctx context.Context, instance string) ([]intervalRow, error) {
	return read[intervalRow](ctx, s, `SELECT * FROM intervals WHERE instance = ? ORDER BY started_at, id`, instance)
}

// intervalsOf gives those of several instances, in order of instance and time.
func (s store) intervalsOf(ctx context.Context, instances []string) ([]intervalRow, error) {
	if len(instances) == 0 {
		return nil, nil
	}
	return read[intervalRow](ctx, s, `SELECT * FROM intervals WHERE instance IN ? ORDER BY instance, started_at, id`, instances)
}

// intervalsIn gives those of an account ("": any) and a scope that touch a window, in order of instance and time.
func (s store) intervalsIn(ctx context.Context, account string, in identity.Scope, from, to int64) ([]intervalRow, error) {
	return read[intervalRow](ctx, s, `SELECT * FROM intervals WHERE started_at < ? AND (ended_at = 0 OR ended_at >= ?)
 AND (? = '' OR account = ?) AND (? = '' OR org = ?) AND (? = '' OR project = ?) AND (? = '' OR app = ?) ORDER BY instance, started_at, id`,
		to, from, account, account, in.Org, in.Org, in.Project, in.Project, in.App, in.App)
}

// insertInterval opens one; false when the instance has an open one.
func (s store) insertInterval(ctx context.Context, i intervalRow) (bool, error) {
	n, err := s.exec(ctx, `INSERT INTO intervals (id, instance, account, org, project, app, provider, plan, snapshot, started_at)
 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, i.ID, i.Instance, i.Account, i.Org, i.Project, i.App, i.Provider, i.Plan, i.Snapshot, i.StartedAt)
	return n > 0, err
}

func (s store) endInterval(ctx context.Context, id string, at int64) error {
	_, err := s.exec(ctx, `UPDATE intervals SET ended_at = ? WHERE id = ? AND ended_at = 0`, at, id)
	return err
}

// insertSuspension opens one; an open one stays as it is.
func (s store) insertSuspension(ctx context.Context, instance string, at int64) error {
	_, err := s.exec(ctx, `INSERT INTO suspensions (instance, started_at) VALUES (?, ?) ON CONFLICT DO NOTHING`, instance, at)
	return err
}

func (s store) endSuspension(ctx context.Context, instance string, at int64) error {
	_, err := s.exec(ctx, `UPDATE suspensions SET ended_at = CASE WHEN started_at > ? THEN started_at ELSE ? END WHERE instance = ? AND ended_at = 0`, at, at, instance)
	return err
}

// suspensions gives those of an account's instances.
func (s store) suspensions(ctx context.Context, account string) ([]suspensionRow, error) {
	return read[suspensionRow](ctx, s, `SELECT * FROM suspensions WHERE instance IN (SELECT instance FROM intervals WHERE account = ?) ORDER BY instance, started_at`, account)
}
