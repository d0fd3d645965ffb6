package broker

import (
	"bytes"
	"encoding/json"
	"reflect"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/strict"
)

// fitting checks parameters against a plan's schema and gives them as an object: none at all are {}. No value of them is in the fault.
func (b *Broker) fitting(schema, params json.RawMessage) (json.RawMessage, error) {
	params, err := asObject(params)
	if err != nil {
		return nil, err
	}
	compiled := &b.shelf.Load().schemas
	s, ok := compiled.Load(string(schema))
	if !ok {
		if s, err = strict.Compile(schema); err != nil {
			return nil, err
		}
		compiled.Store(string(schema), s)
	}
	return params, s.(*strict.Schema).Check(params)
}

// asObject reads none at all, and null, as {}.
func asObject(params json.RawMessage) (json.RawMessage, error) {
	if trimmed := bytes.TrimSpace(params); len(trimmed) == 0 || string(trimmed) == "null" {
		params = json.RawMessage("{}")
	}
	return params, strict.JSON(params)
}

// laid lays parameters over those that were there: each named one is replaced as a whole.
func laid(over, params json.RawMessage) (json.RawMessage, error) {
	all := map[string]json.RawMessage{}
	for _, raw := range []json.RawMessage{over, params} {
		if json.Unmarshal(raw, &all) != nil {
			return nil, fault.Invalid.Errorf("The parameters must be a JSON object.")
		}
	}
	return json.Marshal(all)
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
