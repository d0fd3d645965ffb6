// Package signin lets people in through OpenID providers: ours, and any others that are configured.
//
// It owns /auth/login, /auth/callback and /auth/logout, and the flows under way between them: authorization code with PKCE, state and nonce,
// each good once, for ten minutes, in the browser that began it. It does not own sessions (web keeps them; signin begins and ends them through
// Sessions), people (directory) nor our own provider (issuer).
package signin
