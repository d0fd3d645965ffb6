package api

import (
	"cmp"
	"context"
	"net/http"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/web/client"
)

// InOrg names an org.
type InOrg struct {
	Org string `query:"org" doc:"Name or id; the only one you see when empty."`
}

func (a *API) tenancy() {
	register(a, route{method: http.MethodGet, path: prefix + "/orgs", id: "org-list", tag: "tenancy", summary: "Orgs that you see."}, a.orgList)
	register(a, route{method: http.MethodPost, path: prefix + "/orgs", id: "org-create", tag: "tenancy", status: http.StatusCreated, summary: "Make an org with an account and a first project."}, a.orgCreate)
	register(a, route{method: http.MethodGet, path: prefix + "/projects", id: "project-list", tag: "tenancy", summary: "Projects of an org that you see."}, a.projectList)
	register(a, route{method: http.MethodPost, path: prefix + "/projects", id: "project-create", tag: "tenancy", status: http.StatusCreated, summary: "Make a project."}, a.projectCreate)
	register(a, route{method: http.MethodGet, path: prefix + "/members", id: "member-list", tag: "tenancy", summary: "People of an org and their roles."}, a.memberList)
	register(a, route{method: http.MethodPost, path: prefix + "/members", id: "member-set", tag: "tenancy", summary: "Give a person a role, or take it away with an empty one."}, a.memberSet)
	register(a, route{method: http.MethodGet, path: prefix + "/whoami", id: "whoami", tag: "identity", summary: "Who the market takes you for."}, a.whoami)
}

func (a *API) orgList(ctx context.Context, who identity.Principal, _ *struct{}) (*reply[[]client.Org], error) {
	list, err := a.Directory.Orgs(ctx, who)
	return answer(each(list, err, wireOrg))
}

func (a *API) orgCreate(ctx context.Context, who identity.Principal, in *struct{ Body client.NewOrg }) (*reply[client.Org], error) {
	n := in.Body
	o, err := a.Directory.CreateOrgFor(ctx, who, n.Owner, n.Name, cmp.Or(n.Title, n.Name), n.Account, cmp.Or(n.Currency, "EUR"))
	return answer(wireOrg(o), err)
}

func (a *API) projectList(ctx context.Context, who identity.Principal, in *InOrg) (*reply[[]client.Project], error) {
	projects, err := a.projects(ctx, who, Place{Org: in.Org})
	names := a.namer()
	return answer(each(projects, err, func(p directory.Project) client.Project {
		return client.Project{ID: p.ID, Name: p.Name, Org: names.of(ctx, p.Org, p.ID).OrgName}
	}))
}

func (a *API) projectCreate(ctx context.Context, who identity.Principal, in *struct{ Body client.NewProject }) (*reply[client.Project], error) {
	org, err := a.org(ctx, who, in.Body.Org)
	if err != nil {
		return nil, err
	}
	p, err := a.Directory.CreateProject(ctx, who, org.ID, in.Body.Name)
	return answer(client.Project{ID: p.ID, Name: p.Name, Org: org.Name}, err)
}

func (a *API) memberList(ctx context.Context, who identity.Principal, in *InOrg) (*reply[[]client.Member], error) {
	org, err := a.org(ctx, who, in.Org)
	if err != nil {
		return nil, err
	}
	list, err := a.Directory.Members(ctx, who, org.ID)
	names := a.namer()
	return answer(each(list, err, func(m directory.Member) client.Member { return names.member(ctx, m) }))
}

func (a *API) memberSet(ctx context.Context, who identity.Principal, in *struct{ Body client.NewMember }) (*reply[client.Member], error) {
	org, err := a.org(ctx, who, in.Body.Org)
	if err != nil {
		return nil, err
	}
	scope := identity.Scope{Org: org.ID}
	if in.Body.Project != "" {
		project, err := a.Directory.Project(ctx, who, org.ID, in.Body.Project)
		if err != nil {
			return nil, err
		}
		scope.Project = project.ID
	}
	m, err := a.Directory.SetMember(ctx, who, in.Body.Email, identity.Role(in.Body.Role), scope)
	if err != nil {
		return nil, err
	}
	return answer(a.namer().member(ctx, m), nil)
}

func (a *API) whoami(ctx context.Context, who identity.Principal, _ *struct{}) (*reply[client.Identity], error) {
	out := client.Identity{Kind: string(who.Kind), ID: who.ID, Name: who.Name, Email: who.Email, Limited: who.Limited, Grants: []client.Grant{}}
	names := a.namer()
	for _, g := range who.Grants {
		t := names.scope(ctx, g.Scope)
		out.Grants = append(out.Grants, client.Grant{Role: string(g.Role), Org: t.OrgName, Project: t.ProjectName})
	}
	for _, action := range who.Actions {
		out.Actions = append(out.Actions, string(action))
	}
	return answer(out, nil)
}

func wireOrg(o directory.Org) client.Org {
	return client.Org{ID: o.ID, Name: o.Name, Title: o.Title, Account: o.Account}
}

func (n *namer) member(ctx context.Context, m directory.Member) client.Member {
	t := n.scope(ctx, m.Scope)
	return client.Member{Email: m.Human.Email, Name: m.Human.Name, Role: string(m.Role), Org: t.OrgName, Project: t.ProjectName}
}

// scope names a scope that may be the whole market.
func (n *namer) scope(ctx context.Context, s identity.Scope) identity.Tenancy {
	if s.Org == "" {
		return identity.Tenancy{}
	}
	return n.of(ctx, s.Org, s.Project)
}
