package broker

import "context"

// readingRow is what a metric last showed; At is the end of the window it was read for.
type readingRow struct {
	Instance, Metric, Epoch, Value string
	At                             int64
	Looked                         int64 // wall time at which the meter was asked
}

func (b *Broker) lastReadings(ctx context.Context, instance string) (map[string]readingRow, error) {
	var rows []readingRow
	err := b.DB.From(ctx).Raw(`SELECT * FROM readings WHERE instance = ?`, instance).Scan(&rows).Error
	m := make(map[string]readingRow, len(rows))
	for _, r := range rows {
		m[r.Metric] = r
	}
	return m, err
}

func (b *Broker) saveReading(ctx context.Context, r readingRow) error {
	return b.DB.From(ctx).Exec(`INSERT INTO readings (instance, metric, epoch, value, at, looked) VALUES (?, ?, ?, ?, ?, ?)
 ON CONFLICT (instance, metric) DO UPDATE SET epoch = excluded.epoch, value = excluded.value, at = excluded.at, looked = excluded.looked`,
		r.Instance, r.Metric, r.Epoch, r.Value, r.At, r.Looked).Error
}
