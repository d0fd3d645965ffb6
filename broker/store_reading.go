package broker

import (
	"context"
	"slices"
	"strings"
)

// readingRow is what a metric last showed; At is the end of the window it was read for.
type readingRow struct {
	Instance, Metric, Epoch, Value string
	At                             int64
	Looked                         int64 // wall time at which the meter was asked
}

// lastReadings gives what the metrics of instances last showed, by instance and metric.
func (b *Broker) lastReadings(ctx context.Context, instances []string) (map[string]map[string]readingRow, error) {
	var rows []readingRow
	err := b.DB.From(ctx).Raw(`SELECT `+b.DB.Columns(rows)+` FROM readings WHERE instance IN ?`, instances).Scan(&rows).Error
	m := make(map[string]map[string]readingRow, len(instances))
	for _, id := range instances {
		m[id] = map[string]readingRow{}
	}
	for _, r := range rows {
		m[r.Instance][r.Metric] = r
	}
	return m, err
}

// saveReadings keeps readings, each of another metric or instance.
func (b *Broker) saveReadings(ctx context.Context, all []readingRow) error {
	const one, together = "(?, ?, ?, ?, ?, ?)", 200
	for rows := range slices.Chunk(all, together) {
		args := make([]any, 0, 6*len(rows))
		for _, r := range rows {
			args = append(args, r.Instance, r.Metric, r.Epoch, r.Value, r.At, r.Looked)
		}
		err := b.DB.From(ctx).Exec(`INSERT INTO readings (instance, metric, epoch, value, at, looked) VALUES `+one+strings.Repeat(", "+one, len(rows)-1)+`
 ON CONFLICT (instance, metric) DO UPDATE SET epoch = excluded.epoch, value = excluded.value, at = excluded.at, looked = excluded.looked`, args...).Error
		if err != nil {
			return err
		}
	}
	return nil
}
