package tasks

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
)

// dueRow is a row of the calendar.
type dueRow struct {
	Kind, Key string
	Due       int64 // market time, microseconds UTC
	Attempt   int64 // failures since it last ran
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

// firstDue gives the earliest row of these kinds that is not paused at began; at the same instant the kind that is named first. A row waits while one
// of a kind before its own is due no later.
func (c *Calendar) firstDue(ctx context.Context, kinds []string, before map[string][]string, end, began time.Time) (row dueRow, ok bool, err error) {
	args := []any{kinds, end.UnixMicro(), began.UnixMicro()}
	var waits, order strings.Builder
	for _, kind := range kinds {
		if len(before[kind]) > 0 {
			waits.WriteString(` AND NOT (c.kind = ? AND EXISTS (SELECT 1 FROM calendar b WHERE b.kind IN ? AND b.due <= c.due))`)
			args = append(args, kind, before[kind])
		}
	}
	for i, kind := range kinds {
		order.WriteString(` WHEN c.kind = ? THEN `)
		order.WriteString(strconv.Itoa(i))
		args = append(args, kind)
	}
	x := c.db.From(ctx).Raw(`SELECT kind, key, due, attempt FROM calendar c WHERE kind IN ? AND due <= ? AND retry_at <= ?`+waits.String()+
		` ORDER BY due, CASE`+order.String()+` END, key LIMIT 1`, args...).Scan(&row)
	return row, x.Error == nil && x.RowsAffected > 0, x.Error
}

// moveDue writes when the row is due next; a zero time ends it. A row that was moved meanwhile is left alone.
func (c *Calendar) moveDue(ctx context.Context, row dueRow, next time.Time) error {
	g := c.db.From(ctx)
	if next.IsZero() {
		return g.Exec(`DELETE FROM calendar WHERE kind = ? AND key = ? AND due = ?`, row.Kind, row.Key, row.Due).Error
	}
	return g.Exec(`UPDATE calendar SET due = ?, attempt = 0, retry_at = 0, note = '' WHERE kind = ? AND key = ? AND due = ?`,
		next.UnixMicro(), row.Kind, row.Key, row.Due).Error
}

func (c *Calendar) noteFailure(ctx context.Context, row dueRow, again time.Time, note string) error {
	return c.db.From(ctx).Exec(`UPDATE calendar SET attempt = attempt + 1, retry_at = ?, note = ? WHERE kind = ? AND key = ? AND due = ?`,
		again.UnixMicro(), note, row.Kind, row.Key, row.Due).Error
}

// endPauses makes rows that failed ready to be tried.
func (c *Calendar) endPauses(ctx context.Context) error {
	return c.db.From(ctx).Exec(`UPDATE calendar SET retry_at = 0 WHERE retry_at > 0`).Error
}

// Failing lists rows whose last run failed, the most often failed first, at most limit. WakeAt is when each is tried again, by the wall clock.
func (c *Calendar) Failing(ctx context.Context, limit int) ([]Row, error) {
	var found []struct {
		Kind, Key, Note  string
		Attempt, RetryAt int64
	}
	err := c.db.From(ctx).Raw(`SELECT kind, key, note, attempt, retry_at FROM calendar WHERE attempt > 0 ORDER BY attempt DESC, kind, key LIMIT ?`, limit).Scan(&found).Error
	if err != nil {
		return nil, fault.Unavailable.Wrap(err, "The calendar could not be read.")
	}
	rows := make([]Row, len(found))
	for i, f := range found {
		rows[i] = Row{Kind: f.Kind, Key: f.Key, Note: f.Note, Attempt: f.Attempt, WakeAt: time.UnixMicro(f.RetryAt).UTC()}
	}
	return rows, nil
}
