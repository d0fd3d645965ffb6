package api

import (
	"context"
	"net/http"
	"time"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/web/client"
)

// consumerRef names one running process.
type consumerRef struct {
	ID string `path:"id"`
}

// newConsumer is a process of an app that has started.
type newConsumer struct {
	Place
	Ref  string `path:"ref" doc:"The app, by name or id."`
	Body client.NewConsumer
}

// consumerReport is what one measured.
type consumerReport struct {
	ID   string `path:"id"`
	Body client.ConsumerReport
}

func (a *API) consumers() {
	register(a, route{method: http.MethodGet, path: prefix + "/apps/{ref}/consumers", id: "consumer-list", tag: "apps", summary: "The app's running processes that reported lately."}, a.consumerList)
	register(a, route{method: http.MethodPost, path: prefix + "/apps/{ref}/consumers", id: "consumer-join", tag: "apps", status: http.StatusCreated, summary: "Say that a process of the app has started; the answer says what it shall measure."}, a.consumerJoin)
	register(a, route{method: http.MethodPut, path: prefix + "/consumers/{id}", id: "consumer-report", tag: "apps", summary: "Report how far the backends of the app's bindings are."}, a.consumerReport)
	register(a, route{method: http.MethodDelete, path: prefix + "/consumers/{id}", id: "consumer-leave", tag: "apps", status: http.StatusNoContent, summary: "Say that a process has ended."}, a.consumerLeave)
	register(a, route{method: http.MethodGet, path: prefix + "/instances/{ref}/latency", id: "instance-latency", tag: "instances", summary: "How far the instance is from each app that it is bound to, as those apps measured it."}, a.instanceLatency)
}

func (a *API) consumerList(ctx context.Context, who identity.Principal, in *appRef) (*reply[[]client.Consumer], error) {
	app, err := a.app(ctx, who, in.Place, in.Ref)
	if err != nil {
		return nil, err
	}
	list, err := a.Broker.Consumers(ctx, who, identity.Scope{Org: app.Org, Project: app.Project, App: app.ID})
	return answer(each(list, err, wireConsumer))
}

func (a *API) consumerJoin(ctx context.Context, who identity.Principal, in *newConsumer) (*reply[client.Consumer], error) {
	app, err := a.app(ctx, who, in.Place, in.Ref)
	if err != nil {
		return nil, err
	}
	c, probes, err := a.Broker.Join(ctx, who, identity.Scope{Org: app.Org, Project: app.Project, App: app.ID}, in.Body.Host)
	if err != nil {
		return nil, err
	}
	out := wireConsumer(c)
	for _, p := range probes {
		out.Probes = append(out.Probes, client.Probe{Binding: p.Binding, Alias: p.Alias, Instance: p.Instance, Address: p.Address, Protocol: p.Protocol})
	}
	return answer(out, nil)
}

func (a *API) consumerReport(ctx context.Context, who identity.Principal, in *consumerReport) (*reply[client.Consumer], error) {
	measured := make([]broker.Measurement, 0, len(in.Body.Samples))
	for _, s := range in.Body.Samples {
		measured = append(measured, broker.Measurement{
			Binding: s.Binding, Connect: time.Duration(s.ConnectUs) * time.Microsecond, First: time.Duration(s.FirstUs) * time.Microsecond,
		})
	}
	c, err := a.Broker.Report(ctx, who, in.ID, measured)
	return answer(wireConsumer(c), err)
}

func (a *API) consumerLeave(ctx context.Context, who identity.Principal, in *consumerRef) (*struct{}, error) {
	return nil, a.Broker.Leave(ctx, who, in.ID)
}

func (a *API) instanceLatency(ctx context.Context, who identity.Principal, in *instanceRef) (*reply[[]client.Latency], error) {
	i, err := a.instance(ctx, who, in.Place, in.Ref)
	if err != nil {
		return nil, err
	}
	list, err := a.Broker.Latencies(ctx, who, i.ID)
	return answer(each(list, err, wireLatency))
}

func wireConsumer(c broker.Consumer) client.Consumer {
	return client.Consumer{ID: c.ID, Host: c.Host, Version: c.Version, Current: c.Current, StartedAt: c.StartedAt, SeenAt: c.SeenAt}
}

func wireLatency(l broker.Latency) client.Latency {
	return client.Latency{
		Binding: l.Binding, App: l.AppName, Alias: l.Alias, Regressed: l.Regressed, MeasuredAt: l.MeasuredAt, Hosts: append([]string{}, l.Hosts...),
		Now:    client.Spread{Samples: l.Now.N, P50: l.Now.P50.String(), P95: l.Now.P95.String()},
		Before: client.Spread{Samples: l.Before.N, P50: l.Before.P50.String(), P95: l.Before.P95.String()},
	}
}
