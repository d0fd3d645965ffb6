package seal

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/sutlerhq/sutler/internal/fault"
)

// masterKey reads the keyset in the file at path, or makes it. The file is the one secret that lies in clear: only its owner may read it.
func masterKey(path string, create bool) (tink.AEAD, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if !create {
			return nil, fault.NotFound.Wrap(err, "There is no master key file at %s.", path).
				WithHint("`sutler bootstrap` makes one; for an existing store put the file back from its backup.")
		}
		if err = makeMaster(path); err != nil {
			return nil, fault.Invalid.Wrap(err, "The master key file %s could not be made.", path).
				WithHint("Check that its folder exists and can be written by this user.")
		}
		info, err = os.Stat(path)
	}
	if err != nil {
		return nil, fault.Invalid.Wrap(err, "The master key file %s could not be read.", path)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return nil, fault.Invalid.Errorf("The master key file %s may be read by others (mode %04o).", path, info.Mode().Perm()).WithHint("Run: chmod 600 %s", path)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Invalid.Wrap(err, "The master key file %s could not be read.", path)
	}
	h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, fault.Invalid.Wrap(err, "The file %s holds no master key.", path).WithHint("It must be a Tink keyset in JSON, as Sutler makes it.")
	}
	return aead.New(h)
}

// makeMaster writes a fresh keyset beside path and links it there: two processes at once end with one key, and a crash leaves no half file.
func makeMaster(path string) error {
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err = insecurecleartextkeyset.Write(h, keyset.NewJSONWriter(&text)); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".master-*") // CreateTemp gives mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text.Bytes())
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		return nil // another process was first: its key is the key
	}
	return err
}
