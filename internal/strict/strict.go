// Package strict reads JSON from strangers: well-formed, UTF-8, no duplicate keys, at most a depth; and checks parameters against JSON schemas.
package strict

import "encoding/json"

// Depth is the deepest nesting that is accepted.
const Depth = 64

// JSON checks raw: one well-formed value in UTF-8, no duplicate key in an object, nesting at most Depth. The fault is Invalid and names the place.
func JSON(raw []byte) error { panic("unbuilt") }

// Schema is a compiled JSON schema of draft 4 to 2020-12, without references to the outside.
type Schema struct{}

// Compile reads a schema; empty raw allows only {} (or nothing).
func Compile(raw json.RawMessage) (*Schema, error) { panic("unbuilt") }

// Check tells whether doc fits; the fault is Invalid with a Field (path, reason) per problem. No value of doc appears in it.
func (s *Schema) Check(doc json.RawMessage) error { panic("unbuilt") }
