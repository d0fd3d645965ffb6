package broker

import "context"

// reportRow is how a provider is that only one node may call, as that node says it.
type reportRow struct {
	Provider, Node, Status, Why string
	Age                         int64 // microseconds since it was said, by the store's clock; computed
}

func (b *Broker) saveReport(ctx context.Context, r reportRow) error {
	return b.DB.From(ctx).Exec(`INSERT INTO provider_reports (provider, node, status, why, said_at) VALUES (?, ?, ?, ?, `+b.DB.Now()+`)
 ON CONFLICT (provider) DO UPDATE SET node = excluded.node, status = excluded.status, why = excluded.why, said_at = excluded.said_at`,
		r.Provider, r.Node, r.Status, r.Why).Error
}

func (b *Broker) reports(ctx context.Context) (rows []reportRow, err error) {
	return rows, b.DB.From(ctx).Raw(`SELECT provider, node, status, why, ` + b.DB.Now() + ` - said_at AS age FROM provider_reports`).Scan(&rows).Error
}

// providerOf names the provider of an instance; "" when there is no such instance.
func (b *Broker) providerOf(ctx context.Context, instance string) (name string, err error) {
	return name, b.DB.From(ctx).Raw(`SELECT provider FROM instances WHERE id = ?`, instance).Scan(&name).Error
}

// busyOf gives the ids of a provider's instances that operations are under way at.
func (b *Broker) busyOf(ctx context.Context, provider string) (ids []string, err error) {
	return ids, b.DB.From(ctx).Raw(`SELECT DISTINCT i.id FROM instances i JOIN operations o ON o.instance = i.id AND o.live = 1 WHERE i.provider = ? ORDER BY 1`,
		provider).Scan(&ids).Error
}

// readableOf is readable for one provider.
func (b *Broker) readableOf(ctx context.Context, provider string) (rows []instanceRow, err error) {
	return rows, b.DB.From(ctx).Raw(`SELECT * FROM instances WHERE provider = ? AND state IN ('ready', 'updating', 'suspended') ORDER BY id`, provider).Scan(&rows).Error
}
