package identity_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/identity"
)

// may is what each role can do in its own scope, written out by hand.
var may = map[identity.Role]string{
	identity.Operator: "market:read token:manage instance:read app:read usage:read invoice:read org:read org:write member:read " +
		"org:create platform:manage provider:manage operation:read operation:manage audit:read ledger:manage clock:advance",
	identity.Owner: "market:read token:manage instance:read instance:write credentials:read app:read app:write usage:read invoice:read " +
		"org:read org:write member:read member:write audit:read",
	identity.Admin: "market:read token:manage instance:read instance:write credentials:read app:read app:write usage:read " +
		"org:read org:write member:read member:write audit:read",
	identity.Developer:    "market:read token:manage instance:read instance:write credentials:read app:read app:write usage:read org:read",
	identity.BillingRole:  "market:read token:manage instance:read usage:read invoice:read org:read",
	identity.Viewer:       "market:read token:manage instance:read app:read usage:read org:read",
	identity.RoleProvider: "market:read token:manage usage:report",
}

// everyone may; orgOnly is not carried by a role in a project.
const (
	everyone = "market:read token:manage"
	orgOnly  = "invoice:read org:write member:read member:write audit:read"
	actions  = "market:read instance:read instance:write credentials:read app:read app:write usage:read invoice:read org:read org:write " +
		"member:read member:write org:create platform:manage provider:manage operation:read operation:manage usage:report audit:read ledger:manage " +
		"clock:advance token:manage"
)

func within(list, action string) bool { return slices.Contains(strings.Fields(list), action) }

// TestRoleActionScope walks role × action × place: the grant's own scope, a project below, the org above, another tenant, the market.
func TestRoleActionScope(t *testing.T) {
	org, project := identity.Scope{Org: "org_a"}, identity.Scope{Org: "org_a", Project: "prj_a"}
	places := []identity.Scope{
		{},
		org, project,
		{Org: "org_a", Project: "prj_b"},
		{Org: "org_a", Project: "prj_a", App: "app_a"},
		{Org: "org_b"},
		{Org: "org_b", Project: "prj_a"},
		{Org: "org_b", Project: "prj_x", App: "app_a"},
	}
	market := []identity.Role{identity.Operator, identity.RoleProvider}
	n := 0
	for role, allowed := range may {
		for _, granted := range []identity.Scope{{}, org, project} {
			if slices.Contains(market, role) != (granted == identity.Scope{}) {
				continue
			}
			p := identity.Principal{Kind: identity.Person, ID: "per_a", Grants: []identity.Grant{{Role: role, Scope: granted}}}
			for _, action := range strings.Fields(actions) {
				for _, place := range places {
					want := within(everyone, action) ||
						within(allowed, action) && granted.Holds(place) && (granted.Project == "" || !within(orgOnly, action))
					if got := identity.Can(p, identity.Action(action), place); got != want {
						t.Errorf("%s of %v: %s in %v is %v", role, granted, action, place, got)
					}
					n++
				}
			}
		}
	}
	if n < 1500 {
		t.Fatalf("only %d cases were walked", n)
	}
}

func TestLimitedNobodySystem(t *testing.T) {
	org := identity.Scope{Org: "org_a"}
	grants := []identity.Grant{{Role: identity.Owner, Scope: org}}
	for name, c := range map[string]struct {
		who    identity.Principal
		action identity.Action
		want   bool
	}{
		"nobody":                     {identity.Principal{Grants: grants}, identity.MarketRead, false},
		"system":                     {identity.Principal{Kind: identity.System}, identity.CredentialsRead, true},
		"limited to it":              {identity.Principal{Kind: identity.Person, Grants: grants, Limited: true, Actions: []identity.Action{identity.OrgRead}}, identity.OrgRead, true},
		"limited to another":         {identity.Principal{Kind: identity.Person, Grants: grants, Limited: true, Actions: []identity.Action{identity.OrgRead}}, identity.OrgWrite, false},
		"limited to nothing":         {identity.Principal{Kind: identity.Person, Grants: grants, Limited: true}, identity.MarketRead, false},
		"limited beyond its grants":  {identity.Principal{Kind: identity.Person, Limited: true, Actions: []identity.Action{identity.OrgRead}}, identity.OrgRead, false},
		"no grant, but anyone's own": {identity.Principal{Kind: identity.Person}, identity.TokenManage, true},
	} {
		if got := identity.Can(c.who, c.action, org); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestKnown(t *testing.T) {
	for _, a := range strings.Fields(actions) {
		if !identity.Known(identity.Action(a)) {
			t.Errorf("%s is not known", a)
		}
	}
	if identity.Known("") || identity.Known("instance:fly") {
		t.Error("what is no action is known")
	}
}
