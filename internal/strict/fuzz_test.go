package strict_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/strict"
)

// FuzzSchema lets any schema judge a document with values worth hiding: nothing panics, the fault is Invalid, and none of the values is in it.
func FuzzSchema(f *testing.F) {
	for _, s := range []string{
		plan, `{}`, `false`, `{"type":"string"}`, `{"properties":{"a":{"const":"x"},"b":{"maximum":1,"multipleOf":0.1}}}`, `{"patternProperties":{"^h":false}}`,
		`{"propertyNames":{"maxLength":1}}`, `{"additionalProperties":{"pattern":"^$"}}`, `{"properties":{"a":{"format":"ipv4"}},"$schema":"http://json-schema.org/draft-04/schema#"}`,
		`{"allOf":[{"$ref":"#"}]}`, `{"oneOf":[{"minProperties":9},{"required":["z"]}]}`, `{"properties":{"list":{"uniqueItems":true,"contains":{"const":1}}}}`, `{"dependentRequired":{"a":["q"]}}`,
		`{"properties":{"a":{"contentEncoding":"base64","contentMediaType":"application/json"}}}`, `{"unevaluatedProperties":false}`, `{"not":{}}`,
	} {
		f.Add([]byte(s))
	}
	doc := json.RawMessage(`{"a":"hush-text","b":47114711,"list":["hush-text","hush-text"],"inner":{"deep":"hush-text"}}`)
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := strict.Compile(raw)
		if err == nil {
			err = s.Check(doc)
		} else if strings.Contains(err.Error(), "hush") {
			return // the schema's own word
		}
		if err == nil {
			return
		}
		if !errors.Is(err, fault.Invalid) {
			t.Fatalf("not Invalid: %v", err)
		}
		said := err.Error()
		for _, field := range fault.Of(err).Fields {
			said += fmt.Sprint(field)
		}
		for _, value := range []string{"hush-text", "47114711"} {
			if strings.Contains(said, value) && !strings.Contains(string(raw), value) {
				t.Fatalf("the fault says the value %s: %s", value, said)
			}
		}
	})
}
