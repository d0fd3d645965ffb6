package api

import (
	"context"
	"net/http"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/web/client"
)

func (a *API) platforms() {
	register(a, route{method: http.MethodGet, path: prefix + "/platforms", id: "platform-list", tag: "market", summary: "Registered Open Service Broker clients."}, a.platformList)
	register(a, route{method: http.MethodPost, path: prefix + "/platforms", id: "platform-create", tag: "market", status: http.StatusCreated, summary: "Register a platform. Its password is in this answer and never again."}, a.platformCreate)
	register(a, route{method: http.MethodPost, path: prefix + "/platforms/{id}/rotate", id: "platform-rotate", tag: "market", summary: "Give a platform a new password, which is in this answer and never again. The former one stays good for a while."}, a.platformRotate)
	register(a, route{method: http.MethodDelete, path: prefix + "/platforms/{id}", id: "platform-delete", tag: "market", status: http.StatusNoContent, summary: "End a platform's access; its instances stay."}, a.platformDelete)
}

func (a *API) platformList(ctx context.Context, who identity.Principal, _ *struct{}) (*reply[[]client.Platform], error) {
	list, err := a.Directory.Platforms(ctx, who)
	names := a.namer()
	return answer(each(list, err, func(p directory.Platform) client.Platform { return names.platform(ctx, p) }))
}

func (a *API) platformCreate(ctx context.Context, who identity.Principal, in *struct{ Body client.NewPlatform }) (*reply[client.Platform], error) {
	project, err := a.project(ctx, who, Place{Org: in.Body.Org, Project: in.Body.Project})
	if err != nil {
		return nil, err
	}
	p, password, err := a.Directory.RegisterPlatform(ctx, who, directory.NewPlatform{Name: in.Body.Name, Org: project.Org, Project: project.ID, Mapped: in.Body.Map})
	if err != nil {
		return nil, err
	}
	out := a.namer().platform(ctx, p)
	out.Password = password
	return answer(out, nil)
}

func (a *API) platformRotate(ctx context.Context, who identity.Principal, in *struct {
	ID   string `path:"id" doc:"Name or id."`
	Body client.Rotation
},
) (*reply[client.Platform], error) {
	p, password, err := a.Directory.RotatePlatform(ctx, who, in.ID, time.Duration(in.Body.KeepSeconds)*time.Second)
	if err != nil {
		return nil, err
	}
	out := a.namer().platform(ctx, p)
	out.Password = password
	return answer(out, nil)
}

func (a *API) platformDelete(ctx context.Context, who identity.Principal, in *struct {
	ID string `path:"id" doc:"Name or id."`
},
) (*struct{}, error) {
	return nil, a.Directory.DeletePlatform(ctx, who, in.ID)
}

func (n *namer) platform(ctx context.Context, p directory.Platform) client.Platform {
	t := n.of(ctx, p.Org, p.Project)
	return client.Platform{ID: p.ID, Name: p.Name, Org: t.OrgName, Project: t.ProjectName, Map: p.Mapped, CreatedAt: p.CreatedAt, FormerUntil: moment(p.FormerUntil)}
}
