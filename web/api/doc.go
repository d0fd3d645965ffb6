// Package api is the REST door: /api/v1 and /usage/events, described by an OpenAPI 3.1 document that is made from the same types.
//
// It owns routes, their inputs, and the translation between the rooms' types and the wire's (web/client). It does not own who is asking
// (web puts the principal into the context), what may be done (the rooms ask identity.Can), or what a fault looks like (web/problem).
package api
