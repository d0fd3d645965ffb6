package directory

import (
	"context"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
)

// Project is a space in an org.
type Project struct{ ID, Org, Name string }

func (p Project) scope() identity.Scope { return identity.Scope{Org: p.Org, Project: p.ID} }

// CreateProject makes a project in an org. A name that is taken there is fault.Conflict.
func (d *Directory) CreateProject(ctx context.Context, who identity.Principal, org, name string) (Project, error) {
	o, err := d.orgFor(ctx, who, org, identity.OrgWrite)
	if err != nil {
		return Project{}, err
	}
	if err := checkName("/name", name); err != nil {
		return Project{}, err
	}
	p := Project{ID: ids.New("prj"), Org: o.ID, Name: name}
	err = d.db.Tx(ctx, func(ctx context.Context) error {
		fresh, err := d.store.addProject(ctx, p, d.now())
		if err != nil {
			return err
		}
		if !fresh {
			return fault.Conflict.Errorf("The org has a project %q already.", name).WithHint("Choose another name.")
		}
		return d.note(ctx, who, p.scope(), "project.create", "project/"+p.ID, map[string]string{"name": name})
	})
	if err != nil {
		return Project{}, err
	}
	return p, nil
}

// Project finds one by id, or by name within an org. With an org, an id of another org's project is not there.
func (d *Directory) Project(ctx context.Context, who identity.Principal, org, ref string) (Project, error) {
	if org != "" {
		o, err := d.Org(ctx, who, org)
		if err != nil {
			return Project{}, err
		}
		org = o.ID
	}
	p, found, err := d.store.project(ctx, org, ref)
	if err != nil {
		return Project{}, err
	}
	if !found || !sees(who, p.scope()) {
		return Project{}, absent("project", ref)
	}
	return p, nil
}

// Projects lists an org's projects that who may see, by name.
func (d *Directory) Projects(ctx context.Context, who identity.Principal, org string) ([]Project, error) {
	o, err := d.Org(ctx, who, org)
	if err != nil {
		return nil, err
	}
	all, err := d.store.projects(ctx, o.ID)
	if err != nil {
		return nil, err
	}
	var seen []Project
	for _, p := range all {
		if sees(who, p.scope()) {
			seen = append(seen, p)
		}
	}
	return seen, nil
}
