package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/client"
)

// instanceRef names one instance.
type instanceRef struct {
	Place
	Ref string `path:"ref" doc:"Name or id."`
}

func (a *API) instances() {
	register(a, route{method: http.MethodGet, path: prefix + "/instances", id: "instance-list", tag: "instances", summary: "Live instances, newest first."}, a.instanceList)
	register(a, route{method: http.MethodPost, path: prefix + "/instances", id: "instance-create", tag: "instances", status: http.StatusAccepted, summary: "Choose a plan and start making an instance."}, a.instanceCreate)
	register(a, route{method: http.MethodGet, path: prefix + "/instances/{ref}", id: "instance-get", tag: "instances", summary: "One instance, by name or id."}, a.instanceGet)
	register(a, route{method: http.MethodPatch, path: prefix + "/instances/{ref}", id: "instance-update", tag: "instances", status: http.StatusAccepted, summary: "Start a change of plan, parameters or maintenance version."}, a.instanceUpdate)
	register(a, route{method: http.MethodDelete, path: prefix + "/instances/{ref}", id: "instance-delete", tag: "instances", status: http.StatusAccepted, summary: "Start the end of an instance and its bindings. Charging ends now."}, a.instanceDelete)
	register(a, route{method: http.MethodPost, path: prefix + "/instances/{ref}/suspend", id: "instance-suspend", tag: "instances", status: http.StatusAccepted, summary: "Start refusing logins; data are kept. An operator suspends as the market."}, a.instanceSuspend)
	register(a, route{method: http.MethodPost, path: prefix + "/instances/{ref}/resume", id: "instance-resume", tag: "instances", status: http.StatusAccepted, summary: "Lift the caller's own suspension; the last reason that goes lets apps in again."}, a.instanceResume)
}

func (a *API) instanceList(ctx context.Context, who identity.Principal, in *Place) (*reply[[]client.Instance], error) {
	projects, err := a.projects(ctx, who, *in)
	if err != nil {
		return nil, err
	}
	var all []broker.Instance
	for _, p := range projects {
		list, err := a.Broker.Instances(ctx, who, identity.Scope{Org: p.Org, Project: p.ID})
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	slices.SortStableFunc(all, func(x, y broker.Instance) int { return y.CreatedAt.Compare(x.CreatedAt) })
	names := a.namer()
	return answer(each(all, nil, func(i broker.Instance) client.Instance { return names.instance(ctx, i) }))
}

func (a *API) instanceGet(ctx context.Context, who identity.Principal, in *instanceRef) (*reply[client.Instance], error) {
	i, err := a.instance(ctx, who, in.Place, in.Ref)
	if err != nil {
		return nil, err
	}
	return answer(a.namer().instance(ctx, i), nil)
}

func (a *API) instanceDelete(ctx context.Context, who identity.Principal, in *instanceRef) (*reply[client.Instance], error) {
	i, err := a.instance(ctx, who, in.Place, in.Ref)
	if err != nil {
		return nil, err
	}
	if i, err = a.Broker.Deprovision(ctx, who, i.ID); err != nil {
		return nil, err
	}
	return answer(a.namer().instance(ctx, i), nil)
}

// newInstance is the body of instance-create.
type newInstance struct{ Body client.NewInstance }

func (a *API) instanceCreate(ctx context.Context, who identity.Principal, in *newInstance) (*reply[client.Ordered], error) {
	order := in.Body
	project, app, err := a.home(ctx, who, order)
	if err != nil {
		return nil, err
	}
	want, plan, err := wanted(order.Want)
	if err != nil {
		return nil, err
	}
	currency, err := a.Ledger.Currency(ctx, project.Org)
	if err != nil {
		return nil, err
	}
	need := catalog.Need{Want: want, Plan: cmp.Or(order.Plan, plan), Provider: order.Provider, Region: order.Region, Currency: currency}
	if need.Within, need.RTT, err = nearness(order); err != nil {
		return nil, err
	}
	choice, err := a.Broker.Choose(ctx, who, need)
	if err != nil {
		return nil, err
	}
	i, fresh, err := a.Broker.Provision(ctx, who, broker.ProvisionOrder{
		Org: project.Org, Project: project.ID, App: app, Name: order.Name, Offering: choice.Offering.ID, Plan: choice.Plan.ID,
		Params: order.Params, Why: choice.Why, AcceptsAsync: true,
	})
	if err != nil {
		return nil, err
	}
	return answer(client.Ordered{
		Instance: a.namer().instance(ctx, i), Fresh: fresh, Currency: currency,
		Monthly: choice.Monthly.String(), Price: wirePlan(choice.Plan).Price(currency),
	}, nil)
}

// wanted reads a kind or OFFERING[:PLAN].
func wanted(text string) (want, plan string, err error) {
	want, plan, colon := strings.Cut(text, ":")
	if colon && plan == "" {
		return "", "", fault.Invalid.Errorf("%q names no plan after its colon.", text).
			WithHint("Name one of those that sutler marketplace --offering %s shows, or leave the colon out: then the cheapest that fits is chosen.", want)
	}
	return want, plan, nil
}

// nearness reads how far the backend may be, and how far providers are.
func nearness(order client.NewInstance) (within time.Duration, rtt map[string]time.Duration, err error) {
	if order.MaxRTT == "" {
		return 0, nil, nil
	}
	if within, err = time.ParseDuration(order.MaxRTT); err != nil || within <= 0 {
		return 0, nil, fault.Invalid.Errorf("%q is no time that a backend may be away.", order.MaxRTT).WithHint("Write it like 5ms.")
	}
	rtt = make(map[string]time.Duration, len(order.RTT))
	for provider, text := range order.RTT {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return 0, nil, fault.Invalid.Errorf("%q is not how far %s can be.", text, provider).WithHint("Write it like 1.2ms.")
		}
		rtt[provider] = d
	}
	return within, rtt, nil
}

// home is where an ordered instance shall live: its app's project, or the place that was named.
func (a *API) home(ctx context.Context, who identity.Principal, order client.NewInstance) (directory.Project, string, error) {
	at := Place{Org: order.Org, Project: order.Project}
	if order.App == "" {
		project, err := a.project(ctx, who, at)
		return project, "", err
	}
	app, err := a.app(ctx, who, at, order.App)
	if err != nil {
		return directory.Project{}, "", err
	}
	return directory.Project{ID: app.Project, Org: app.Org}, app.ID, nil
}

// instance finds one by id, or by name where a place can mean it.
func (a *API) instance(ctx context.Context, who identity.Principal, at Place, ref string) (broker.Instance, error) {
	return within(ctx, a, who, at, ref, noun{"instance", "ins_", "sutler instances"}, func(project string) (broker.Instance, error) {
		return a.Broker.Instance(ctx, who, project, ref)
	})
}

func (n *namer) instance(ctx context.Context, i broker.Instance) client.Instance {
	t := n.of(ctx, i.Org, i.Project)
	out := client.Instance{
		ID: i.ID, Name: i.Name, Kind: string(i.Kind), Offering: i.Offering, Plan: i.Plan, Provider: i.Provider, Region: i.Region,
		State: string(i.State), Health: i.Health, Note: i.Note, Org: t.OrgName, Project: t.ProjectName, Operation: i.Operation.ID,
		CreatedAt: i.CreatedAt, Dashboard: i.DashboardURL, Maintenance: i.Maintenance, Upgrade: n.upgrade(ctx, i), HealthNote: i.HealthNote, SuspendDue: moment(i.SuspendDue),
		Why: i.Placement,
	}
	for _, s := range i.Suspensions {
		out.Suspensions = append(out.Suspensions, client.Suspension(s))
	}
	for _, x := range i.Excess {
		out.Excess = append(out.Excess, client.Excess(x))
	}
	return out
}
