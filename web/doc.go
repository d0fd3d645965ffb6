// Package web is the front door: one server, its routes, and the answer to who is asking.
//
// It owns authentication of requests, sessions, limits and headers, and mounts api, pages and the handlers that cmd gives it (OSB, issuer,
// sign-in, webhooks). It does not own what the routes do.
package web
