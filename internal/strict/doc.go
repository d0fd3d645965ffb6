// Package strict reads JSON from strangers.
//
// It owns two checks: that a document is one well-formed value in UTF-8 without duplicate keys, NUL, absurd numbers or deep nesting, and that
// parameters fit a JSON schema (draft 4 to 2020-12, no reference to the outside). Faults name the place and the reason, never a value.
//
// It does not own the size of a body (doors limit it before) nor what the document means.
package strict
