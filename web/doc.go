// Package web is the front door: one server, its routes, and the answer to who is asking.
//
// It owns authentication of requests, sessions, limits and headers, and mounts api, pages and the handlers that cmd gives it (OSB, issuer,
// sign-in, webhooks). It does not own what the routes do.
//
// Every path lies in one area (area.go), and the area decides how its callers are known: machines by the credentials of their own protocol,
// the API by a bearer token or a session, pages by a session, and a few paths are open to all.
package web
