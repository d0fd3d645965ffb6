// Package ids makes our identifiers: a prefix that says what it names, then 26 letters that sort by time of birth.
package ids

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"time"
)

var letters = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// New gives a fresh id such as "ins_06f2…": 48 bits of milliseconds, 80 random bits. It is safe in URLs, file names and SQL text.
func New(prefix string) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(time.Now().UnixMilli())<<16)
	_, _ = rand.Read(b[6:]) // never fails: the runtime ends the process instead
	return prefix + "_" + letters.EncodeToString(b[:])
}

// Stable gives a UUID-shaped id that is the same for the same parts, in every process and after every restart.
// Catalog ids are made so: platforms keep them for ever.
func Stable(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s,", len(p), p)
	}
	s := h.Sum(nil)[:16]
	s[6], s[8] = s[6]&0x0f|0x80, s[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", s[:4], s[4:6], s[6:8], s[8:10], s[10:])
}
