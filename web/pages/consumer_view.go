package pages

import (
	"context"
	"time"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// consumersOf lists the running processes of the apps that are bound to an instance. Who may not see them sees none.
func (p *Pages) consumersOf(ctx context.Context, v visit, bindings []broker.Binding) (look.ConsumerTable, error) {
	all, seen := look.ConsumerTable{Now: time.Now(), Named: true}, map[string]bool{}
	for _, b := range bindings {
		if b.App == "" || seen[b.App] {
			continue
		}
		seen[b.App] = true
		list, err := p.Broker.Consumers(ctx, v.who, identity.Scope{Org: v.org.ID, Project: v.project.ID, App: b.App})
		if fault.KindOf(err) == fault.Forbidden || fault.KindOf(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return all, err
		}
		all.Rows = append(all.Rows, consumerRows(b.AppName, v.frame.Base()+"/apps/"+b.AppName, list)...)
	}
	return all, nil
}

func consumerRows(app, url string, list []broker.Consumer) (rows []look.ConsumerRow) {
	for _, one := range list {
		row := look.ConsumerRow{App: app, AppURL: url, Host: one.Host, StartedAt: one.StartedAt, SeenAt: one.SeenAt, State: look.Chip{Tone: "good", Word: "current"}}
		if !one.Current {
			row.State = look.Chip{Tone: "care", Word: "outdated", Note: "It has an earlier environment: start it again."}
		}
		rows = append(rows, row)
	}
	return rows
}

// distances tells how far the instance is from each app, by binding id, as the apps' processes measured it.
func (p *Pages) distances(ctx context.Context, v visit, instance string) (map[string]broker.Latency, error) {
	list, err := p.Broker.Latencies(ctx, v.who, instance)
	if err != nil {
		return nil, err
	}
	by := make(map[string]broker.Latency, len(list))
	for _, l := range list {
		by[l.Binding] = l
	}
	return by, nil
}

// far writes how far a backend is, and how far it was when the way has become clearly longer.
func far(l broker.Latency) (distance, slower string) {
	if l.Now.N == 0 {
		return "", ""
	}
	distance = "p50 " + clock.Brief(l.Now.P50) + ", p95 " + clock.Brief(l.Now.P95)
	if l.Regressed {
		slower = clock.Brief(l.Before.P50)
	}
	return distance, slower
}
