package osb

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"github.com/pivotal-cf/brokerapi/v10/domain"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/strict"
)

// maxBody is the largest body that is read, in bytes.
const maxBody = 1 << 20

// cleanPath refuses ids that nobody could mean. Ids stay encoded for the router, which would split them at a slash.
func cleanPath(r *http.Request) error {
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.EscapedPath(), "/v2"), "/")
	for part := range strings.SplitSeq(path, "/") {
		if path == "" {
			break // the root: it has no ids
		}
		if _, err := id(part); err != nil {
			return err
		}
	}
	r.URL.RawPath = r.URL.EscapedPath() // what the router reads when it is there
	return nil
}

// id decodes an id out of a path: any text is legal, %2F included, but not too long and without control characters.
func id(encoded string) (string, error) {
	s, err := url.PathUnescape(encoded)
	if err != nil || s == "" || !legal(s) {
		return "", fault.Invalid.Errorf("An id in the path is not legal: 1 to %d bytes of UTF-8, no control characters.", maxID)
	}
	return s, nil
}

// cleanQuery brings accepts_incomplete to the one form that the library knows.
func cleanQuery(r *http.Request) error {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return fault.Invalid.Errorf("The query is malformed.")
	}
	if v := q.Get("accepts_incomplete"); v != "" {
		yes, err := strconv.ParseBool(v)
		if err != nil {
			return fault.Invalid.Errorf("accepts_incomplete must be true or false.")
		}
		q.Set("accepts_incomplete", strconv.FormatBool(yes))
	}
	r.URL.RawQuery = q.Encode()
	return nil
}

// cleanBody reads the whole body of a request that has one, checks its form, and hands it on from memory.
func cleanBody(r *http.Request, b *box) error {
	body := r.Body
	r.Body, r.ContentLength, r.TransferEncoding = http.NoBody, 0, nil
	if r.Method != http.MethodPut && r.Method != http.MethodPatch {
		return nil
	}
	raw, err := io.ReadAll(io.LimitReader(body, maxBody+1))
	if err != nil {
		err = fault.Invalid.Wrap(err, "The body could not be read.")
	}
	// A door before ours may have the smaller limit: then the rest was never read.
	if _, cut := errors.AsType[*http.MaxBytesError](err); cut || len(raw) > maxBody {
		return fault.TooLarge.Errorf("The body is larger than %d bytes.", maxBody)
	}
	if err != nil {
		return err
	}
	if err := strict.JSON(raw); err != nil {
		return err
	}
	if err := json.Unmarshal(raw, &b.body); err != nil || b.body == nil {
		return fault.Invalid.Errorf("The body must be a JSON object.")
	}
	exact(b.body)
	for _, name := range []string{"bind_resource", "maintenance_info", "previous_values"} {
		var inner map[string]json.RawMessage
		if json.Unmarshal(b.body[name], &inner) == nil && inner != nil {
			exact(inner)
			b.body[name] = encode(inner)
		}
	}
	raw = encode(b.body)
	if err := b.shape(r, raw); err != nil {
		return err
	}
	carry(r, raw)
	return nil
}

// carry makes raw the request's body.
func carry(r *http.Request, raw []byte) {
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
}

// exact takes away keys that are not written as the protocol writes its own, in small letters. Decoding folds case: Plan_ID would be plan_id
// there, and which of the two counts would depend on their order. Such keys are unknown ones, which a broker ignores.
func exact(object map[string]json.RawMessage) {
	maps.DeleteFunc(object, func(key string, _ json.RawMessage) bool {
		return strings.ContainsFunc(key, func(r rune) bool { return r >= unicode.MaxASCII || unicode.IsUpper(r) })
	})
}

// shape checks the fields that the library would answer wrongly about.
func (b *box) shape(r *http.Request, raw []byte) error {
	binding := strings.Contains(r.URL.EscapedPath(), "/service_bindings/")
	var into any = &domain.ProvisionDetails{}
	switch {
	case binding:
		into = &domain.BindDetails{}
	case r.Method == http.MethodPatch:
		into = &domain.UpdateDetails{}
	}
	if err := json.Unmarshal(raw, into); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return fault.Invalid.Errorf("The field %s has the wrong type.", wrong.Field)
		}
		return fault.Invalid.Errorf("The body does not have the form that this request needs.")
	}
	for _, name := range []string{"parameters", "context"} {
		v := bytes.TrimSpace(b.body[name])
		if len(v) > 0 && v[0] != '{' && string(v) != "null" {
			return fault.Invalid.Errorf("The field %s must be an object.", name)
		}
	}
	if p, ok := into.(*domain.ProvisionDetails); ok && (p.OrganizationGUID == "" || p.SpaceGUID == "") {
		return fault.Invalid.Errorf("organization_guid and space_guid are required.")
	}
	if d, ok := into.(*domain.BindDetails); ok && d.BindResource != nil && d.BindResource.Route != "" {
		return fault.Invalid.Errorf("The field bind_resource.route is not taken: no offering here requires route_forwarding, so a route would lead nowhere.")
	}
	return legalIDs(b.body)
}
