package broker

import "context"

// cordonRow is a provider that takes no new instances.
type cordonRow struct {
	Provider, Why, ByWhom string
	At                    int64
}

// insertCordon adds a row unless there is one; it tells whether it did.
func (b *Broker) insertCordon(ctx context.Context, r cordonRow) (bool, error) {
	x := b.DB.From(ctx).Exec(`INSERT INTO cordons (provider, why, by_whom, at) VALUES (?, ?, ?, ?) ON CONFLICT (provider) DO NOTHING`, r.Provider, r.Why, r.ByWhom, r.At)
	return x.RowsAffected == 1, x.Error
}

// deleteCordon tells whether there was one.
func (b *Broker) deleteCordon(ctx context.Context, provider string) (bool, error) {
	x := b.DB.From(ctx).Exec(`DELETE FROM cordons WHERE provider = ?`, provider)
	return x.RowsAffected == 1, x.Error
}

func (b *Broker) listCordons(ctx context.Context) (rows []cordonRow, err error) {
	return rows, b.DB.From(ctx).Raw(`SELECT * FROM cordons`).Scan(&rows).Error
}

// liveByProvider counts the live instances of each provider.
func (b *Broker) liveByProvider(ctx context.Context) (map[string]int, error) {
	var rows []struct {
		Provider string
		N        int
	}
	err := b.DB.From(ctx).Raw(`SELECT provider, count(*) AS n FROM instances WHERE state <> 'gone' GROUP BY provider`).Scan(&rows).Error
	live := make(map[string]int, len(rows))
	for _, r := range rows {
		live[r.Provider] = r.N
	}
	return live, err
}
