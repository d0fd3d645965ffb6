package osb

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// Provision orders the instance at the upstream, or asks how far it is.
func (d *Driver) Provision(ctx context.Context, i providers.Instance) (p providers.Progress, err error) {
	s, err := readState(i.State)
	if err != nil {
		return p, err
	}
	t, err := d.instance(i, &s)
	if err != nil {
		return p, err
	}
	p, err = d.provision(ctx, i, t, &s)
	p.State = s.json()
	return p, err
}

func (d *Driver) provision(ctx context.Context, i providers.Instance, t item, s *state) (providers.Progress, error) {
	if s.Orphan {
		if p, err := d.clean(ctx, t, s); err != nil || !p.Done {
			return p, err
		}
	}
	if s.Verb == making {
		return d.follow(ctx, t, s)
	}
	org, space := owned(i.Owner)
	body := map[string]any{"service_id": t.service, "plan_id": t.plan, "organization_guid": org, "space_guid": space, "context": about(i.Owner)}
	addParams(body, i.Params)
	addMaintenance(body, i.Plan.Maintenance)
	a := d.ask(ctx, request{method: http.MethodPut, path: t.path, query: incomplete(), body: body, owner: i.Owner})
	if a.err == nil && a.status == http.StatusConflict {
		return d.adopt(ctx, t, s, a)
	}
	var got struct {
		Dashboard string `json:"dashboard_url"`
	}
	later, err := d.made(t, s, a, &got)
	if err != nil {
		d.distrust(a)
		return providers.Progress{RetryAfter: a.retryAfter()}, err
	}
	s.Dashboard = cmp.Or(got.Dashboard, s.Dashboard)
	if later {
		return providers.Progress{RetryAfter: d.wait(a), Note: "the upstream is making it"}, nil
	}
	return providers.Progress{Done: true}, nil
}

// adopt looks behind a conflict: the id is ours alone, so what is there may be what an earlier try of this order made, at an upstream that
// answers 409 to a repeated order.
func (d *Driver) adopt(ctx context.Context, t item, s *state, a answer) (providers.Progress, error) {
	l, wait, err := d.poll(ctx, t, s)
	switch {
	case err == nil && l.State == succeeded:
		s.Made, s.Refused = true, false
		return providers.Progress{Done: true}, nil
	case err == nil && l.State == running:
		s.Made, s.Refused, s.Verb = true, false, making
		return providers.Progress{RetryAfter: wait, Note: l.Description}, nil
	}
	_, err = d.made(t, s, a, nil)
	return providers.Progress{}, err
}

// owned is whose something is, as the protocol wants to know it; the market's own is nobody else's.
func owned(o providers.Owner) (org, space string) {
	return wireID(cmp.Or(o.Org, platform)), wireID(cmp.Or(o.Project, platform))
}

// about is the protocol's context: whose it is, by our ids.
func about(o providers.Owner) map[string]string {
	org, space := owned(o)
	return map[string]string{"platform": platform, "organization_guid": org, "space_guid": space}
}

func incomplete() url.Values { return url.Values{"accepts_incomplete": {"true"}} }

// addParams adds parameters when there are any.
func addParams(body map[string]any, params json.RawMessage) {
	if p := bytes.TrimSpace(params); len(p) > 0 && !bytes.Equal(p, []byte("{}")) && !bytes.Equal(p, []byte("null")) {
		body["parameters"] = json.RawMessage(p)
	}
}

func addMaintenance(body map[string]any, m *catalog.Maintenance) {
	if m != nil && m.Version != "" {
		body["maintenance_info"] = map[string]string{"version": m.Version}
	}
}

// distrust has the catalog fetched again when the upstream says that it has changed.
func (d *Driver) distrust(a answer) {
	if a.status == http.StatusUnprocessableEntity && a.code() == "MaintenanceInfoConflict" {
		d.shelf.forget()
	}
}

// Deprovision deletes the instance at the upstream. What the upstream had refused is not there.
func (d *Driver) Deprovision(ctx context.Context, i providers.Instance) (p providers.Progress, err error) {
	s, err := readState(i.State)
	if err != nil {
		return p, err
	}
	if s.Refused && !s.Made && !s.Orphan {
		return providers.Progress{Done: true}, nil
	}
	t, err := d.instance(i, &s)
	if err != nil {
		return p, err
	}
	p, err = d.remove(ctx, t, &s)
	if err == nil && p.Done && s.Orphan && !s.Late {
		s.Late = true
		p = providers.Progress{RetryAfter: lateAfter, Note: "the upstream is asked once more: a request that was broken off may still reach it"}
	}
	p.State = s.json()
	return p, err
}

// lateAfter is how long an upstream may take to come to a request that was broken off: that nothing is there now is no word on what will be.
const lateAfter = 500 * time.Millisecond

// Update sends what changes: the plan, the parameters, the maintenance version. What failed is asked again; nothing is deleted.
func (d *Driver) Update(ctx context.Context, old, new providers.Instance) (p providers.Progress, err error) {
	s, err := readState(new.State)
	if err != nil {
		return p, err
	}
	t, err := d.instance(old, &s)
	if err != nil {
		return p, err
	}
	t.secrets = append(t.secrets, values(new.Params)...)
	service, plan, err := originOf(new.Plan)
	if err != nil {
		return p, err
	}
	if service != t.service {
		return p, fault.Invalid.Errorf("An instance cannot change to another offering's plan.")
	}
	p, err = d.update(ctx, t, &s, old, new, plan)
	p.State = s.json()
	return p, err
}

func (d *Driver) update(ctx context.Context, t item, s *state, old, new providers.Instance, plan string) (providers.Progress, error) {
	body := changes(t, old, new, plan)
	raw, _ := json.Marshal(body) // maps of text
	sum := sha256.Sum256(raw)
	to := hex.EncodeToString(sum[:8])
	if s.Verb == changing && s.To == to {
		p, again, err := d.followUpdate(ctx, t, s, plan)
		if !again {
			return p, err
		}
	}
	a := d.ask(ctx, request{method: http.MethodPatch, path: t.path, query: incomplete(), body: body, owner: new.Owner})
	var got struct {
		Operation string `json:"operation"`
		Dashboard string `json:"dashboard_url"`
	}
	wait := providers.Progress{RetryAfter: a.retryAfter()}
	switch {
	case a.err != nil:
		return wait, unanswered(a.err)
	case a.status == http.StatusOK && a.object(&got):
		s.idle()
		s.Plan, s.Dashboard = plan, cmp.Or(got.Dashboard, s.Dashboard)
		return providers.Progress{Done: true}, nil
	case a.status == http.StatusAccepted && a.object(&got):
		s.Verb, s.Operation, s.To, s.Dashboard = changing, got.Operation, to, cmp.Or(got.Dashboard, s.Dashboard)
		return providers.Progress{RetryAfter: d.wait(a), Note: "the upstream is changing it"}, nil
	case a.status/100 == 2:
		return wait, malformed(a.status)
	case a.status >= 500:
		return wait, failed(t, a)
	}
	d.distrust(a)
	return wait, refused(t, a)
}

// followUpdate asks how far an update is; again tells that the upstream has forgotten it.
func (d *Driver) followUpdate(ctx context.Context, t item, s *state, plan string) (p providers.Progress, again bool, err error) {
	l, wait, err := d.poll(ctx, t, s)
	switch {
	case err != nil:
		return providers.Progress{RetryAfter: wait}, false, err
	case l.State == running:
		return providers.Progress{RetryAfter: wait, Note: l.Description}, false, nil
	case l.State == succeeded:
		s.idle()
		s.Plan = plan
		return providers.Progress{Done: true}, false, nil
	case l.State == lost:
		s.idle()
		return p, true, nil
	}
	s.idle()
	return p, false, fault.Refused.Errorf("The upstream could not change the instance. It says: %s", l.Description)
}

// changes is the body of an update: what is not in it stays as it is.
func changes(t item, old, new providers.Instance, plan string) map[string]any {
	org, space := owned(old.Owner)
	before := map[string]any{"service_id": t.service, "plan_id": t.plan, "organization_id": org, "space_id": space}
	addMaintenance(before, old.Plan.Maintenance)
	body := map[string]any{"service_id": t.service, "context": about(new.Owner), "previous_values": before}
	if plan != t.plan {
		body["plan_id"] = plan
	}
	if !sameJSON(old.Params, new.Params) {
		addParams(body, new.Params)
	}
	if m := new.Plan.Maintenance; m != nil && (old.Plan.Maintenance == nil || old.Plan.Maintenance.Version != m.Version || plan != t.plan) {
		addMaintenance(body, m)
	}
	return body
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
