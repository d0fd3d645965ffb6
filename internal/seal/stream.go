package seal

import (
	"errors"
	"fmt"
	"io"

	"github.com/tink-crypto/tink-go/v2/streamingaead/subtle"
	"github.com/tink-crypto/tink-go/v2/subtle/random"
)

// StreamKeyBytes is the length of a stream's key.
const StreamKeyBytes = 32

const segment = 1 << 20 // of a stream; each is authenticated by itself, and its place in the stream with it

// NewStreamKey makes a key for one stream. It is the caller's to seal.
func NewStreamKey() []byte { return random.GetRandomBytes(StreamKeyBytes) }

// Writer encrypts what is written to it; closing it writes the end, without which a reader finds the stream cut off. It does not close to.
func Writer(key []byte, row string, to io.Writer) (io.WriteCloser, error) {
	a, err := streaming(key)
	if err != nil {
		return nil, err
	}
	return a.NewEncryptingWriter(to, []byte(row))
}

// Reader decrypts what Writer wrote with the same key and row. A changed, cut off or exchanged stream is an error before its bytes are given.
func Reader(key []byte, row string, from io.Reader) (io.Reader, error) {
	a, err := streaming(key)
	if err != nil {
		return nil, err
	}
	return a.NewDecryptingReader(from, []byte(row))
}

func streaming(key []byte) (*subtle.AESGCMHKDF, error) {
	if len(key) != StreamKeyBytes {
		return nil, errors.New("seal: a stream's key has 32 bytes")
	}
	a, err := subtle.NewAESGCMHKDF(key, "SHA256", StreamKeyBytes, segment, 0)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return a, nil
}
