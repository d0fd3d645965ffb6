package seal_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/seal"
)

func box(t *testing.T, db *database.DB) (*seal.Box, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "master.key")
	b, err := seal.New(t.Context(), db, path, true)
	if err != nil {
		t.Fatal(err)
	}
	return b, path
}

func TestValueOpensOnlyInItsRow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		b, path := box(t, db)
		sealed, err := b.Seal(t.Context(), "org_a", "binding/1/credentials", []byte("hunter2"))
		if err != nil || strings.Contains(sealed, "hunter2") {
			t.Fatal(sealed, err)
		}
		if _, err := b.Seal(t.Context(), "org_b", "x", nil); err != nil {
			t.Fatal(err)
		}
		other, err := seal.New(t.Context(), db, path, false) // another process with the same file
		if err != nil {
			t.Fatal(err)
		}
		flipped := sealed[:len(sealed)-2] + string(sealed[len(sealed)-2]^1) + sealed[len(sealed)-1:]
		for name, c := range map[string]struct {
			org, row, text string
			ok             bool
		}{
			"its own row":        {"org_a", "binding/1/credentials", sealed, true},
			"another row":        {"org_a", "binding/2/credentials", sealed, false},
			"another org":        {"org_b", "binding/1/credentials", sealed, false},
			"an org without key": {"org_c", "binding/1/credentials", sealed, false},
			"moved border":       {"org_a", "inding/1/credentials", sealed, false},
			"changed text":       {"org_a", "binding/1/credentials", flipped, false},
			"no sealed text":     {"org_a", "binding/1/credentials", "hunter2", false},
		} {
			got, err := other.Open(t.Context(), c.org, c.row, c.text)
			if c.ok != (err == nil && string(got) == "hunter2") {
				t.Errorf("%s: %q, %v", name, got, err)
			}
			if err != nil && (strings.Contains(err.Error(), "hunter2") || fault.KindOf(err) != fault.Internal) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got, err := b.Open(t.Context(), "org_a", "r", ""); got != nil || err != nil {
			t.Error("an empty text", got, err)
		}
	})
}

// A key whose transaction failed must not be used afterwards: what it sealed could never be opened again.
func TestKeyOfFailedTransactionIsForgotten(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		b, path := box(t, db)
		boom := errors.New("boom")
		err := db.Tx(t.Context(), func(ctx context.Context) error {
			sealed, err := b.Seal(ctx, "org_a", "r", []byte("v"))
			if err != nil {
				return err
			}
			if _, err := b.Open(ctx, "org_a", "r", sealed); err != nil {
				return err
			}
			_, _, err = b.SigningKey(ctx, "invoice")
			return errors.Join(boom, err)
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		sealed, err := b.Seal(t.Context(), "org_a", "r", []byte("v"))
		if err != nil {
			t.Fatal(err)
		}
		_, id, err := b.SigningKey(t.Context(), "invoice")
		if err != nil {
			t.Fatal(err)
		}
		other, err := seal.New(t.Context(), db, path, false)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := other.Open(t.Context(), "org_a", "r", sealed); string(got) != "v" || err != nil {
			t.Error(got, err)
		}
		if _, err := other.PublicKey(t.Context(), id); err != nil {
			t.Error(err)
		}
	})
}

func TestFirstUseByManyMakesOneKey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		_, path := box(t, db)
		var wg sync.WaitGroup
		texts, keys := make([]string, 8), make([]string, 8)
		for i := range texts {
			b, err := seal.New(t.Context(), db, path, false)
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				var err error
				if texts[i], err = b.Seal(context.Background(), "org_a", "r", []byte("v")); err != nil {
					t.Error(err)
				}
				if _, keys[i], err = b.SigningKey(context.Background(), "issuer"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		b, err := seal.New(t.Context(), db, path, false)
		if err != nil {
			t.Fatal(err)
		}
		for i := range texts {
			if got, err := b.Open(t.Context(), "org_a", "r", texts[i]); string(got) != "v" || err != nil {
				t.Errorf("%d: %q %v", i, got, err)
			}
			if keys[i] != keys[0] {
				t.Errorf("two signing keys: %s, %s", keys[0], keys[i])
			}
		}
		var n int64
		if err := db.From(t.Context()).Raw(`SELECT count(*) FROM data_keys WHERE org = 'org_a'`).Scan(&n).Error; err != nil || n != 1 {
			t.Error(n, err)
		}
	})
}

func TestSignatureVerifiesAcrossProcesses(t *testing.T) {
	db := dbtest.New(t)
	b, path := box(t, db)
	key, id, err := b.SigningKey(t.Context(), "invoice")
	if err != nil {
		t.Fatal(err)
	}
	digest := make([]byte, 32)
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest)
	if err != nil {
		t.Fatal(err)
	}
	other, err := seal.New(t.Context(), db, path, false)
	if err != nil {
		t.Fatal(err)
	}
	public, err := other.PublicKey(t.Context(), id)
	if err != nil || !ecdsa.VerifyASN1(public, digest, signature) {
		t.Error("does not verify", err)
	}
	if _, err := other.PublicKey(t.Context(), "key_unknown"); !errors.Is(err, fault.NotFound) {
		t.Error(err)
	}
	mac, err := b.MACKey(t.Context(), "audit")
	again, err2 := other.MACKey(t.Context(), "audit")
	if err != nil || err2 != nil || len(mac) != 32 || string(mac) != string(again) {
		t.Error("MAC keys differ", err, err2)
	}
}

func TestMasterKeyFile(t *testing.T) {
	db := dbtest.New(t)
	_, path := box(t, db)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info, err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	foreign := dbtest.New(t)
	_, foreignPath := box(t, foreign)
	dir := t.TempDir()
	write := func(name string, text []byte, mode os.FileMode) string {
		p := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(p, text, mode), os.Chmod(p, mode)); err != nil {
			t.Fatal(err)
		}
		return p
	}
	for name, c := range map[string]struct {
		path   string
		create bool
		kind   fault.Kind
		says   string
	}{
		"missing":                     {filepath.Join(dir, "none"), false, fault.NotFound, "no master key file"},
		"missing beside a used store": {filepath.Join(dir, "none"), true, fault.Invalid, "sealed with a master key"},
		"of another store":            {foreignPath, true, fault.Invalid, "does not open this store's keys"},
		"readable by others":          {write("open", good, 0o644), false, fault.Invalid, "may be read by others"},
		"no keyset":                   {write("junk", []byte("hello"), 0o600), false, fault.Invalid, "holds no master key"},
	} {
		_, err := seal.New(t.Context(), db, c.path, c.create)
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); err == nil {
		t.Error("a second master key was made for a store that has keys")
	}
}
