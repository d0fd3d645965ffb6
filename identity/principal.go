package identity

import "context"

// PrincipalKind says what sort of caller a principal is.
type PrincipalKind string

// The kinds of principals. Nobody is a caller who is not known; System is the market's own work.
const (
	Nobody   PrincipalKind = ""
	Person   PrincipalKind = "person"
	Platform PrincipalKind = "platform"
	Workload PrincipalKind = "workload"
	Provider PrincipalKind = "provider"
	System   PrincipalKind = "system"
)

// Scope names a place in the tenancy. Empty fields widen it: {} is the market, {Org} an org, {Org, Project} a project, all three an app.
// Ids, never names. Org is always filled when Project is, Project always when App is.
type Scope struct{ Org, Project, App string }

// Holds tells whether s contains t.
func (s Scope) Holds(t Scope) bool {
	return (s.Org == "" || s.Org == t.Org) && (s.Project == "" || s.Project == t.Project) && (s.App == "" || s.App == t.App)
}

// Grant is a role in a scope, and for the provider role the provider's name.
type Grant struct {
	Role     Role
	Scope    Scope
	Provider string
}

// Principal is who asks. Grants are read afresh for every request, so a changed role works at once.
type Principal struct {
	Kind     PrincipalKind
	ID       string // per_…, plt_…, or the provider's name
	Name     string // for people: shown in lists and in the audit trail
	Email    string
	Grants   []Grant
	Limited  bool     // a token with scopes: only Actions are allowed, and those only as far as Grants reach
	Actions  []Action // when Limited
	Token    string   // id of the API token used, may be empty
	Claimed  string   // originating identity as claimed by a platform: for the audit trail, never for authorisation
	Session  string   // id of the browser session, may be empty
	RemoteIP string
}

// Label is what lists and the audit trail show: "person/ada@example.com", "platform/cf-eu".
func (p Principal) Label() string {
	name := p.Email
	if name == "" {
		name = p.Name
	}
	if name == "" {
		name = p.ID
	}
	if p.Kind == Nobody {
		return "nobody"
	}
	return string(p.Kind) + "/" + name
}

// Via is how the principal came, for the audit trail: the token's or session's id, or what a platform claims about its own user.
func (p Principal) Via() string {
	switch {
	case p.Token != "":
		return p.Token
	case p.Session != "":
		return p.Session
	case p.Claimed != "":
		return "claimed: " + p.Claimed
	}
	return ""
}

// Tenancy is a scope with its names and the account that pays, as of now.
type Tenancy struct {
	Scope                         Scope
	Account                       string
	OrgName, ProjectName, AppName string
}

type principalKey struct{}

// With puts who asks into ctx, for the handlers behind the front door.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// From gives who asks; Nobody when the door let an anonymous request through.
func From(ctx context.Context) Principal {
	p, _ := ctx.Value(principalKey{}).(Principal)
	return p
}

type toldKey struct{}

// Listen gives a context in which a handler that knows its callers itself can Tell who asks. heard is that, or Nobody; it is read when the handler
// has returned.
func Listen(ctx context.Context) (listening context.Context, heard *Principal) {
	heard = &Principal{}
	return context.WithValue(ctx, toldKey{}, heard), heard
}

// Tell lets the door's log know who asks, where there is one that listens. It gives nobody a right. Call it in the request's own goroutine.
func Tell(ctx context.Context, p Principal) {
	if heard, ok := ctx.Value(toldKey{}).(*Principal); ok {
		*heard = p
	}
}
