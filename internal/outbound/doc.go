// Package outbound is the only HTTP client towards addresses that somebody configured or sent.
//
// It owns where such a call may go: private, loopback, link-local and reserved ranges are refused when the connection is made, after names were
// resolved, so neither a name that changes its address nor a redirect leads inside. Size and time are limited. Environment proxies are not used.
//
// It does not own what is fetched, nor connections that are no HTTP.
package outbound
