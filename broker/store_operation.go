package broker

import (
	"context"
	"strings"
	"time"
)

// operationRow is an operation as stored. Live says that work remains: a delete that failed stays live and is tried again.
type operationRow struct {
	ID, Instance, Binding, Verb, State string
	Live                               int64
	Note                               string
	Plan, Params, Maintenance          string // what an update leads to: the plan's id, sealed parameters, a version
	Former                             string // the plan that it leaves
	Source, Phase                      string // what a new instance is filled with, and how far that is
	Definite                           int64  // 1: it failed for a reason that stays
	Misses                             int64  // how often the data could not be copied in
	Attempts, Failures                 int64
	NextAt, StartedAt, EndedAt         int64 // wall time: leases and patience are no matter of the market's clock
	FailingSince                       int64 // wall time of the first of the failures in a row; 0: the last try did not fail
}

// TableName names the table for gorm.
func (operationRow) TableName() string { return "operations" }

func (r operationRow) view() Operation {
	next := r.NextAt
	if r.Live == 0 {
		next = 0
	}
	return Operation{
		NextAt: instant(next),
		ID:     r.ID, Instance: r.Instance, Binding: r.Binding, Verb: r.Verb, State: r.State, Note: r.Note, Attempts: r.Attempts,
		Repeatable: r.Definite == 0, Failures: r.Failures, Stuck: r.stuck(), FailingSince: instant(r.failingSince()),
		StartedAt: instant(r.StartedAt), EndedAt: instant(r.EndedAt),
	}
}

// of is view with the name of its instance, and where that lives.
func (r operationRow) of(i instanceRow) Operation {
	o := r.view()
	o.InstanceName, o.Org, o.Project = i.Name, i.Org, i.Project
	return o
}

// namesOf gives the operations' instances by id, with their names and where they live alone.
func (b *Broker) namesOf(ctx context.Context, ops []operationRow) (map[string]instanceRow, error) {
	ids := make([]string, 0, len(ops))
	for _, op := range ops {
		ids = append(ids, op.Instance)
	}
	var rows []instanceRow
	err := b.DB.From(ctx).Raw(`SELECT id, name, org, project FROM instances WHERE id IN ?`, ids).Scan(&rows).Error
	names := make(map[string]instanceRow, len(rows))
	for _, r := range rows {
		names[r.ID] = r
	}
	return names, err
}

func (b *Broker) insertOperation(ctx context.Context, r *operationRow) error {
	return b.DB.From(ctx).Create(r).Error
}

func (b *Broker) saveOperation(ctx context.Context, r operationRow) error {
	return b.DB.From(ctx).Exec(`UPDATE operations SET state = ?, live = ?, note = ?, attempts = ?, failures = ?, failing_since = ?, definite = ?, misses = ?, phase = ?, next_at = ?, started_at = ?, ended_at = ? WHERE id = ?`,
		r.State, r.Live, r.Note, r.Attempts, r.Failures, r.FailingSince, r.Definite, r.Misses, r.Phase, r.NextAt, r.StartedAt, r.EndedAt, r.ID).Error
}

// savePhase writes how far a filled provision is, before what is begun in that phase begins.
func (b *Broker) savePhase(ctx context.Context, operation, phase string) error {
	return b.DB.From(ctx).Exec(`UPDATE operations SET phase = ? WHERE id = ?`, phase, operation).Error
}

func (b *Broker) findOperation(ctx context.Context, id string) (r operationRow, found bool, err error) {
	err = b.DB.From(ctx).Raw(`SELECT `+b.DB.Columns(r)+` FROM operations WHERE id = ?`, id).Scan(&r).Error
	return r, r.ID != "", err
}

// placedRow is an operation and where its instance lives.
type placedRow struct {
	Org, Project string
	Operation    operationRow `gorm:"embedded"`
}

// latestOf gives the latest operation of the newest instance that a platform knows by an id: a live one, or one that went after goneSince.
func (b *Broker) latestOf(ctx context.Context, platform, platformID string, goneSince int64) (r placedRow, found bool, err error) {
	columns := "o." + strings.ReplaceAll(b.DB.Columns(r.Operation), ", ", ", o.")
	err = b.DB.From(ctx).Raw(`SELECT i.org, i.project, `+columns+` FROM instances i JOIN operations o ON o.id = i.operation
 WHERE i.platform <> '' AND i.platform = ? AND i.platform_instance = ? AND (i.gone_at = 0 OR i.gone_at > ?)
 ORDER BY CASE WHEN i.state = 'gone' THEN 1 ELSE 0 END, i.created_at DESC, i.id DESC LIMIT 1`, platform, platformID, goneSince).Scan(&r).Error
	return r, r.Operation.ID != "", err
}

// operationFor gives an operation on what a platform knows by these ids, whichever of that thing's lives it belongs to; "" platformBinding: on the
// instance itself.
func (b *Broker) operationFor(ctx context.Context, id, platform, platformInstance, platformBinding string) (r operationRow, found bool, err error) {
	columns := "o." + strings.ReplaceAll(b.DB.Columns(r), ", ", ", o.")
	from, where := " FROM operations o JOIN instances i ON i.id = o.instance", " WHERE o.id = ? AND i.platform <> '' AND i.platform = ? AND i.platform_instance = ?"
	args := []any{id, platform, platformInstance}
	if platformBinding == "" {
		where += " AND o.binding = ''"
	} else {
		from, where, args = from+" JOIN bindings b ON b.id = o.binding", where+" AND b.platform_binding = ?", append(args, platformBinding)
	}
	err = b.DB.From(ctx).Raw("SELECT "+columns+from+where, args...).Scan(&r).Error
	return r, r.ID != "", err
}

// hadPlan tells whether an update led an instance to a plan or away from it. Of updates from before 00310 it is not known where they came from.
func (b *Broker) hadPlan(ctx context.Context, instance, plan string) (bool, error) {
	var n int64
	err := b.DB.From(ctx).Raw(`SELECT count(*) FROM operations WHERE instance = ? AND verb = 'update' AND (plan = ? OR former = ? OR former = '')`,
		instance, plan, plan).Scan(&n).Error
	return n > 0, err
}

// operationsOf gives the operations with these ids.
func (b *Broker) operationsOf(ctx context.Context, ids []string) (map[string]Operation, error) {
	m := map[string]Operation{}
	for len(ids) > 0 {
		part := ids[:min(len(ids), 500)]
		ids = ids[len(part):]
		var rows []operationRow
		if err := b.DB.From(ctx).Raw(`SELECT `+b.DB.Columns(rows)+` FROM operations WHERE id IN ?`, part).Scan(&rows).Error; err != nil {
			return nil, err
		}
		for _, r := range rows {
			m[r.ID] = r.view()
		}
	}
	return m, nil
}

// liveOperations gives the work that remains on an instance: the instance's own end comes after its bindings'.
func (b *Broker) liveOperations(ctx context.Context, instance string) (rows []operationRow, err error) {
	return rows, b.DB.From(ctx).Raw(`SELECT `+b.DB.Columns(rows)+` FROM operations WHERE instance = ? AND live = 1
 ORDER BY CASE WHEN verb = 'deprovision' THEN 1 ELSE 0 END, started_at, id`, instance).Scan(&rows).Error
}

// delayed gives the instances with work that waits for a later time, of one provider or of all.
func (b *Broker) delayed(ctx context.Context, provider string) (instances []string, err error) {
	return instances, b.DB.From(ctx).Raw(`SELECT DISTINCT o.instance FROM operations o JOIN instances i ON i.id = o.instance
 WHERE o.live = 1 AND o.next_at > ? AND o.started_at <= ? AND (? = '' OR i.provider = ?) ORDER BY o.instance`, wall(), wall(), provider, provider).Scan(&instances).Error
}

// hasten makes an instance's work due now, but for what shall not begin before its time: the end of credentials that are still good.
func (b *Broker) hasten(ctx context.Context, instance string) error {
	return b.DB.From(ctx).Exec(`UPDATE operations SET next_at = 0 WHERE instance = ? AND live = 1 AND started_at <= ?`, instance, wall()).Error
}

// recentOperations gives the newest ones, at most limit; stuck: only those that failed and still have work to do, or that fail again and again.
func (b *Broker) recentOperations(ctx context.Context, stuck bool, limit int) (rows []operationRow, err error) {
	where := ""
	if stuck {
		where = ` WHERE live = 1 AND (state = 'failed' OR failures >= 5 OR misses > 0)`
	}
	return rows, b.DB.From(ctx).Raw(`SELECT * FROM operations`+where+` ORDER BY started_at DESC, id DESC LIMIT ?`, limit).Scan(&rows).Error
}

// failingOperations gives those with work left whose last try failed, or that were given up and are still tried; the most often failed first.
func (b *Broker) failingOperations(ctx context.Context, limit int) (rows []operationRow, err error) {
	return rows, b.DB.From(ctx).Raw(`SELECT `+b.DB.Columns(rows)+` FROM operations WHERE live = 1 AND (state = 'failed' OR failures > 0)
 ORDER BY failures DESC, started_at, id LIMIT ?`, limit).Scan(&rows).Error
}

// tallies counts the work that is left.
func (b *Broker) tallies(ctx context.Context) (list []Tally, err error) {
	return list, b.DB.From(ctx).Raw(`SELECT o.state, o.verb, i.provider, count(*) AS count, sum(CASE WHEN o.state = 'failed' OR o.failures >= 5 OR o.misses > 0 THEN 1 ELSE 0 END) AS stuck
 FROM operations o JOIN instances i ON i.id = o.instance WHERE o.live = 1 GROUP BY o.state, o.verb, i.provider ORDER BY i.provider, o.verb, o.state`).Scan(&list).Error
}

// dueSince is since when the operation that waits longest has been due; 0 when none is.
func (b *Broker) dueSince(ctx context.Context) (since int64, err error) {
	return since, b.DB.From(ctx).Raw(`SELECT COALESCE(min(CASE WHEN next_at > started_at THEN next_at ELSE started_at END), 0) FROM operations
 WHERE live = 1 AND next_at <= ?`, wall()).Scan(&since).Error
}

func wall() int64 { return time.Now().UnixMicro() }

// removedSince tells whether a removal of an instance has ended since an instant of wall time.
func (b *Broker) removedSince(ctx context.Context, instance string, since int64) (bool, error) {
	var n int64
	err := b.DB.From(ctx).Raw(`SELECT count(*) FROM operations WHERE instance = ? AND verb = 'deprovision' AND ended_at >= ?`, instance, since).Scan(&n).Error
	return n > 0, err
}
