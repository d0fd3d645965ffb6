package directory

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
)

// App is something that consumes backends.
type App struct{ ID, Org, Project, Name string }

func (a App) scope() identity.Scope {
	return identity.Scope{Org: a.Org, Project: a.Project, App: a.ID}
}

// CreateApp makes an app in a project (by id). A name that is taken there is fault.Conflict.
func (d *Directory) CreateApp(ctx context.Context, who identity.Principal, project, name string) (App, error) {
	p, err := d.projectFor(ctx, who, project, identity.AppWrite)
	if err != nil {
		return App{}, err
	}
	if err := checkName("/name", name); err != nil {
		return App{}, err
	}
	app := App{ID: ids.New("app"), Org: p.Org, Project: p.ID, Name: name}
	err = d.db.Tx(ctx, func(ctx context.Context) error {
		fresh, err := d.store.addApp(ctx, app, "", d.now())
		if err != nil {
			return err
		}
		if !fresh {
			return fault.Conflict.Errorf("The project has an app %q already.", name).WithHint("Choose another name.")
		}
		return d.note(ctx, who, app.scope(), "app.create", "app/"+app.ID, map[string]string{"name": name})
	})
	if err != nil {
		return App{}, err
	}
	return app, nil
}

// EnsureApp finds the app that a platform knows as external (an app_guid), and makes it at the first time. name is what people see;
// when it is empty, no name of ours or taken, one is derived from external. The same external gives the same app for ever.
func (d *Directory) EnsureApp(ctx context.Context, who identity.Principal, project, external, name string) (App, error) {
	p, err := d.projectFor(ctx, who, project, identity.AppWrite)
	if err != nil {
		return App{}, err
	}
	if external == "" || len(external) > 255 {
		return App{}, fault.Invalid.Errorf("An app of a platform needs its id there, of at most 255 bytes.")
	}
	app, found, err := d.store.appByExternal(ctx, p.ID, external)
	if err != nil || found {
		return app, err
	}
	err = d.db.Tx(ctx, func(ctx context.Context) error {
		app, err = d.adoptApp(ctx, who, p, external, name)
		return err
	})
	if err != nil {
		return App{}, err
	}
	return app, nil
}

func (d *Directory) adoptApp(ctx context.Context, who identity.Principal, p Project, external, name string) (App, error) {
	sum := sha256.Sum256([]byte(external))
	for _, try := range []string{name, external, "app-" + hex.EncodeToString(sum[:16])} {
		if checkName("/name", try) != nil {
			continue
		}
		app := App{ID: ids.New("app"), Org: p.Org, Project: p.ID, Name: try}
		fresh, err := d.store.addApp(ctx, app, external, d.now())
		if err != nil {
			return App{}, err
		}
		if fresh {
			return app, d.note(ctx, who, app.scope(), "app.create", "app/"+app.ID, map[string]string{"name": try, "external": external})
		}
		// Either the name is taken, or somebody adopted the same app a moment ago.
		if was, found, err := d.store.appByExternal(ctx, p.ID, external); err != nil || found {
			return was, err
		}
	}
	return App{}, fault.Conflict.Errorf("No name is free for the app %q.", external)
}

// App finds one by id, or by name within a project (by id). Who may not read apps is told that there is none.
func (d *Directory) App(ctx context.Context, who identity.Principal, project, ref string) (App, error) {
	app, found, err := d.store.app(ctx, project, ref)
	if err != nil {
		return App{}, err
	}
	if !found || !identity.Can(who, identity.AppRead, app.scope()) {
		return App{}, absent("app", ref)
	}
	return app, nil
}

// Apps lists a project's apps, by name.
func (d *Directory) Apps(ctx context.Context, who identity.Principal, project string) ([]App, error) {
	p, err := d.projectFor(ctx, who, project, identity.AppRead)
	if err != nil {
		return nil, err
	}
	return d.store.apps(ctx, p.ID)
}

// projectFor finds a project by id in which who may do a.
func (d *Directory) projectFor(ctx context.Context, who identity.Principal, id string, a identity.Action) (Project, error) {
	p, err := d.Project(ctx, who, "", id)
	if err == nil && !identity.Can(who, a, p.scope()) {
		err = forbidden(a)
	}
	if err != nil {
		return Project{}, err
	}
	return p, nil
}
