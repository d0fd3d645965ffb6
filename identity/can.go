package identity

import "slices"

// Role is a named set of actions within a scope.
type Role string

// The roles. Operator stands in the market's scope; Owner, Admin and Billing in an org's; Developer and Viewer in an org's or a project's,
// Admin also in a project's; RoleProvider belongs to a provider's name and no scope of a tenant.
const (
	Operator     Role = "operator"
	Owner        Role = "owner"
	Admin        Role = "admin"
	Developer    Role = "developer"
	BillingRole  Role = "billing"
	Viewer       Role = "viewer"
	RoleProvider Role = "provider"
)

// Action is something that Can is asked about. Reading and changing are told apart; credentials and money stand alone.
type Action string

// The actions, and the scope each is asked in.
const (
	MarketRead      Action = "market:read"      // market; anyone signed in
	InstanceRead    Action = "instance:read"    // project
	InstanceWrite   Action = "instance:write"   // project: create, update, destroy, bind, unbind
	CredentialsRead Action = "credentials:read" // project or app: credentials and environments
	AppRead         Action = "app:read"         // project
	AppWrite        Action = "app:write"        // project
	UsageRead       Action = "usage:read"       // org or project: quantities and costs, no invoices
	InvoiceRead     Action = "invoice:read"     // org
	OrgRead         Action = "org:read"         // org
	OrgWrite        Action = "org:write"        // org: projects, settings
	MemberRead      Action = "member:read"      // org
	MemberWrite     Action = "member:write"     // org: invite, change roles
	OrgCreate       Action = "org:create"       // market
	PlatformManage  Action = "platform:manage"  // market
	ProviderManage  Action = "provider:manage"  // market
	OperationRead   Action = "operation:read"   // market: all operations, stuck ones
	OperationManage Action = "operation:manage" // market: retry and give up stuck operations
	UsageReport     Action = "usage:report"     // market: CloudEvents, for a provider's own instances only
	AuditRead       Action = "audit:read"       // market or org
	LedgerManage    Action = "ledger:manage"    // market: close, journal, price book
	ClockAdvance    Action = "clock:advance"    // market, dev only
	TokenManage     Action = "token:manage"     // one's own tokens; asked in the market's scope
)

var (
	viewer    = []Action{InstanceRead, AppRead, OrgRead, UsageRead}
	developer = append([]Action{InstanceWrite, CredentialsRead, AppWrite}, viewer...)
	admin     = append([]Action{OrgWrite, MemberRead, MemberWrite, AuditRead}, developer...)
	owner     = append([]Action{InvoiceRead}, admin...)
)

// powers is the whole table. An operator runs the market and sees no tenant's credentials, and so lets nobody into an org either: that would be
// seeing them through somebody else.
var powers = map[Role][]Action{
	Operator: {
		MarketRead, InstanceRead, AppRead, UsageRead, InvoiceRead, OrgRead, OrgWrite, MemberRead, OrgCreate,
		PlatformManage, ProviderManage, OperationRead, OperationManage, AuditRead, LedgerManage, ClockAdvance,
	},
	Owner:        owner,
	Admin:        admin,
	Developer:    developer,
	BillingRole:  {InvoiceRead, UsageRead, OrgRead, InstanceRead},
	Viewer:       viewer,
	RoleProvider: {UsageReport},
}

// anyone holds what every known caller may do.
var anyone = []Action{MarketRead, TokenManage}

// Known tells whether a is an action that some role or every caller may have: what a token may be limited to.
func Known(a Action) bool {
	if slices.Contains(anyone, a) {
		return true
	}
	for _, actions := range powers {
		if slices.Contains(actions, a) {
			return true
		}
	}
	return false
}

// orgOnly are the actions that a role granted in a project does not carry.
var orgOnly = []Action{InvoiceRead, OrgWrite, MemberRead, MemberWrite, AuditRead}

// Can is the one question: may p do a within s? It is pure; every door and every room asks it.
func Can(p Principal, a Action, s Scope) bool {
	if p.Kind == Nobody || (p.Limited && !slices.Contains(p.Actions, a)) {
		return false
	}
	if p.Kind == System || slices.Contains(anyone, a) {
		return true
	}
	return slices.ContainsFunc(p.Grants, func(g Grant) bool {
		if !g.Scope.Holds(s) || !slices.Contains(powers[g.Role], a) {
			return false
		}
		return g.Scope.Project == "" || !slices.Contains(orgOnly, a)
	})
}

// MayHandOn tells whether p's token may give somebody role r: what is limited gives nothing beyond its own actions, and makes no owner.
// Whether p may give roles at all is another question, for Can.
func MayHandOn(p Principal, r Role) bool {
	if !p.Limited {
		return true
	}
	beyond := func(a Action) bool { return !slices.Contains(p.Actions, a) }
	return r != Owner && !slices.ContainsFunc(powers[r], beyond)
}
