package directory

import (
	"cmp"
	"context"
	"crypto/subtle"
	"strconv"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
)

// Platform is a registered OSB client.
type Platform struct {
	ID, Name    string // the name is its Basic user name
	Org         string // id of its home: where its instances live, or, when Mapped, whose account pays for the orgs made for it
	Project     string // id
	Mapped      bool   // each organisation and space of the platform becomes an org and a project of its own on first sight
	CreatedAt   time.Time
	FormerUntil time.Time // until when the password before the last rotation is good; zero or past: it is not
}

// NewPlatform says how a platform is to be registered: its name, its home (refs), and whether its own tenancy is mapped.
type NewPlatform struct {
	Name, Org, Project string
	Mapped             bool
}

// CreatePlatform registers an OSB client all of whose instances live in one project (refs), as RegisterPlatform does.
func (d *Directory) CreatePlatform(ctx context.Context, who identity.Principal, name, org, project string) (Platform, string, error) {
	return d.RegisterPlatform(ctx, who, NewPlatform{Name: name, Org: org, Project: project})
}

// RegisterPlatform registers an OSB client and returns its password, once. A name that is taken is fault.Conflict.
func (d *Directory) RegisterPlatform(ctx context.Context, who identity.Principal, n NewPlatform) (Platform, string, error) {
	if err := inMarket(who, identity.PlatformManage); err != nil {
		return Platform{}, "", err
	}
	if err := checkName("/name", n.Name); err != nil {
		return Platform{}, "", err
	}
	p, err := d.Project(ctx, who, n.Org, n.Project)
	if err != nil {
		return Platform{}, "", err
	}
	password := newSecret()
	plt := Platform{ID: ids.New("plt"), Name: n.Name, Org: p.Org, Project: p.ID, Mapped: n.Mapped, CreatedAt: d.clock.Now().Truncate(time.Microsecond)}
	err = d.db.Tx(ctx, func(ctx context.Context) error {
		fresh, err := d.store.addPlatform(ctx, plt, digest(password))
		if err != nil {
			return err
		}
		if !fresh {
			return fault.Conflict.Errorf("There is a platform %q already.", n.Name).WithHint("Choose another name.")
		}
		return d.note(ctx, who, p.scope(), "platform.create", "platform/"+plt.ID, map[string]string{"name": n.Name, "mapped": strconv.FormatBool(n.Mapped)})
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

// maxKeep is the longest time for which two passwords of one platform are good.
const maxKeep = 30 * 24 * time.Hour

// RotatePlatform gives a platform a new password and returns it, once. The one it had stays good for keep (0 to 30 days) and one from before
// that ends at once: at most two are good at a time.
func (d *Directory) RotatePlatform(ctx context.Context, who identity.Principal, ref string, keep time.Duration) (plt Platform, password string, err error) {
	if keep < 0 || keep > maxKeep {
		return plt, "", fault.Invalid.Errorf("The former password may stay good for 0 to 30 days.").
			WithFields(fault.Field{Path: "/keep_seconds", Reason: "must be 0 to 2592000"})
	}
	password = newSecret()
	err = d.changePlatform(ctx, who, ref, "platform.rotate", func(ctx context.Context, p Platform) error {
		var until int64
		if keep > 0 {
			until = d.clock.Now().Add(keep).UnixMicro()
		}
		plt, plt.FormerUntil = p, instant(until)
		return d.store.setPlatformHash(ctx, p.ID, digest(password), until)
	})
	if err != nil {
		return Platform{}, "", err
	}
	return plt, password, nil
}

// DeletePlatform ends a platform's access; its instances stay.
func (d *Directory) DeletePlatform(ctx context.Context, who identity.Principal, ref string) error {
	return d.changePlatform(ctx, who, ref, "platform.delete", func(ctx context.Context, p Platform) error { return d.store.dropPlatform(ctx, p.ID) })
}

func (d *Directory) changePlatform(ctx context.Context, who identity.Principal, ref, deed string, change func(context.Context, Platform) error) error {
	if err := inMarket(who, identity.PlatformManage); err != nil {
		return err
	}
	return d.db.Tx(ctx, func(ctx context.Context) error {
		row, found, err := d.store.platform(ctx, ref)
		if err != nil {
			return err
		}
		if !found {
			return absent("platform", ref)
		}
		p := row.platform()
		if err := change(ctx, p); err != nil {
			return err
		}
		scope := identity.Scope{Org: p.Org, Project: p.Project}
		d.db.AfterCommit(ctx, d.known.forget)
		return d.note(ctx, who, scope, deed, "platform/"+p.ID, map[string]string{"name": p.Name})
	})
}

// ByPlatform answers who Basic credentials belong to, in constant time; fault.Unauthenticated otherwise. The grant is developer on its project;
// a mapped platform has none until PlaceOf, Settle or PlatformAt give it the one of the place that a request is about. A password that was ended
// in another process of the market is good for up to two more seconds (keptFor).
func (d *Directory) ByPlatform(ctx context.Context, name, password string) (identity.Principal, error) {
	row, kept := d.known.find(name)
	if !kept || !d.lets(row, name, password) { // a new password is good at once
		era := d.known.begin()
		var err error
		if row, _, err = d.store.platform(ctx, name); err != nil {
			return identity.Principal{}, err
		}
		if !d.lets(row, name, password) {
			return identity.Principal{}, fault.Unauthenticated.Errorf("Platform name or password is wrong.")
		}
		d.known.keep(row, era)
	}
	who := identity.Principal{Kind: identity.Platform, ID: row.ID, Name: row.Name}
	if row.Mapped == 1 {
		return who, nil
	}
	return placed(who, Project{ID: row.Project, Org: row.Org}), nil
}

// lets compares with both passwords all the same, so that unknown names answer no faster.
func (d *Directory) lets(row platformRow, name, password string) bool {
	given := []byte(digest(password))
	same := subtle.ConstantTimeCompare(given, []byte(cmp.Or(row.Hash, none))) == 1
	former := subtle.ConstantTimeCompare(given, []byte(cmp.Or(row.Former, none))) == 1 && row.FormerUntil > d.now()
	return row.Name == name && (same || former)
}

// none is no digest of anything, and as long as one.
var none = strings.Repeat("-", len(digest("")))

// PlatformOf gives the platform behind a platform principal.
func (d *Directory) PlatformOf(ctx context.Context, who identity.Principal) (Platform, error) {
	if who.Kind != identity.Platform {
		return Platform{}, fault.Forbidden.Errorf("Only a platform may do this.")
	}
	if row, kept := d.known.find(who.Name); kept && row.ID == who.ID && !d.db.In(ctx) {
		return row.platform(), nil
	}
	row, found, err := d.store.platform(ctx, who.ID)
	if err == nil && !found {
		err = absent("platform", who.ID)
	}
	return row.platform(), err
}
