package web

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/sutlerhq/sutler/internal/database"
)

// sessionStore keeps sessions for scs, which has hashed their tokens before they come here.
type sessionStore struct{ db *database.DB }

type sessionRow struct {
	Data      string
	ExpiresAt int64
}

func (s sessionStore) row(ctx context.Context, token string) (sessionRow, bool, error) {
	var rows []sessionRow
	err := s.db.From(ctx).Raw(`SELECT data, expires_at FROM web_sessions WHERE hash = ? AND expires_at > ?`, token, time.Now().UnixMicro()).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return sessionRow{}, false, err
	}
	return rows[0], true, nil
}

// FindCtx gives a live session's data.
func (s sessionStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	row, found, err := s.row(ctx, token)
	if err != nil || !found {
		return nil, false, err
	}
	b, err := base64.StdEncoding.DecodeString(row.Data)
	return b, err == nil, nil //nolint:nilerr // what cannot be read is no session
}

// CommitCtx keeps a session. scs calls it at every request to move the idle end; a move of less than a minute is not worth a write.
func (s sessionStore) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	data, until := base64.StdEncoding.EncodeToString(b), expiry.UnixMicro()
	row, found, err := s.row(ctx, token)
	if err != nil {
		return err
	}
	if found && row.Data == data && until-row.ExpiresAt < time.Minute.Microseconds() && until >= row.ExpiresAt {
		return nil
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		if !found {
			if err := s.db.From(ctx).Exec(`DELETE FROM web_sessions WHERE expires_at < ?`, time.Now().UnixMicro()).Error; err != nil {
				return err
			}
		}
		return s.db.From(ctx).Exec(`INSERT INTO web_sessions (hash, data, expires_at) VALUES (?, ?, ?)
			ON CONFLICT (hash) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at`, token, data, until).Error
	})
}

// DeleteCtx ends a session.
func (s sessionStore) DeleteCtx(ctx context.Context, token string) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		return s.db.From(ctx).Exec(`DELETE FROM web_sessions WHERE hash = ?`, token).Error
	})
}

// Find, Commit and Delete are for callers without a context; scs has one always.
func (s sessionStore) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit keeps a session.
func (s sessionStore) Commit(token string, b []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, b, expiry)
}

// Delete ends a session.
func (s sessionStore) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
