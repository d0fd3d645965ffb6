package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/sutlerhq/sutler/internal/fault"
)

// Schema is a compiled JSON schema of draft 4 to 2020-12, without references to the outside.
type Schema struct{ compiled *jsonschema.Schema }

// nothing is what a plan without a schema accepts.
var nothing = json.RawMessage(`{"type":"object","additionalProperties":false}`)

// here is the address that a schema without an $id gets; nothing can be loaded from it.
const here = "urn:sutler:schema"

// closed refuses every reference to the outside.
type closed struct{}

func (closed) Load(string) (any, error) {
	return nil, errors.New("a reference to another document is not followed")
}

// Compile reads a schema; empty raw allows only {} (or nothing). The fault is Invalid: not JSON, not a schema, or it refers to the outside.
func Compile(raw json.RawMessage) (*Schema, error) {
	if blank(raw) {
		raw = nothing
	}
	doc, err := decode(raw)
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(closed{})
	if err = c.AddResource(here, doc); err != nil {
		return nil, fault.Invalid.Wrap(err, "The JSON schema cannot be used.")
	}
	s, err := c.Compile(here)
	if err != nil {
		return nil, fault.Invalid.Wrap(err, "The JSON schema cannot be used: it is no schema of draft 4 to 2020-12, or refers to another document.")
	}
	return &Schema{compiled: s}, nil
}

// Check tells whether doc fits; nothing and null count as {}. The fault is Invalid with a Field (path, reason) per problem. No value of doc appears in it.
func (s *Schema) Check(doc json.RawMessage) error {
	if blank(doc) {
		doc = json.RawMessage(`{}`)
	}
	v, err := decode(doc)
	if err != nil {
		return err
	}
	err = s.compiled.Validate(v)
	if err == nil {
		return nil
	}
	found, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return fault.Invalid.Wrap(err, "The parameters do not fit their schema.")
	}
	fields := s.problems(found, nil)
	slices.SortFunc(fields, func(a, b fault.Field) int {
		return strings.Compare(a.Path+"\x00"+a.Reason, b.Path+"\x00"+b.Reason)
	})
	fields = slices.Compact(fields)
	// The cause is not kept: its text holds values, and causes are logged.
	return fault.Invalid.Errorf("The parameters do not fit their schema: %s %s.", place(fields[0].Path), fields[0].Reason).WithFields(fields...)
}

func blank(raw json.RawMessage) bool {
	t := bytes.TrimSpace(raw)
	return len(t) == 0 || string(t) == "null"
}

func decode(raw json.RawMessage) (any, error) {
	if err := JSON(raw); err != nil {
		return nil, err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fault.Invalid.Wrap(err, "The JSON document is not well-formed.")
	}
	return v, nil
}

// problems gathers the leaves of the validator's tree.
func (s *Schema) problems(e *jsonschema.ValidationError, out []fault.Field) []fault.Field {
	if len(e.Causes) == 0 {
		var p strings.Builder
		for _, part := range e.InstanceLocation {
			p.WriteString("/" + pointerPart(part))
		}
		if k, ok := e.ErrorKind.(*kind.AdditionalProperties); ok {
			for _, name := range k.Properties[:min(len(k.Properties), few)] {
				out = append(out, fault.Field{Path: p.String() + "/" + pointerPart(name), Reason: s.unknown(e.InstanceLocation)})
			}
			return out
		}
		return append(out, fault.Field{Path: p.String(), Reason: reason(e.ErrorKind)})
	}
	for _, c := range e.Causes {
		out = s.problems(c, out)
	}
	return out
}

// unknown is the reason of a member that the schema does not have, with those that it has at that place where it says them plainly.
func (s *Schema) unknown(at []string) string {
	here := s.compiled
	for _, part := range at {
		if here = here.Properties[part]; here == nil {
			return "is not known"
		}
	}
	if len(here.Properties) == 0 {
		return "is not known"
	}
	return "is not known; known are " + strings.Join(slices.Sorted(maps.Keys(here.Properties)), ", ")
}
