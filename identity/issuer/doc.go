// Package issuer is our own OpenID provider: it signs people in with their password for the pages and for the command line.
//
// It owns the endpoints below /oidc, its two clients, authorization requests, codes and access tokens, and the login page. It does not own
// people and passwords (directory), browser sessions (web) nor the keys' keeping (seal).
//
// Only the authorization code flow with PKCE S256 is spoken. An authorization request is bound to the browser that began it, a code works
// once and for one minute, an id token lives five minutes and an access token fifteen. Everything is in the store, so that a restart, or
// another process on the same store, loses no login that is under way.
package issuer
