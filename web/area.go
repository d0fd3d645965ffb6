package web

import "strings"

// area says how the callers of a path are known.
type area int

// The areas.
const (
	pages    area = iota // a session; who has none is sent to sign in
	api                  // a bearer token or a session; who has none gets 401
	open                 // anyone
	signin               // anyone, with a session to begin or end
	issuing              // the issuer: anyone, forms from our own pages alone
	machines             // the handler knows its callers by its own protocol
)

var prefixes = []struct {
	path string
	area area
}{
	{"/api/openapi", open},
	{"/api/docs", open},
	{"/schemas/", open},
	{"/static/", open},
	{"/signin", open},
	{"/healthz", open},
	{"/readyz", open},
	{"/favicon.ico", open},
	{"/robots.txt", open},
	{"/metrics", api},
	{"/api/", api},
	{"/usage/events", api},
	{"/auth/", signin},
	{"/oidc/", issuing},
	{"/v2/", machines},
	{"/webhooks/", machines},
}

// areaOf finds the area of a path. What is not listed is a page, the strictest but one, so that a new route is never open by oversight.
func areaOf(path string) area {
	for _, p := range prefixes {
		if path == strings.TrimSuffix(p.path, "/") || strings.HasPrefix(path, p.path) {
			return p.area
		}
	}
	return pages
}

// sessions tells whether an area looks at the session cookie.
func (a area) sessions() bool { return a == pages || a == api || a == signin }

// forms tells whether an area takes what a browser sends with cookies, which must then come from our own pages.
func (a area) forms() bool { return a == pages || a == api || a == signin || a == issuing }
