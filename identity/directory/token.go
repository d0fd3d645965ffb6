package directory

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
)

// TokenPrefix begins every bearer secret of ours, so that people and secret scanners recognise one.
const TokenPrefix = "sut_"

// Token is an API token without its secret.
type Token struct {
	ID, Name, Owner     string            // owner: the human's id
	Actions             []identity.Action // empty: all that the owner may
	CreatedAt, LastUsed time.Time         // LastUsed is exact to a minute; zero when never used
	ExpiresAt           time.Time         // zero: never
}

// newSecret gives 256 random bits as text.
func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: the runtime ends the process instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// digest is how a secret of 256 bits is kept: nothing slower is needed, there is nothing to guess.
func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// CreateToken makes an API token for the human who asks and returns its secret, once. Its power is actions ∩ the owner's current roles.
// A zero expires means never. A limited token makes only tokens that may no more than itself.
func (d *Directory) CreateToken(ctx context.Context, who identity.Principal, name string, actions []identity.Action, expires time.Time) (Token, string, error) {
	if who.Kind != identity.Person || !identity.Can(who, identity.TokenManage, identity.Scope{}) {
		return Token{}, "", fault.Forbidden.Errorf("Only people make tokens, for themselves.")
	}
	name, err := checkTitle("/name", name, "token")
	if err != nil {
		return Token{}, "", err
	}
	if err := checkActions(who, actions); err != nil {
		return Token{}, "", err
	}
	now := d.clock.Now()
	if !expires.IsZero() && !expires.After(now) {
		return Token{}, "", fault.Invalid.Errorf("The token would have expired already.").
			WithFields(fault.Field{Path: "/expires_at", Reason: "must be in the future"})
	}
	secret := TokenPrefix + newSecret()
	t := Token{
		ID: ids.New("tok"), Name: name, Owner: who.ID, Actions: slices.Clone(actions),
		CreatedAt: now.Truncate(time.Microsecond), ExpiresAt: expires.UTC().Truncate(time.Microsecond),
	}
	err = d.db.Tx(ctx, func(ctx context.Context) error {
		if err := d.store.addToken(ctx, t, digest(secret)); err != nil {
			return err
		}
		return d.note(ctx, who, identity.Scope{}, "token.create", "token/"+t.ID, map[string]string{"actions": joinActions(actions)})
	})
	if err != nil {
		return Token{}, "", err
	}
	return t, secret, nil
}

func checkActions(who identity.Principal, actions []identity.Action) error {
	for _, a := range actions {
		if !identity.Known(a) {
			return fault.Invalid.Errorf("There is no action %q.", a).WithFields(fault.Field{Path: "/actions", Reason: "unknown action"})
		}
		if who.Limited && !slices.Contains(who.Actions, a) {
			return fault.Forbidden.Errorf("A token cannot make one that may more than itself.")
		}
	}
	if who.Limited && len(actions) == 0 {
		return fault.Forbidden.Errorf("A token cannot make one that may more than itself.").WithHint("Name the actions of the new token.")
	}
	return nil
}

// Tokens lists one's own, newest first.
func (d *Directory) Tokens(ctx context.Context, who identity.Principal) ([]Token, error) {
	if !identity.Can(who, identity.TokenManage, identity.Scope{}) {
		return nil, forbidden(identity.TokenManage)
	}
	return d.store.tokens(ctx, who.ID)
}

// RevokeToken ends one of one's own, at once.
func (d *Directory) RevokeToken(ctx context.Context, who identity.Principal, id string) error {
	if !identity.Can(who, identity.TokenManage, identity.Scope{}) {
		return forbidden(identity.TokenManage)
	}
	return d.db.Tx(ctx, func(ctx context.Context) error {
		gone, err := d.store.dropToken(ctx, who.ID, id)
		if err != nil {
			return err
		}
		if !gone {
			return absent("token", id)
		}
		return d.note(ctx, who, identity.Scope{}, "token.revoke", "token/"+id, nil)
	})
}

// ByToken answers who a bearer secret belongs to, with current grants: a human's token or a provider's key; fault.Unauthenticated otherwise.
func (d *Directory) ByToken(ctx context.Context, secret string) (identity.Principal, error) {
	unknown := fault.Unauthenticated.Errorf("The token is not valid.").WithHint("Make a new one, or sign in again.")
	if !strings.HasPrefix(secret, TokenPrefix) || len(secret) != len(TokenPrefix)+43 {
		return identity.Principal{}, unknown
	}
	hash := digest(secret)
	t, found, err := d.store.tokenByHash(ctx, hash)
	if err != nil {
		return identity.Principal{}, err
	}
	if !found {
		return d.byProviderKey(ctx, hash, unknown)
	}
	now := d.clock.Now()
	if !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt) {
		return identity.Principal{}, fault.Unauthenticated.Errorf("The token has expired.").WithHint("Make a new one, or sign in again.")
	}
	p, err := d.ByHuman(ctx, t.Owner)
	if err != nil {
		return identity.Principal{}, err
	}
	p.Token, p.Limited, p.Actions = t.ID, len(t.Actions) > 0, t.Actions
	if now.Sub(t.LastUsed) > time.Minute && !d.db.In(ctx) {
		err = d.db.Tx(ctx, func(ctx context.Context) error { return d.store.touchToken(ctx, t.ID, now.UnixMicro()) })
	}
	return p, err
}

func joinActions(actions []identity.Action) string {
	s := make([]string, len(actions))
	for i, a := range actions {
		s[i] = string(a)
	}
	return strings.Join(s, " ")
}
