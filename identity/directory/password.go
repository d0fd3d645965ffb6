package directory

import (
	"context"

	"github.com/alexedwards/argon2id"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
)

// The cost of one password: 19 MiB, two passes.
var cost = argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// nobodys is a hash of the same cost that no password fits: an unknown email takes as long as a wrong password.
const nobodys = "$argon2id$v=19$m=19456,t=2,p=1$c3V0bGVyLW5vYm9keSEhIQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// The lengths of a password, in bytes.
const minPassword, maxPassword = 10, 256

// SetPassword gives a human (by id) of our own issuer a password (argon2id). It asks no permission: wiring and bootstrap use it.
func (d *Directory) SetPassword(ctx context.Context, human, password string) error {
	hash, err := d.hash(ctx, password)
	if err != nil {
		return err
	}
	return d.db.Tx(ctx, func(ctx context.Context) error {
		h, found, err := d.store.human(ctx, human)
		if err != nil {
			return err
		}
		if !found {
			return absent("human", human)
		}
		if err := d.store.settleHuman(ctx, h, hash); err != nil {
			return err
		}
		return d.note(ctx, identity.Principal{Kind: identity.System}, identity.Scope{}, "human.password", "human/"+h.ID, nil)
	})
}

// CheckPassword answers which human this is; equal time for unknown emails; fault.Unauthenticated otherwise.
func (d *Directory) CheckPassword(ctx context.Context, email, password string) (Human, error) {
	h, hash, err := d.passwordOf(ctx, email)
	if err != nil {
		return Human{}, err
	}
	known := hash != ""
	if !known {
		hash = nobodys
	}
	if len(password) > maxPassword {
		password, known = password[:maxPassword], false
	}
	release, err := d.queue(ctx)
	if err != nil {
		return Human{}, err
	}
	defer release()
	match, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return Human{}, err
	}
	if !match || !known {
		return Human{}, fault.Unauthenticated.Errorf("Email or password is wrong.")
	}
	return h, nil
}

func (d *Directory) passwordOf(ctx context.Context, email string) (Human, string, error) {
	email, err := normalEmail(email)
	if err != nil {
		return Human{}, "", nil //nolint:nilerr // what is no address belongs to nobody, and must not answer faster
	}
	return d.store.password(ctx, email)
}

func (d *Directory) hash(ctx context.Context, password string) (string, error) {
	if len(password) < minPassword || len(password) > maxPassword {
		return "", fault.Invalid.Errorf("A password has %d to %d bytes.", minPassword, maxPassword).
			WithFields(fault.Field{Path: "/password", Reason: "too short or too long"})
	}
	release, err := d.queue(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	return argon2id.CreateHash(password, &cost)
}

// queue waits for one of the places at which a password is hashed.
func (d *Directory) queue(ctx context.Context) (release func(), err error) {
	select {
	case d.hashing <- struct{}{}:
		return func() { <-d.hashing }, nil
	case <-ctx.Done():
		return nil, fault.Unavailable.Wrap(ctx.Err(), "Too many people are signing in at once.").WithHint("Try again in a moment.")
	}
}
