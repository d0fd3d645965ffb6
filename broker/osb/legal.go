package osb

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sutlerhq/sutler/internal/fault"
)

// maxID is the longest id, in bytes.
const maxID = 255

// legal tells whether a text can be an id: UTF-8, not too long, without control characters.
func legal(s string) bool {
	return len(s) <= maxID && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// legalRequest refuses a request whose own name is none: it would be repeated in the answer.
func legalRequest(r *http.Request) error {
	if legal(r.Header.Get(requestHeader)) {
		return nil
	}
	return fault.Invalid.Errorf("The header %s is not legal: at most %d bytes of UTF-8, no control characters.", requestHeader, maxID)
}

// legalIDs refuses a body that has an id nobody could mean, wherever the protocol knows ids. What has another type than text is not looked at
// here.
func legalIDs(body map[string]json.RawMessage) error {
	for _, in := range []string{"", "bind_resource", "context", "previous_values"} {
		object, path := body, ""
		if in != "" {
			object, path = nil, in+"."
			_ = json.Unmarshal(body[in], &object) // what is no object has no ids
		}
		for _, key := range slices.Sorted(maps.Keys(object)) {
			var s string
			if isID(key) && json.Unmarshal(object[key], &s) == nil && !legal(s) {
				return fault.Invalid.Errorf("The field %s%s is not legal: at most %d bytes of UTF-8, no control characters.", path, key, maxID)
			}
		}
	}
	return nil
}

// isID tells whether a field of the protocol's holds an id: all of them are called so, but for three in a context.
func isID(key string) bool {
	switch key {
	case "platform", "clusterid", "namespace":
		return true
	}
	return legal(key) && (strings.HasSuffix(key, "_guid") || strings.HasSuffix(key, "_id"))
}
