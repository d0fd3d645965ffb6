package api

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/internal/fault"
)

// Place is where a request looks: names or ids, empty for the only one that the caller sees.
type Place struct {
	Org     string `query:"org" doc:"Org, by name or id; the only one you see when empty."`
	Project string `query:"project" doc:"Project, by name or id; every one you see (or the only one, where one is needed) when empty."`
}

// org finds the org that was named, or the only one that who sees.
func (a *API) org(ctx context.Context, who identity.Principal, ref string) (directory.Org, error) {
	if ref != "" {
		return a.Directory.Org(ctx, who, ref)
	}
	orgs, err := a.Directory.Orgs(ctx, who)
	if err != nil {
		return directory.Org{}, err
	}
	return only(orgs, "org", func(o directory.Org) string { return o.Name })
}

// project finds the project that was named; without a name the only one that who sees, or an org's first, which is called "default".
func (a *API) project(ctx context.Context, who identity.Principal, p Place) (directory.Project, error) {
	list, err := a.projects(ctx, who, p)
	if err != nil {
		return directory.Project{}, err
	}
	first := slices.DeleteFunc(slices.Clone(list), func(p directory.Project) bool { return p.Name != "default" })
	if len(first) == 1 {
		return first[0], nil
	}
	return only(list, "project", func(p directory.Project) string { return p.Name })
}

// projects lists the projects that a place can mean: the named one, or all that who sees there.
func (a *API) projects(ctx context.Context, who identity.Principal, p Place) ([]directory.Project, error) {
	if strings.HasPrefix(p.Project, "prj_") {
		one, err := a.Directory.Project(ctx, who, "", p.Project)
		return []directory.Project{one}, err
	}
	if p.Org == "" && p.Project == "" {
		return a.allProjects(ctx, who)
	}
	org, err := a.org(ctx, who, p.Org)
	if err != nil {
		return nil, err
	}
	if p.Project == "" {
		return a.Directory.Projects(ctx, who, org.ID)
	}
	one, err := a.Directory.Project(ctx, who, org.ID, p.Project)
	return []directory.Project{one}, err
}

func (a *API) allProjects(ctx context.Context, who identity.Principal) ([]directory.Project, error) {
	orgs, err := a.Directory.Orgs(ctx, who)
	if err != nil {
		return nil, err
	}
	var all []directory.Project
	for _, o := range orgs {
		list, err := a.Directory.Projects(ctx, who, o.ID)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

// scope is the project that a place names; without a name the whole org where who may do act there, else the only project that who sees.
func (a *API) scope(ctx context.Context, who identity.Principal, act identity.Action, p Place) (identity.Scope, error) {
	if p.Project == "" {
		org, err := a.org(ctx, who, p.Org)
		if err != nil {
			return identity.Scope{}, err
		}
		if s := (identity.Scope{Org: org.ID}); identity.Can(who, act, s) {
			return s, nil
		}
		p.Org = org.ID
	}
	project, err := a.project(ctx, who, p)
	return identity.Scope{Org: project.Org, Project: project.ID}, err
}

// only gives the one thing of a list, or says that there is none, or which there are.
func only[T any](list []T, noun string, name func(T) string) (T, error) {
	var none T
	switch len(list) {
	case 0:
		return none, fault.NotFound.Errorf("You see no %s yet.", noun).WithHint("Make one with sutler %s create NAME, or ask to be let into one.", noun)
	case 1:
		return list[0], nil
	}
	names := make([]string, 0, len(list))
	for _, item := range list {
		names = append(names, name(item))
	}
	return none, fault.Invalid.Errorf("There is more than one %s: %s.", noun, strings.Join(names, ", ")).WithHint("Say which one with --%s NAME.", noun)
}

// noun is what a name can be of.
type noun struct{ word, prefix, list string } // the prefix of its ids, the command that lists them

// within looks a name up in each project that a place can mean, and gives the only find. An id needs no place.
func within[T any](ctx context.Context, a *API, who identity.Principal, p Place, ref string, n noun, find func(project string) (T, error)) (T, error) {
	var none T
	if strings.HasPrefix(ref, n.prefix) {
		return find("")
	}
	list, err := a.projects(ctx, who, p)
	if err != nil {
		return none, err
	}
	var found []T
	var places []string
	names := a.namer()
	for _, project := range list {
		one, err := find(project.ID)
		switch {
		case err == nil:
			found, places = append(found, one), append(places, names.place(ctx, project))
		case !errors.Is(err, fault.NotFound):
			return none, err
		}
	}
	switch len(found) {
	case 0:
		return none, fault.NotFound.Errorf("There is no %s %q.", n.word, ref).WithHint("%s shows what there is.", n.list)
	case 1:
		return found[0], nil
	default:
		return none, fault.Invalid.Errorf("There is more than one %s %q: in %s.", n.word, ref, strings.Join(places, ", ")).WithHint("Say which one with --org ORG --project PROJECT, or by its id.")
	}
}

// place is a project as people tell it from others: projects of other orgs may have its name.
func (n *namer) place(ctx context.Context, p directory.Project) string {
	t := n.of(ctx, p.Org, p.ID)
	return t.OrgName + "/" + t.ProjectName
}

// namer gives the names of orgs and projects, each looked up once.
type namer struct {
	a     *API
	known map[identity.Scope]identity.Tenancy
	plans map[string]*catalog.Maintenance // by plan id
}

func (a *API) namer() *namer {
	return &namer{a: a, known: map[identity.Scope]identity.Tenancy{}, plans: map[string]*catalog.Maintenance{}}
}

// upgrade gives the maintenance version that an instance's plan has and that is newer than its own.
func (n *namer) upgrade(ctx context.Context, i broker.Instance) string {
	has, known := n.plans[i.PlanID]
	if !known {
		if _, p, err := n.a.Broker.Plan(ctx, i.PlanID); err == nil { // without its plan it has none
			has = p.Maintenance
		}
		n.plans[i.PlanID] = has
	}
	if !has.Newer(i.Maintenance) {
		return ""
	}
	return has.Version
}

// of gives a scope's names; where they cannot be had, its ids.
func (n *namer) of(ctx context.Context, org, project string) identity.Tenancy {
	s := identity.Scope{Org: org, Project: project}
	if t, ok := n.known[s]; ok {
		return t
	}
	t, err := n.a.Directory.Tenancy(ctx, s)
	if err != nil {
		t = identity.Tenancy{Scope: s, OrgName: org, ProjectName: project}
	}
	n.known[s] = t
	return t
}
