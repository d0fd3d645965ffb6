package broker

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"github.com/sutlerhq/sutler/identity"
)

// consumerRow is a running process of an app.
type consumerRow struct {
	ID, App, Org, Project, Host, Version string
	StartedAt, SeenAt                    int64
}

// TableName names the table for gorm.
func (consumerRow) TableName() string { return "consumers" }

func (r consumerRow) scope() identity.Scope {
	return identity.Scope{Org: r.Org, Project: r.Project, App: r.App}
}

// latencyRow is one measurement of a binding by a consumer.
type latencyRow struct {
	Binding            string
	At                 int64
	Consumer           string
	ConnectUs, FirstUs int64
}

// TableName names the table for gorm.
func (latencyRow) TableName() string { return "latencies" }

func (b *Broker) insertConsumer(ctx context.Context, r *consumerRow) error {
	return b.DB.From(ctx).Create(r).Error
}

func (b *Broker) saveConsumer(ctx context.Context, r consumerRow) error {
	return b.DB.From(ctx).Exec(`UPDATE consumers SET seen_at = ? WHERE id = ?`, r.SeenAt, r.ID).Error
}

func (b *Broker) deleteConsumer(ctx context.Context, id string) error {
	return b.DB.From(ctx).Exec(`DELETE FROM consumers WHERE id = ?`, id).Error
}

// forgetConsumers removes processes that went without a word.
func (b *Broker) forgetConsumers(ctx context.Context, before time.Time) error {
	return b.DB.From(ctx).Exec(`DELETE FROM consumers WHERE seen_at < ?`, before.UnixMicro()).Error
}

func (b *Broker) listConsumers(ctx context.Context, where string, args ...any) (rows []consumerRow, err error) {
	return rows, b.DB.From(ctx).Raw(`SELECT * FROM consumers WHERE `+where+` ORDER BY started_at, id`, args...).Scan(&rows).Error
}

// insertLatencies keeps measurements, and forgets those of the same bindings that are older than before.
func (b *Broker) insertLatencies(ctx context.Context, rows []latencyRow, before time.Time) error {
	for _, r := range rows {
		if err := b.DB.From(ctx).Exec(`DELETE FROM latencies WHERE binding = ? AND at < ?`, r.Binding, before.UnixMicro()).Error; err != nil {
			return err
		}
	}
	return b.DB.From(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&rows).Error
}

func (b *Broker) listLatencies(ctx context.Context, binding string, since time.Time) (rows []latencyRow, err error) {
	return rows, b.DB.From(ctx).Raw(`SELECT * FROM latencies WHERE binding = ? AND at >= ? ORDER BY at`, binding, since.UnixMicro()).Scan(&rows).Error
}

// awayRow is one measurement with where it was taken: the consumer's host, when that is still known.
type awayRow struct {
	Provider, AppName, Host string
	At, FirstUs             int64
}

// listAway gives what the apps of a project measured since a moment, of each binding what lies within a stretch before its last measurement; by provider
// and app.
func (b *Broker) listAway(ctx context.Context, project string, since time.Time, stretch time.Duration) (rows []awayRow, err error) {
	return rows, b.DB.From(ctx).Raw(`SELECT i.provider, bd.app_name, COALESCE(c.host, '') AS host, l.at, l.first_us
FROM bindings bd JOIN instances i ON i.id = bd.instance
JOIN latencies l ON l.binding = bd.id AND l.at >= ? AND l.at >= (SELECT MAX(x.at) FROM latencies x WHERE x.binding = bd.id) - ?
LEFT JOIN consumers c ON c.id = l.consumer
WHERE bd.project = ? AND bd.state <> 'gone' AND bd.state IN ('ready', 'expiring') ORDER BY i.provider, bd.app_name, l.at, c.host`,
		since.UnixMicro(), stretch.Microseconds(), project).Scan(&rows).Error
}
