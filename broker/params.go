package broker

import (
	"bytes"
	"encoding/json"
	"reflect"

	"github.com/sutlerhq/sutler/internal/strict"
)

// fitting checks parameters against a plan's schema and gives them as an object: none at all are {}. No value of them is in the fault.
func fitting(schema, params json.RawMessage) (json.RawMessage, error) {
	if trimmed := bytes.TrimSpace(params); len(trimmed) == 0 || string(trimmed) == "null" {
		params = json.RawMessage("{}")
	}
	if err := strict.JSON(params); err != nil {
		return nil, err
	}
	s, err := strict.Compile(schema)
	if err != nil {
		return nil, err
	}
	return params, s.Check(params)
}

// equalJSON tells whether two documents say the same, whatever their order and blanks.
func equalJSON(a, b json.RawMessage) bool {
	parse := func(raw json.RawMessage) (v any, err error) {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		return v, d.Decode(&v)
	}
	x, err1 := parse(a)
	y, err2 := parse(b)
	return err1 == nil && err2 == nil && reflect.DeepEqual(x, y)
}
