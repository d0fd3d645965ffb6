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

// ErrDamaged is what a stream is that was changed, cut off, exchanged, or sealed with another key.
var ErrDamaged = errors.New("seal: the stream is damaged")

// Reader decrypts what Writer wrote with the same key and row. A changed, cut off or exchanged stream is ErrDamaged before its bytes are given, and stays
// so: whoever reads on after an error never takes it for the end. What from itself fails with is told as it is.
func Reader(key []byte, row string, from io.Reader) (io.Reader, error) {
	a, err := streaming(key)
	if err != nil {
		return nil, err
	}
	o := &origin{r: from}
	in, err := a.NewDecryptingReader(o, []byte(row))
	if err != nil {
		return nil, o.blame(err)
	}
	return &sticky{in: in, from: o}, nil
}

// origin remembers what the sealed stream itself failed with.
type origin struct {
	r   io.Reader
	err error
}

func (o *origin) Read(p []byte) (int, error) {
	n, err := o.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		o.err = err
	}
	return n, err
}

// blame tells whether err is the origin's, or that of what it holds.
func (o *origin) blame(err error) error {
	if o.err != nil {
		return o.err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// sticky gives its first error again and again. Tink's reader tells of a segment that does not open once, and of the end after it.
type sticky struct {
	in   io.Reader
	from *origin
	err  error
}

func (s *sticky) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.in.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // the end is io.EOF itself
		err = s.from.blame(err)
	}
	s.err = err
	return n, err
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
