package broker

import "context"

// suspensionRow is one reason why an instance is suspended. It is let in again when the last reason is gone.
type suspensionRow struct {
	Instance, Reason, Why string
	Since                 int64 // market time
}

func (b *Broker) suspensionsOf(ctx context.Context, instance string) (rows []suspensionRow, err error) {
	return rows, b.DB.From(ctx).Raw(`SELECT `+b.DB.Columns(rows)+` FROM holds WHERE instance = ? ORDER BY since, reason`, instance).Scan(&rows).Error
}

// addSuspension tells whether the reason is new. Only with the instance locked.
func (b *Broker) addSuspension(ctx context.Context, r suspensionRow) (bool, error) {
	x := b.DB.From(ctx).Exec(`INSERT INTO holds (instance, reason, why, since) VALUES (?, ?, ?, ?) ON CONFLICT (instance, reason) DO NOTHING`,
		r.Instance, r.Reason, r.Why, r.Since)
	return x.RowsAffected == 1, x.Error
}

// dropSuspension tells whether the reason was there. Only with the instance locked.
func (b *Broker) dropSuspension(ctx context.Context, instance, reason string) (bool, error) {
	x := b.DB.From(ctx).Exec(`DELETE FROM holds WHERE instance = ? AND (? = '' OR reason = ?)`, instance, reason, reason)
	return x.RowsAffected > 0, x.Error
}

// under gives the ids of live instances within an org, a project or an app.
func (b *Broker) under(ctx context.Context, org, project, app string) (ids []string, err error) {
	return ids, b.DB.From(ctx).Raw(`SELECT id FROM instances WHERE state <> 'gone' AND org = ? AND (? = '' OR project = ?) AND (? = '' OR app = ?) ORDER BY id`,
		org, project, project, app, app).Scan(&ids).Error
}
