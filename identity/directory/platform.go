package directory

import (
	"context"
	"crypto/subtle"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
)

// Platform is a registered OSB client.
type Platform struct {
	ID, Name  string // the name is its Basic user name
	Org       string // id: where its instances live
	Project   string // id
	CreatedAt time.Time
}

// CreatePlatform registers an OSB client for a project (refs) and returns its password, once. A name that is taken is fault.Conflict.
func (d *Directory) CreatePlatform(ctx context.Context, who identity.Principal, name, org, project string) (Platform, string, error) {
	if err := inMarket(who, identity.PlatformManage); err != nil {
		return Platform{}, "", err
	}
	if err := checkName("/name", name); err != nil {
		return Platform{}, "", err
	}
	p, err := d.Project(ctx, who, org, project)
	if err != nil {
		return Platform{}, "", err
	}
	password := newSecret()
	plt := Platform{ID: ids.New("plt"), Name: name, Org: p.Org, Project: p.ID, CreatedAt: d.clock.Now().Truncate(time.Microsecond)}
	err = d.db.Tx(ctx, func(ctx context.Context) error {
		fresh, err := d.store.addPlatform(ctx, plt, digest(password))
		if err != nil {
			return err
		}
		if !fresh {
			return fault.Conflict.Errorf("There is a platform %q already.", name).WithHint("Choose another name.")
		}
		return d.note(ctx, who, p.scope(), "platform.create", "platform/"+plt.ID, map[string]string{"name": name})
	})
	if err != nil {
		return Platform{}, "", err
	}
	return plt, password, nil
}

// Platforms lists all, by name.
func (d *Directory) Platforms(ctx context.Context, who identity.Principal) ([]Platform, error) {
	if err := inMarket(who, identity.PlatformManage); err != nil {
		return nil, err
	}
	return d.store.platforms(ctx)
}

// RotatePlatform gives a platform a new password and returns it, once. The former one ends at once.
func (d *Directory) RotatePlatform(ctx context.Context, who identity.Principal, ref string) (string, error) {
	password := newSecret()
	err := d.changePlatform(ctx, who, ref, "platform.rotate", func(ctx context.Context, id string) error {
		return d.store.setPlatformHash(ctx, id, digest(password))
	})
	if err != nil {
		return "", err
	}
	return password, nil
}

// DeletePlatform ends a platform's access; its instances stay.
func (d *Directory) DeletePlatform(ctx context.Context, who identity.Principal, ref string) error {
	return d.changePlatform(ctx, who, ref, "platform.delete", d.store.dropPlatform)
}

func (d *Directory) changePlatform(ctx context.Context, who identity.Principal, ref, deed string, change func(context.Context, string) error) error {
	if err := inMarket(who, identity.PlatformManage); err != nil {
		return err
	}
	return d.db.Tx(ctx, func(ctx context.Context) error {
		p, _, found, err := d.store.platform(ctx, ref)
		if err != nil {
			return err
		}
		if !found {
			return absent("platform", ref)
		}
		if err := change(ctx, p.ID); err != nil {
			return err
		}
		scope := identity.Scope{Org: p.Org, Project: p.Project}
		return d.note(ctx, who, scope, deed, "platform/"+p.ID, map[string]string{"name": p.Name})
	})
}

// ByPlatform answers who Basic credentials belong to, in constant time; fault.Unauthenticated otherwise. The grant is developer on its project.
func (d *Directory) ByPlatform(ctx context.Context, name, password string) (identity.Principal, error) {
	p, hash, found, err := d.store.platform(ctx, name)
	if err != nil {
		return identity.Principal{}, err
	}
	if !found {
		hash = digest("") // compared all the same, so that unknown names answer no faster
	}
	same := subtle.ConstantTimeCompare([]byte(digest(password)), []byte(hash)) == 1
	if !same || !found || p.Name != name {
		return identity.Principal{}, fault.Unauthenticated.Errorf("Platform name or password is wrong.")
	}
	scope := identity.Scope{Org: p.Org, Project: p.Project}
	return identity.Principal{
		Kind: identity.Platform, ID: p.ID, Name: p.Name, Grants: []identity.Grant{{Role: identity.Developer, Scope: scope}},
	}, nil
}

// PlatformOf gives the platform behind a platform principal.
func (d *Directory) PlatformOf(ctx context.Context, who identity.Principal) (Platform, error) {
	if who.Kind != identity.Platform {
		return Platform{}, fault.Forbidden.Errorf("Only a platform may do this.")
	}
	p, _, found, err := d.store.platform(ctx, who.ID)
	if err == nil && !found {
		err = absent("platform", who.ID)
	}
	return p, err
}
