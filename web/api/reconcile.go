package api

import (
	"context"
	"net/http"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/web/client"
)

// reconcileQuery narrows to one provider.
type reconcileQuery struct {
	Provider string `query:"provider" doc:"Name; all when empty."`
}

func (a *API) reconciles() {
	register(a, route{method: http.MethodPost, path: prefix + "/reconcile", id: "market-reconcile", tag: "operations", summary: "Compare instances and bindings with their backends now, and list every difference with what was done about it (operators)."}, a.reconcile)
}

func (a *API) reconcile(ctx context.Context, who identity.Principal, in *reconcileQuery) (*reply[client.Reconciliation], error) {
	r, err := a.Broker.Reconcile(ctx, who, in.Provider)
	if err != nil {
		return nil, err
	}
	out := client.Reconciliation{Checked: r.Checked}
	names := a.namer()
	if out.Differences, err = each(r.Differences, nil, func(d broker.Difference) client.Difference { return names.difference(ctx, d) }); err != nil {
		return nil, err
	}
	out.Skipped, err = each(r.Skipped, nil, func(s broker.Skip) client.Skip { return client.Skip(s) })
	return answer(out, err)
}

func (n *namer) difference(ctx context.Context, d broker.Difference) client.Difference {
	out := client.Difference(d)
	if d.Org != "" {
		t := n.of(ctx, d.Org, d.Project)
		out.Org, out.Project = t.OrgName, t.ProjectName
	}
	return out
}
