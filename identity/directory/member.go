package directory

import (
	"context"
	"slices"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
)

// Member is a human's role in an org or a project.
type Member struct {
	Human Human
	Role  identity.Role
	Scope identity.Scope
}

// The roles that may be given where.
var (
	orgRoles     = []identity.Role{identity.Owner, identity.Admin, identity.Developer, identity.BillingRole, identity.Viewer}
	projectRoles = []identity.Role{identity.Admin, identity.Developer, identity.Viewer}
)

// Members lists an org's members, by email.
func (d *Directory) Members(ctx context.Context, who identity.Principal, org string) ([]Member, error) {
	o, err := d.orgFor(ctx, who, org, identity.MemberRead)
	if err != nil {
		return nil, err
	}
	return d.store.members(ctx, o.ID)
}

// SetMember gives the human with this email a role in a scope (ids), making the human when new; an empty role takes it away.
// Only an owner makes or unmakes owners, nobody raises themself, a limited token gives nothing beyond itself, and an org keeps at least one
// owner. An operator names the first owner of an org that has no members, and no one else.
func (d *Directory) SetMember(ctx context.Context, who identity.Principal, email string, role identity.Role, s identity.Scope) (Member, error) {
	if err := d.mayInvite(ctx, who, role, s); err != nil {
		return Member{}, err
	}
	email, err := normalEmail(email)
	if err != nil {
		return Member{}, err
	}
	if err := checkRole(role, s); err != nil {
		return Member{}, err
	}
	var m Member
	err = d.db.Tx(ctx, func(ctx context.Context) error {
		// Concurrent changes to one org's members queue here, so that two owners cannot remove each other.
		if err := d.store.lockOrg(ctx, s.Org); err != nil {
			return err
		}
		if err := d.mayInvite(ctx, who, role, s); err != nil { // again: somebody may have been the first just now
			return err
		}
		m, err = d.changeMember(ctx, who, email, role, s)
		return err
	})
	if err != nil {
		return Member{}, err
	}
	return m, nil
}

func (d *Directory) mayInvite(ctx context.Context, who identity.Principal, role identity.Role, s identity.Scope) error {
	org, err := d.Org(ctx, who, s.Org)
	if err == nil && !identity.Can(who, identity.MemberWrite, identity.Scope{Org: org.ID}) {
		err = d.mayBegin(ctx, who, role, s)
	}
	if err != nil {
		return err
	}
	if s.Project == "" {
		return nil
	}
	p, found, err := d.store.project(ctx, s.Org, s.Project)
	if err == nil && (!found || p.ID != s.Project) {
		err = absent("project", s.Project)
	}
	return err
}

// mayBegin lets an operator name the first owner of an org that has no members. From then on the org's own people let others in: whoever may
// do that can see credentials, which the operator may not.
func (d *Directory) mayBegin(ctx context.Context, who identity.Principal, role identity.Role, s identity.Scope) error {
	if !identity.Can(who, identity.OrgCreate, identity.Scope{}) {
		return forbidden(identity.MemberWrite)
	}
	n, err := d.store.membersOf(ctx, s.Org)
	if err == nil && (n > 0 || role != identity.Owner || s.Project != "") {
		err = fault.Forbidden.Errorf("An operator names the first owner of an org without members; everybody else is let in by its owners.").
			WithHint("Ask an owner of the org.")
	}
	return err
}

func checkRole(role identity.Role, s identity.Scope) error {
	allowed := orgRoles
	if s.Project != "" {
		allowed = projectRoles
	}
	if s.App != "" || (role != "" && !slices.Contains(allowed, role)) {
		return fault.Invalid.Errorf("The role %q cannot be given there.", role).WithHint("Possible roles: %v.", allowed).
			WithFields(fault.Field{Path: "/role", Reason: "not a role of this scope"})
	}
	return nil
}

func (d *Directory) changeMember(ctx context.Context, who identity.Principal, email string, role identity.Role, s identity.Scope) (Member, error) {
	human, found, err := d.store.humanByEmail(ctx, email)
	if err != nil {
		return Member{}, err
	}
	if !found && role == "" {
		return Member{}, absent("member", email)
	}
	if !found {
		if human, err = d.invite(ctx, email); err != nil {
			return Member{}, err
		}
	}
	was, err := d.store.roleOf(ctx, human.ID, s)
	if err != nil {
		return Member{}, err
	}
	if was == "" && role == "" {
		return Member{}, absent("member", email)
	}
	if err := mayChange(who, human, was, role, s.Org); err != nil {
		return Member{}, err
	}
	if err := d.store.setMember(ctx, human.ID, s, role, d.now()); err != nil {
		return Member{}, err
	}
	if owners, err := d.store.owners(ctx, s.Org); err != nil {
		return Member{}, err
	} else if owners == 0 && was == identity.Owner {
		return Member{}, fault.Unprocessable.Errorf("An org keeps at least one owner.").WithHint("Make somebody else an owner first.")
	}
	err = d.note(ctx, who, s, "member.set", "human/"+human.ID, map[string]string{"role": string(role), "was": string(was)})
	return Member{Human: human, Role: role, Scope: s}, err
}

// mayChange holds the rules beyond member:write: owners are made by owners, nobody gives themself a role they have not, and a limited token
// gives nobody more than it may itself.
func mayChange(who identity.Principal, human Human, was, role identity.Role, org string) error {
	if who.Kind == identity.System {
		return nil
	}
	if !identity.MayHandOn(who, role) || who.Limited && was == identity.Owner {
		return fault.Forbidden.Errorf("A token cannot give a role that may more than itself, nor make or unmake an owner.").
			WithHint("Sign in, or use a token without limits.")
	}
	if has(who, identity.Owner, identity.Scope{Org: org}) {
		return nil
	}
	// Beside owners only operators come here with this role, and only for an org's first owner: see mayBegin.
	first := role == identity.Owner && was == "" && has(who, identity.Operator, identity.Scope{}) && !identity.Can(who, identity.MemberWrite, identity.Scope{Org: org})
	if (role == identity.Owner || was == identity.Owner) && !first {
		return fault.Forbidden.Errorf("Only an owner may make or unmake an owner.")
	}
	if human.ID == who.ID && role != "" {
		return fault.Forbidden.Errorf("You cannot give yourself a role.").WithHint("Ask an owner of the org.")
	}
	return nil
}

func has(who identity.Principal, role identity.Role, s identity.Scope) bool {
	return slices.ContainsFunc(who.Grants, func(g identity.Grant) bool { return g.Role == role && g.Scope == s })
}
