package api

import (
	"context"
	"net/http"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/web/client"
)

// appRef names one app.
type appRef struct {
	Place
	Ref string `path:"ref" doc:"Name or id."`
}

func (a *API) apps() {
	register(a, route{method: http.MethodGet, path: prefix + "/apps", id: "app-list", tag: "apps", summary: "Apps that you see."}, a.appList)
	register(a, route{method: http.MethodPost, path: prefix + "/apps", id: "app-create", tag: "apps", status: http.StatusCreated, summary: "Make an app."}, a.appCreate)
	register(a, route{method: http.MethodGet, path: prefix + "/apps/{ref}", id: "app-get", tag: "apps", summary: "One app, by name or id."}, a.appGet)
	register(a, route{method: http.MethodGet, path: prefix + "/apps/{ref}/env", id: "app-env", tag: "apps", summary: "The app's environment with credentials in clear, in a format. The reading is audited."}, a.appEnv)
}

func (a *API) appList(ctx context.Context, who identity.Principal, in *Place) (*reply[[]client.App], error) {
	projects, err := a.projects(ctx, who, *in)
	if err != nil {
		return nil, err
	}
	var all []directory.App
	for _, p := range projects {
		list, err := a.Directory.Apps(ctx, who, p.ID)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	names := a.namer()
	return answer(each(all, nil, func(x directory.App) client.App { return names.app(ctx, x) }))
}

func (a *API) appCreate(ctx context.Context, who identity.Principal, in *struct{ Body client.NewApp }) (*reply[client.App], error) {
	project, err := a.project(ctx, who, Place{Org: in.Body.Org, Project: in.Body.Project})
	if err != nil {
		return nil, err
	}
	x, err := a.Directory.CreateApp(ctx, who, project.ID, in.Body.Name)
	if err != nil {
		return nil, err
	}
	return answer(a.namer().app(ctx, x), nil)
}

func (a *API) appGet(ctx context.Context, who identity.Principal, in *appRef) (*reply[client.App], error) {
	x, err := a.app(ctx, who, in.Place, in.Ref)
	if err != nil {
		return nil, err
	}
	return answer(a.namer().app(ctx, x), nil)
}

// app finds one by id, or by name where a place can mean it.
func (a *API) app(ctx context.Context, who identity.Principal, at Place, ref string) (directory.App, error) {
	return within(ctx, a, who, at, ref, noun{"app", "app_", "sutler app list"}, func(project string) (directory.App, error) {
		return a.Directory.App(ctx, who, project, ref)
	})
}

func (n *namer) app(ctx context.Context, x directory.App) client.App {
	t := n.of(ctx, x.Org, x.Project)
	return client.App{ID: x.ID, Name: x.Name, Org: t.OrgName, Project: t.ProjectName}
}
