package api

import (
	"context"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/broker/environ"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
)

// envQuery names an app and how its environment shall be written.
type envQuery struct {
	Place
	Ref    string `path:"ref" doc:"Name or id."`
	Format string `query:"format" default:"dotenv" enum:"dotenv,shell,json,vcap,compose,systemd,k8s,servicebinding"`
}

// document is an answer that is no JSON of ours. It holds secrets, so nobody may keep it.
type document struct {
	ContentType  string `header:"Content-Type"`
	CacheControl string `header:"Cache-Control"`
	Body         []byte
}

func (a *API) appEnv(ctx context.Context, who identity.Principal, in *envQuery) (*document, error) {
	app, err := a.app(ctx, who, in.Place, in.Ref)
	if err != nil {
		return nil, err
	}
	// asked here too: broker has nothing to ask about while nothing is bound
	if err := may(who, identity.CredentialsRead, identity.Scope{Org: app.Org, Project: app.Project, App: app.ID}, "read this app's environment"); err != nil {
		return nil, err
	}
	granted, err := a.Broker.AppCredentials(ctx, who, app.ID)
	if err != nil {
		return nil, err
	}
	tags, err := a.tags(ctx, who)
	if err != nil {
		return nil, err
	}
	bindings := make([]environ.Binding, 0, len(granted))
	for _, c := range granted {
		bindings = append(bindings, environment(c, tags))
	}
	format := environ.Format(in.Format)
	text, err := environ.Render(format, app.Name, bindings)
	if err != nil {
		return nil, fault.Unprocessable.Wrap(err, "The environment cannot be written as %s: %v.", format, err).WithHint("Try another format.")
	}
	out := &document{ContentType: "text/plain; charset=utf-8", CacheControl: "no-store", Body: text}
	switch format {
	case environ.JSON, environ.Vcap:
		out.ContentType = "application/json"
	case environ.K8s, environ.ServiceBinding:
		out.ContentType = "application/yaml"
	}
	return out, nil
}

func environment(c broker.Credentials, tags map[string][]string) environ.Binding {
	return environ.Binding{
		Alias: c.Binding.Alias, Kind: string(c.Instance.Kind), Offering: c.Instance.Offering, Plan: c.Instance.Plan, Provider: c.Instance.Provider,
		InstanceName: c.Instance.Name, InstanceID: c.Instance.ID, BindingID: c.Binding.ID, Tags: tags[c.Instance.OfferingID], Credentials: c.Values,
	}
}

// tags gives the offerings' tags by offering id, for VCAP_SERVICES.
func (a *API) tags(ctx context.Context, who identity.Principal) (map[string][]string, error) {
	offers, err := a.Broker.Market(ctx, who)
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	for _, o := range offers {
		out[o.ID] = o.Tags
	}
	return out, nil
}
