package broker

import "context"

// roundRow is how far a round over a provider's instances has come; Reached is the id of the last instance that was looked at.
type roundRow struct {
	Kind, Provider, Reached string
	BeganAt, EndedAt        int64 // wall time; EndedAt 0 while it runs
	Unknown                 int64 // what the last whole round found at the backend and not in the store
}

// TableName names the table for gorm.
func (roundRow) TableName() string { return "rounds" }

func (b *Broker) findRound(ctx context.Context, kind, provider string) (r roundRow, err error) {
	err = b.DB.From(ctx).Raw(`SELECT * FROM rounds WHERE kind = ? AND provider = ?`, kind, provider).Scan(&r).Error
	r.Kind, r.Provider = kind, provider
	return r, err
}

func (b *Broker) saveRound(ctx context.Context, r roundRow) error {
	return b.DB.From(ctx).Exec(`INSERT INTO rounds (kind, provider, reached, began_at, ended_at, unknown) VALUES (?, ?, ?, ?, ?, ?)
 ON CONFLICT (kind, provider) DO UPDATE SET reached = excluded.reached, began_at = excluded.began_at, ended_at = excluded.ended_at, unknown = excluded.unknown`,
		r.Kind, r.Provider, r.Reached, r.BeganAt, r.EndedAt, r.Unknown).Error
}

// pageOf gives the next instances of a provider after one, in the order of their ids: live ones, and those that went after goneSince.
func (b *Broker) pageOf(ctx context.Context, provider, after string, goneSince int64, limit int) (rows []instanceRow, err error) {
	return rows, b.DB.From(ctx).Raw(`SELECT * FROM instances WHERE provider = ? AND id > ? AND (state <> 'gone' OR gone_at > ?) ORDER BY id LIMIT ?`,
		provider, after, goneSince, limit).Scan(&rows).Error
}

// countOf tells how many instances of a provider live.
func (b *Broker) countOf(ctx context.Context, provider string) (n int, err error) {
	return n, b.DB.From(ctx).Raw(`SELECT count(*) FROM instances WHERE provider = ? AND state <> 'gone'`, provider).Scan(&n).Error
}

// idsOf gives ids of a provider's instances after one, gone ones included, in order.
func (b *Broker) idsOf(ctx context.Context, provider, after string, limit int) (ids []string, err error) {
	return ids, b.DB.From(ctx).Raw(`SELECT id FROM instances WHERE provider = ? AND id > ? ORDER BY id LIMIT ?`, provider, after, limit).Scan(&ids).Error
}

// conditions counts live instances that are not well, by provider and health.
func (b *Broker) conditions(ctx context.Context) (list []Condition, err error) {
	return list, b.DB.From(ctx).Raw(`SELECT provider, CASE WHEN health <> '' THEN health ELSE 'over limit' END AS health, count(*) AS count FROM instances
 WHERE state <> 'gone' AND (health <> '' OR excess <> '') GROUP BY 1, 2 ORDER BY 1, 2`).Scan(&list).Error
}

// unknowns gives what the last round found at each provider's backend and not in the store, and when that round ended.
func (b *Broker) unknowns(ctx context.Context) (rows []roundRow, err error) {
	return rows, b.DB.From(ctx).Raw(`SELECT * FROM rounds WHERE kind = ? ORDER BY provider`, kindReconcile).Scan(&rows).Error
}
