package issuer

import (
	"context"

	"gorm.io/gorm"

	"github.com/sutlerhq/sutler/internal/database"
)

// store is the issuer's rows. Ids and codes are kept as hashes.
type store struct{ db *database.DB }

type requestRow struct {
	Hash, Browser, Client, Redirect, State, Nonce, Scopes, Challenge, Human string
	SignedInAt, ExpiresAt                                                   int64
}

type tokenRow struct {
	ID, Human, Client string
	ExpiresAt         int64
}

func first[T any](g *gorm.DB) (row T, found bool, err error) {
	var rows []T
	if err := g.Scan(&rows).Error; err != nil || len(rows) == 0 {
		return row, false, err
	}
	return rows[0], true, nil
}

func (s store) exec(ctx context.Context, sql string, args ...any) (bool, error) {
	r := s.db.From(ctx).Exec(sql, args...)
	return r.RowsAffected > 0, r.Error
}

// addRequest keeps a request, and forgets what has expired.
func (s store) addRequest(ctx context.Context, r requestRow, now int64) error {
	for _, table := range []string{"oidc_requests", "oidc_tokens"} {
		if _, err := s.exec(ctx, `DELETE FROM `+table+` WHERE expires_at < ?`, now); err != nil {
			return err
		}
	}
	_, err := s.exec(ctx, `INSERT INTO oidc_requests (hash, browser, client, redirect, state, nonce, scopes, challenge, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, r.Hash, r.Browser, r.Client, r.Redirect, r.State, r.Nonce, r.Scopes, r.Challenge, r.ExpiresAt)
	return err
}

const requestColumns = `SELECT hash, browser, client, redirect, state, nonce, scopes, challenge, human, signed_in_at, expires_at FROM oidc_requests `

func (s store) request(ctx context.Context, hash, browser string, now int64) (requestRow, bool, error) {
	return first[requestRow](s.db.From(ctx).Raw(requestColumns+`WHERE hash = ? AND browser = ? AND expires_at > ?`, hash, browser, now))
}

// signIn says who it is that asked, once.
func (s store) signIn(ctx context.Context, hash, human string, now int64) (bool, error) {
	return s.exec(ctx, `UPDATE oidc_requests SET human = ?, signed_in_at = ? WHERE hash = ? AND human = '' AND expires_at > ?`, human, now, hash, now)
}

// setCode gives a request its code, once.
func (s store) setCode(ctx context.Context, hash, code string, expires int64) (bool, error) {
	return s.exec(ctx, `UPDATE oidc_requests SET code = ?, expires_at = ? WHERE hash = ? AND code = '' AND human <> ''`, code, expires, hash)
}

// spendCode takes a request away by its code: of two that come with one code, one gets it.
func (s store) spendCode(ctx context.Context, code string, now int64) (requestRow, bool, error) {
	row, found, err := first[requestRow](s.db.From(ctx).Raw(requestColumns+`WHERE code = ? AND expires_at > ?`, code, now))
	if err != nil || !found {
		return row, false, err
	}
	gone, err := s.exec(ctx, `DELETE FROM oidc_requests WHERE hash = ?`, row.Hash)
	return row, gone, err
}

func (s store) addToken(ctx context.Context, t tokenRow) error {
	_, err := s.exec(ctx, `INSERT INTO oidc_tokens (id, human, client, expires_at) VALUES (?, ?, ?, ?)`, t.ID, t.Human, t.Client, t.ExpiresAt)
	return err
}

func (s store) token(ctx context.Context, id string, now int64) (tokenRow, bool, error) {
	return first[tokenRow](s.db.From(ctx).Raw(`SELECT id, human, client, expires_at FROM oidc_tokens WHERE id = ? AND expires_at > ?`, id, now))
}

func (s store) dropToken(ctx context.Context, id, client string) error {
	_, err := s.exec(ctx, `DELETE FROM oidc_tokens WHERE id = ? AND client = ?`, id, client)
	return err
}

func (s store) dropTokensOf(ctx context.Context, human, client string) error {
	_, err := s.exec(ctx, `DELETE FROM oidc_tokens WHERE human = ? AND client = ?`, human, client)
	return err
}
