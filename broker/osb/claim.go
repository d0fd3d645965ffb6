package osb

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/strict"
)

// maxClaim is the longest originating identity that is read, in bytes; maxKept how much of it the trail keeps.
const (
	maxClaim = 4 << 10
	maxKept  = 1000
)

var platformForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// claimed reads the originating identity: a platform's name and a base64 JSON object of what it says about its user. It is recorded as the
// platform's claim and never used to allow anything. Without one, as when a platform cleans up by itself, both are empty.
func claimed(header string) (platform, said string, err error) {
	if header == "" {
		return "", "", nil
	}
	bad := fault.Invalid.Errorf("The header %s must be a platform's name and a JSON object in base64, of at most %d bytes.", claimHeader, maxClaim)
	platform, value, ok := strings.Cut(header, " ")
	if !ok || len(header) > maxClaim || !platformForm.MatchString(platform) {
		return "", "", bad
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(value)
	if err != nil || strict.JSON(raw) != nil {
		return "", "", bad
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil || object == nil {
		return "", "", bad
	}
	said = platform + " " + string(bytes.TrimSpace(encode(object)))
	return platform, strings.ToValidUTF8(said[:min(len(said), maxKept)], ""), nil
}

// sameClaim refuses a request whose context comes from another platform than its originating identity.
func (b *box) sameClaim() error {
	if in := toldBy(b.body["context"]).Platform; in != "" && b.platform != "" && in != b.platform {
		return fault.Invalid.Errorf("context.platform and the header %s name different platforms.", claimHeader)
	}
	return nil
}
