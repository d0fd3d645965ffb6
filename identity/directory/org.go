package directory

import (
	"context"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
)

// Org is a tenant.
type Org struct{ ID, Name, Title, Account string }

// CreateOrg makes an org, its account (in currency) unless one is named, and its first project "default". who becomes its owner when a person.
// A name that is taken is fault.Conflict.
func (d *Directory) CreateOrg(ctx context.Context, who identity.Principal, name, title, account, currency string) (Org, error) {
	return d.CreateOrgFor(ctx, who, "", name, title, account, currency)
}

// CreateOrgFor is CreateOrg with another owner, by email: who is no member then. An empty owner is who.
func (d *Directory) CreateOrgFor(ctx context.Context, who identity.Principal, owner, name, title, account, currency string) (Org, error) {
	if err := inMarket(who, identity.OrgCreate); err != nil {
		return Org{}, err
	}
	if err := checkName("/name", name); err != nil {
		return Org{}, err
	}
	title, err := checkTitle("/title", title, name)
	if err != nil {
		return Org{}, err
	}
	if owner != "" {
		if owner, err = normalEmail(owner); err != nil {
			return Org{}, err
		}
	}
	org := Org{ID: ids.New("org"), Name: name, Title: title, Account: account}
	err = d.db.Tx(ctx, func(ctx context.Context) error {
		first, err := d.firstOwner(ctx, who, owner)
		if err != nil {
			return err
		}
		if err := d.openOrg(ctx, who, &org, first, currency); err != nil {
			return err
		}
		_, err = d.store.addProject(ctx, Project{ID: ids.New("prj"), Org: org.ID, Name: "default"}, d.now())
		return err
	})
	if err != nil {
		return Org{}, err
	}
	return org, nil
}

// firstOwner gives the id of the human who will own a new org; empty for nobody.
func (d *Directory) firstOwner(ctx context.Context, who identity.Principal, email string) (string, error) {
	if email == "" {
		if who.Kind == identity.Person {
			return who.ID, nil
		}
		return "", nil
	}
	h, err := d.invite(ctx, email)
	return h.ID, err
}

func (d *Directory) openOrg(ctx context.Context, who identity.Principal, org *Org, owner, currency string) error {
	fresh, err := d.store.addOrg(ctx, *org, d.now())
	if err != nil {
		return err
	}
	if !fresh {
		return fault.Conflict.Errorf("The name %q is taken.", org.Name).WithHint("Choose another name.")
	}
	if org.Account == "" {
		if org.Account, err = d.accounts.OpenAccount(ctx, org.Title, currency); err != nil {
			return err
		}
	}
	if err := d.accounts.LinkOrg(ctx, org.Account, org.ID); err != nil {
		return err
	}
	if err := d.store.setAccount(ctx, org.ID, org.Account); err != nil {
		return err
	}
	scope := identity.Scope{Org: org.ID}
	if owner != "" {
		if err := d.store.setMember(ctx, owner, scope, identity.Owner, d.now()); err != nil {
			return err
		}
	}
	return d.note(ctx, who, scope, "org.create", "org/"+org.ID, map[string]string{"name": org.Name, "account": org.Account, "owner": owner})
}

// Org finds one by id or name.
func (d *Directory) Org(ctx context.Context, who identity.Principal, ref string) (Org, error) {
	org, found, err := d.store.org(ctx, ref)
	if err != nil {
		return Org{}, err
	}
	if !found || !seesOrg(who, org.ID) {
		return Org{}, absent("org", ref)
	}
	return org, nil
}

// Orgs lists those that who may see, by name.
func (d *Directory) Orgs(ctx context.Context, who identity.Principal) ([]Org, error) {
	all, err := d.store.orgs(ctx)
	if err != nil {
		return nil, err
	}
	var seen []Org
	for _, o := range all {
		if seesOrg(who, o.ID) {
			seen = append(seen, o)
		}
	}
	return seen, nil
}

// orgFor finds an org in which who may do a.
func (d *Directory) orgFor(ctx context.Context, who identity.Principal, ref string, a identity.Action) (Org, error) {
	org, err := d.Org(ctx, who, ref)
	if err == nil && !identity.Can(who, a, identity.Scope{Org: org.ID}) {
		err = forbidden(a)
	}
	if err != nil {
		return Org{}, err
	}
	return org, nil
}

// Tenancy names a scope and the account that pays. It asks no permission: broker and billing use it for what was already allowed.
// A scope that does not exist is fault.NotFound.
func (d *Directory) Tenancy(ctx context.Context, s identity.Scope) (identity.Tenancy, error) {
	t, found, err := d.store.tenancy(ctx, s)
	if err != nil {
		return identity.Tenancy{}, err
	}
	if !found {
		return identity.Tenancy{}, absent("org, project or app", s.Org+"/"+s.Project+"/"+s.App)
	}
	return t, nil
}
