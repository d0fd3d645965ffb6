package signin

import (
	"context"

	"github.com/sutlerhq/sutler/internal/database"
)

// store is the flows under way, by the hash of their state.
type store struct{ db *database.DB }

type flowRow struct {
	Hash, Browser, Issuer, ReturnTo string
	ExpiresAt                       int64
}

// add keeps a flow, and forgets what has expired.
func (s store) add(ctx context.Context, f flowRow, now int64) error {
	if err := s.db.From(ctx).Exec(`DELETE FROM signin_flows WHERE expires_at < ?`, now).Error; err != nil {
		return err
	}
	return s.db.From(ctx).Exec(`INSERT INTO signin_flows (hash, browser, issuer, return_to, expires_at) VALUES (?, ?, ?, ?, ?)`,
		f.Hash, f.Browser, f.Issuer, f.ReturnTo, f.ExpiresAt).Error
}

// spend takes a flow away: of two that come with one state, one gets it.
func (s store) spend(ctx context.Context, hash, browser string, now int64) (flowRow, bool, error) {
	var rows []flowRow
	err := s.db.From(ctx).Raw(`SELECT hash, browser, issuer, return_to, expires_at FROM signin_flows WHERE hash = ? AND browser = ? AND expires_at > ?`,
		hash, browser, now).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return flowRow{}, false, err
	}
	gone := s.db.From(ctx).Exec(`DELETE FROM signin_flows WHERE hash = ?`, hash)
	return rows[0], gone.RowsAffected == 1, gone.Error
}
