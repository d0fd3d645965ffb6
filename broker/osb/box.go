package osb

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"

	"github.com/sutlerhq/sutler/identity"
)

// box travels with a request: inwards what brokerapi does not decode, outwards what it has no field for.
type box struct {
	who      identity.Principal
	minor    int                        // of the version 2.x that the platform speaks
	platform string                     // that the originating identity claims to come from, "" without one
	body     map[string]json.RawMessage // of the request, by field
	header   http.Header                // added to the answer
	fields   map[string]any             // merged into the answer's object
}

type boxKey struct{}

func withBox(ctx context.Context, b *box) context.Context {
	return context.WithValue(ctx, boxKey{}, b)
}

// boxOf gives the request's box; the door puts one into every request.
func boxOf(ctx context.Context) *box {
	b, _ := ctx.Value(boxKey{}).(*box)
	return b
}

// add gives the answer a field that the library has none for.
func (b *box) add(name string, value any) {
	if b.fields == nil {
		b.fields = map[string]any{}
	}
	b.fields[name] = value
}

// merge puts the box's fields into an answer.
func (b *box) merge(answer []byte) []byte {
	if len(b.fields) == 0 {
		return answer
	}
	object := map[string]any{}
	d := json.NewDecoder(bytes.NewReader(answer))
	d.UseNumber()
	if d.Decode(&object) != nil {
		return answer
	}
	maps.Copy(object, b.fields)
	return encode(object)
}

// encode is JSON as brokerapi writes it: & and < stay.
func encode(v any) []byte {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return []byte("{}\n")
	}
	return buf.Bytes()
}
