package broker

import (
	"context"
	"encoding/json"

	"github.com/sutlerhq/sutler/identity"
)

// moveRow is a move as stored; the counts are JSON.
type moveRow struct {
	ID, Instance, Target, Name, Org, Project string
	SourceProvider, TargetProvider           string
	Offering, Plan                           string
	State, Note                              string
	Switched, Attempts, Bytes                int64
	CountsFrom, CountsTo, Backup             string
	CreatedAt, EndedAt                       int64 `gorm:"autoCreateTime:false"`
}

// TableName names the table for gorm.
func (moveRow) TableName() string { return "moves" }

func (r moveRow) scope() identity.Scope { return identity.Scope{Org: r.Org, Project: r.Project} }

func (r moveRow) view() Move {
	m := Move{
		ID: r.ID, Instance: r.Instance, Target: r.Target, Name: r.Name, Org: r.Org, Project: r.Project, From: r.SourceProvider, To: r.TargetProvider,
		Offering: r.Offering, Plan: r.Plan, State: r.State, Note: r.Note, Switched: r.Switched == 1, Bytes: r.Bytes, CreatedAt: instant(r.CreatedAt), EndedAt: instant(r.EndedAt),
	}
	_ = json.Unmarshal([]byte(r.CountsFrom), &m.Counted) // empty until they are counted
	_ = json.Unmarshal([]byte(r.CountsTo), &m.Copied)
	return m
}

func (b *Broker) insertMove(ctx context.Context, r *moveRow) error {
	return b.DB.From(ctx).Create(r).Error
}

// lockMove takes the row for the rest of the transaction. It comes after the tasks' and the instances' rows.
func (b *Broker) lockMove(ctx context.Context, id string) (r moveRow, err error) {
	return r, b.DB.From(ctx).Raw(`UPDATE moves SET state = state WHERE id = ? RETURNING *`, id).Scan(&r).Error
}

func (b *Broker) saveMove(ctx context.Context, r moveRow) error {
	return b.DB.From(ctx).Exec(`UPDATE moves SET state = ?, note = ?, switched = ?, backup = ?, ended_at = ? WHERE id = ?`, r.State, r.Note, r.Switched, r.Backup, r.EndedAt, r.ID).Error
}

// saveMoveBytes shows how far the copy is.
func (b *Broker) saveMoveBytes(ctx context.Context, id string, bytes int64) error {
	return b.DB.From(ctx).Exec(`UPDATE moves SET bytes = ? WHERE id = ? AND state = ?`, bytes, id, moveCopying).Error
}

func (b *Broker) saveMoveCounts(ctx context.Context, id string, bytes int64, from, to string) error {
	return b.DB.From(ctx).Exec(`UPDATE moves SET bytes = ?, counts_from = ?, counts_to = ? WHERE id = ?`, bytes, from, to, id).Error
}

// saveOriginCounts keeps what the old instance's node has counted.
func (b *Broker) saveOriginCounts(ctx context.Context, id, counts string) error {
	return b.DB.From(ctx).Exec(`UPDATE moves SET counts_from = ? WHERE id = ?`, counts, id).Error
}

// missedMove counts a copy that failed, and tells how many did.
func (b *Broker) missedMove(ctx context.Context, id, why string) (n int64, err error) {
	return n, b.DB.From(ctx).Raw(`UPDATE moves SET attempts = attempts + 1, note = ? WHERE id = ? RETURNING attempts`, why, id).Scan(&n).Error
}

func (b *Broker) findMove(ctx context.Context, where string, args ...any) (r moveRow, found bool, err error) {
	err = b.DB.From(ctx).Raw(`SELECT * FROM moves WHERE `+where+` LIMIT 1`, args...).Scan(&r).Error
	return r, r.ID != "", err
}

// moveOf finds the move that an instance takes part in, as the old one or as the new one.
func (b *Broker) moveOf(ctx context.Context, instance string) (moveRow, bool, error) {
	return b.findMove(ctx, `ended_at = 0 AND (instance = ? OR target = ?)`, instance, instance)
}

// rename gives an instance another name. Only with the row locked.
func (b *Broker) rename(ctx context.Context, r *instanceRow, name string) error {
	r.Name = name
	return b.DB.From(ctx).Exec(`UPDATE instances SET name = ? WHERE id = ?`, name, r.ID).Error
}

// provisionOf finds the operation that makes or made an instance.
func (b *Broker) provisionOf(ctx context.Context, instance string) (r operationRow, err error) {
	return r, b.DB.From(ctx).Raw(`SELECT * FROM operations WHERE instance = ? AND verb = 'provision' LIMIT 1`, instance).Scan(&r).Error
}

// inUse is the condition for the ready bindings of an app (its argument): without those of a moved instance's other half, whose aliases they share.
const inUse = `app = ? AND state = 'ready' AND instance NOT IN (SELECT CASE WHEN switched = 1 THEN instance ELSE target END FROM moves WHERE ended_at = 0)`
