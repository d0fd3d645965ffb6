package directory

import (
	"context"
	"strings"

	"github.com/sutlerhq/sutler/identity"
)

type tokenRow struct {
	ID, Name, Owner, Actions       string
	CreatedAt, LastUsed, ExpiresAt int64
}

func (r tokenRow) token() Token {
	t := Token{ID: r.ID, Name: r.Name, Owner: r.Owner, CreatedAt: instant(r.CreatedAt), LastUsed: instant(r.LastUsed), ExpiresAt: instant(r.ExpiresAt)}
	for _, a := range strings.Fields(r.Actions) {
		t.Actions = append(t.Actions, identity.Action(a))
	}
	return t
}

const tokenColumns = `SELECT id, name, owner, actions, created_at, last_used, expires_at FROM tokens `

func (s store) addToken(ctx context.Context, t Token, hash string) error {
	var expires int64
	if !t.ExpiresAt.IsZero() {
		expires = t.ExpiresAt.UnixMicro()
	}
	_, err := s.exec(ctx, `INSERT INTO tokens (id, hash, name, owner, actions, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		t.ID, hash, t.Name, t.Owner, joinActions(t.Actions), t.CreatedAt.UnixMicro(), expires)
	return err
}

func (s store) tokenByHash(ctx context.Context, hash string) (Token, bool, error) {
	r, found, err := first[tokenRow](s.db.From(ctx).Raw(tokenColumns+`WHERE hash = ?`, hash))
	return r.token(), found, err
}

func (s store) tokens(ctx context.Context, owner string) ([]Token, error) {
	rows, err := all[tokenRow](s.db.From(ctx).Raw(tokenColumns+`WHERE owner = ? ORDER BY created_at DESC, id DESC`, owner))
	tokens := make([]Token, len(rows))
	for i, r := range rows {
		tokens[i] = r.token()
	}
	return tokens, err
}

func (s store) touchToken(ctx context.Context, id string, now int64) error {
	_, err := s.exec(ctx, `UPDATE tokens SET last_used = ? WHERE id = ? AND last_used < ?`, now, id, now)
	return err
}

func (s store) dropToken(ctx context.Context, owner, id string) (bool, error) {
	n, err := s.exec(ctx, `DELETE FROM tokens WHERE id = ? AND owner = ?`, id, owner)
	return n == 1, err
}

func (s store) setProviderKey(ctx context.Context, provider, hash string, now int64) error {
	_, err := s.exec(ctx, `INSERT INTO provider_keys (provider, hash, created_at) VALUES (?, ?, ?)
		ON CONFLICT (provider) DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at`, provider, hash, now)
	return err
}

func (s store) providerByHash(ctx context.Context, hash string) (string, bool, error) {
	return first[string](s.db.From(ctx).Raw(`SELECT provider FROM provider_keys WHERE hash = ?`, hash))
}
