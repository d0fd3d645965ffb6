package directory

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
)

// Place is where a platform says that something belongs: its own ids of organisation and space, and what they are called there, if it says so.
type Place struct{ Org, OrgName, Space, SpaceName string }

// maxExternal is the longest id of a platform, in bytes.
const maxExternal = 255

// PlaceOf finds the project in which a platform's instances of a place live: its own fixed one, or the one that was made when the place was
// first seen. found is false for a place that was never seen: then Settle makes it. The principal is who, with the role it has there.
func (d *Directory) PlaceOf(ctx context.Context, who identity.Principal, at Place) (p Project, there identity.Principal, found bool, err error) {
	plt, err := d.PlatformOf(ctx, who)
	if err != nil {
		return p, who, false, err
	}
	if !plt.Mapped {
		return Project{ID: plt.Project, Org: plt.Org}, who, true, nil
	}
	p, found, err = d.store.platformProject(ctx, plt.ID, at.Org, at.Space)
	return p, placed(who, p), found, err
}

// Settle gives a place of a mapped platform an org and a project of its own, once: under the account of the platform's home, named after what
// the platform calls them. The same place has the same project for ever.
func (d *Directory) Settle(ctx context.Context, who identity.Principal, at Place) (p Project, there identity.Principal, err error) {
	p, there, found, err := d.PlaceOf(ctx, who, at)
	if err != nil || found {
		return p, there, err
	}
	if at.Org == "" || at.Space == "" || len(at.Org) > maxExternal || len(at.Space) > maxExternal {
		return p, who, fault.Invalid.Errorf("A platform's organisation and space need ids of 1 to %d bytes.", maxExternal)
	}
	err = d.db.Tx(ctx, func(ctx context.Context) error {
		plt, err := d.PlatformOf(ctx, who)
		if err != nil {
			return err
		}
		if err = d.store.lockPlatform(ctx, plt.ID); err != nil { // one place after the other: no two make the same one
			return err
		}
		if p, found, err = d.store.platformProject(ctx, plt.ID, at.Org, at.Space); err != nil || found {
			return err
		}
		org, err := d.settleOrg(ctx, who, plt, at)
		if err != nil {
			return err
		}
		p, err = d.settleProject(ctx, who, plt, org, at)
		return err
	})
	return p, placed(who, p), err
}

// PlatformAt gives a mapped platform its role in a scope where it has something, and nothing anywhere else.
func (d *Directory) PlatformAt(ctx context.Context, who identity.Principal, s identity.Scope) (identity.Principal, error) {
	settled, err := d.store.platformHas(ctx, who.ID, s.Project)
	if err != nil || !settled {
		return who, err
	}
	return placed(who, Project{ID: s.Project, Org: s.Org}), nil
}

func placed(who identity.Principal, p Project) identity.Principal {
	if p.ID != "" {
		who.Grants = []identity.Grant{{Role: identity.Developer, Scope: p.scope()}}
	}
	return who
}

func (d *Directory) settleOrg(ctx context.Context, who identity.Principal, plt Platform, at Place) (Org, error) {
	if org, found, err := d.store.platformOrg(ctx, plt.ID, at.Org); err != nil || found {
		return org, err
	}
	home, _, err := d.store.org(ctx, plt.Org)
	if err != nil {
		return Org{}, err
	}
	for _, name := range legalNames(at.OrgName, plt.Name, "org", plt.ID+"/"+at.Org) {
		if _, taken, err := d.store.org(ctx, name); err != nil || taken {
			if err != nil {
				return Org{}, err
			}
			continue
		}
		title, err := checkTitle("/title", at.OrgName, name)
		if err != nil {
			title = name // what a platform calls it is no text of ours
		}
		org := Org{ID: ids.New("org"), Name: name, Title: title, Account: home.Account}
		if err := d.openOrg(ctx, who, &org, "", ""); err != nil {
			return Org{}, err
		}
		return org, d.store.addPlatformOrg(ctx, plt.ID, at.Org, org.ID, d.now())
	}
	return Org{}, fault.Conflict.Errorf("No name is free for the organisation %q.", at.Org)
}

func (d *Directory) settleProject(ctx context.Context, who identity.Principal, plt Platform, org Org, at Place) (Project, error) {
	for _, name := range legalNames(at.SpaceName, "", "space", at.Org+"/"+at.Space) {
		p := Project{ID: ids.New("prj"), Org: org.ID, Name: name}
		fresh, err := d.store.addProject(ctx, p, d.now())
		if err != nil {
			return Project{}, err
		}
		if !fresh {
			continue
		}
		if err := d.store.addPlatformProject(ctx, plt.ID, at, p.ID, d.now()); err != nil {
			return Project{}, err
		}
		return p, d.note(ctx, who, p.scope(), "project.create", "project/"+p.ID, map[string]string{"name": name, "external": at.Space})
	}
	return Project{}, fault.Conflict.Errorf("No name is free for the space %q.", at.Space)
}

var notInSlug = regexp.MustCompile(`[^a-z0-9]+`)

// legalNames gives names to try for a thing of a platform: its name there as far as it can be ours, then with a tail, then one made of its id.
// The tails are always the same for the same id.
func legalNames(wish, tail, noun, id string) []string {
	sum := sha256.Sum256([]byte(id))
	mark := hex.EncodeToString(sum[:])
	cut := func(s string, n int) string { return strings.Trim(s[:min(len(s), n)], "-") }
	wish = cut(notInSlug.ReplaceAllString(strings.ToLower(wish), "-"), 40)
	var names []string
	if wish = strings.Trim(wish, "-"); wish != "" {
		names = append(names, wish)
		if tail != "" {
			names = append(names, cut(cut(wish, 20)+"-"+tail, 40))
		}
		names = append(names, cut(wish, 31)+"-"+mark[:8])
	}
	return append(names, noun+"-"+mark[:8], noun+"-"+mark[:32])
}
