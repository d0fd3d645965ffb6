package tasks

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// dueRow is a row of the calendar.
type dueRow struct {
	Kind, Key string
	Due       int64 // market time, microseconds UTC
}

func (r dueRow) due() time.Time { return time.UnixMicro(r.Due).UTC() }

func (c *Calendar) savedOffset(ctx context.Context) (time.Duration, error) {
	var ahead int64
	err := c.db.From(ctx).Raw(`SELECT ahead FROM market_clock`).Scan(&ahead).Error
	return time.Duration(ahead) * time.Microsecond, err
}

func (c *Calendar) saveOffset(ctx context.Context, ahead time.Duration) error {
	return c.db.From(ctx).Exec(`INSERT INTO market_clock (one, ahead) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET ahead = excluded.ahead`,
		ahead.Microseconds()).Error
}

func (c *Calendar) insertDue(ctx context.Context, kind, key string, due time.Time) error {
	return c.db.From(ctx).Exec(`INSERT INTO calendar (kind, key, due) VALUES (?, ?, ?) ON CONFLICT (kind, key) DO NOTHING`, kind, key, due.UnixMicro()).Error
}

// firstDue gives the earliest row of these kinds; at the same instant the kind that is named first.
func (c *Calendar) firstDue(ctx context.Context, kinds []string, end time.Time) (row dueRow, ok bool, err error) {
	args := []any{kinds, end.UnixMicro()}
	var order strings.Builder
	for i, kind := range kinds {
		order.WriteString(` WHEN kind = ? THEN `)
		order.WriteString(strconv.Itoa(i))
		args = append(args, kind)
	}
	x := c.db.From(ctx).Raw(`SELECT kind, key, due FROM calendar WHERE kind IN ? AND due <= ? ORDER BY due, CASE`+order.String()+` END, key LIMIT 1`, args...).Scan(&row)
	return row, x.Error == nil && x.RowsAffected > 0, x.Error
}

// moveDue writes when the row is due next; a zero time ends it. A row that was moved meanwhile is left alone.
func (c *Calendar) moveDue(ctx context.Context, row dueRow, next time.Time) error {
	g := c.db.From(ctx)
	if next.IsZero() {
		return g.Exec(`DELETE FROM calendar WHERE kind = ? AND key = ? AND due = ?`, row.Kind, row.Key, row.Due).Error
	}
	return g.Exec(`UPDATE calendar SET due = ? WHERE kind = ? AND key = ? AND due = ?`, next.UnixMicro(), row.Kind, row.Key, row.Due).Error
}
