package osb

import (
	"context"
	"net/http"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// granted is what the upstream says of a binding.
type granted struct {
	Credentials map[string]any `json:"credentials"`
	Metadata    struct {
		ExpiresAt string `json:"expires_at"`
	} `json:"metadata"`
	Endpoints []struct {
		Host     string   `json:"host"`
		Ports    []string `json:"ports"`
		Protocol string   `json:"protocol"`
	} `json:"endpoints"`
}

// Bind orders the binding at the upstream, asks how far it is, or fetches its credentials. They are asked for again rather than kept.
func (d *Driver) Bind(ctx context.Context, i providers.Instance, b providers.Binding) (g providers.Grant, p providers.Progress, err error) {
	s, err := readState(b.State)
	if err != nil {
		return g, p, err
	}
	t, err := d.binding(i, b)
	if err != nil {
		return g, p, err
	}
	g, p, err = d.bind(ctx, i, b, t, &s)
	p.State = s.json()
	return g, p, err
}

func (d *Driver) bind(ctx context.Context, i providers.Instance, b providers.Binding, t item, s *state) (g providers.Grant, p providers.Progress, err error) {
	if s.Orphan {
		if p, err := d.clean(ctx, t, s); err != nil || !p.Done {
			return g, p, err
		}
	}
	if s.Verb == making {
		if p, err = d.follow(ctx, t, s); err != nil || !p.Done {
			return g, p, err
		}
		var got granted
		a := d.ask(ctx, request{method: http.MethodGet, path: t.path, query: t.query()})
		if a.err == nil && a.status == http.StatusOK && a.object(&got) && got.Credentials != nil {
			return d.grant(i, b, got)
		} // else the same order again tells them, too
	}
	a := d.ask(ctx, request{method: http.MethodPut, path: t.path, query: incomplete(), body: bindBody(t, i, b), owner: i.Owner})
	var got granted
	later, err := d.made(t, s, a, &got)
	switch {
	case err != nil:
		return g, providers.Progress{RetryAfter: a.retryAfter()}, err
	case later:
		return g, providers.Progress{RetryAfter: d.wait(a), Note: "the upstream is making it"}, nil
	case got.Credentials == nil:
		s.Orphan = a.status == http.StatusCreated
		return g, p, malformed(a.status)
	}
	return d.grant(i, b, got)
}

func bindBody(t item, i providers.Instance, b providers.Binding) map[string]any {
	body := map[string]any{"service_id": t.service, "plan_id": t.plan, "context": about(i.Owner)}
	if b.Predecessor != "" {
		body["predecessor_binding_id"] = wireID(b.Predecessor) // its parameters and its app are inherited
		return body
	}
	if b.App != "" {
		app := wireID(b.App)
		body["app_guid"], body["bind_resource"] = app, map[string]string{"app_guid": app}
	}
	addParams(body, b.Params)
	return body
}

func (d *Driver) grant(i providers.Instance, b providers.Binding, got granted) (g providers.Grant, p providers.Progress, err error) {
	g.ExpiresAt = b.ExpiresAt
	if text := got.Metadata.ExpiresAt; text != "" {
		if g.ExpiresAt, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return g, p, fault.ProviderFailed.Errorf("The upstream says of a binding that it expires at what is no instant.")
		}
	}
	for _, e := range got.Endpoints {
		g.Endpoints = append(g.Endpoints, providers.Endpoint{Host: e.Host, Ports: e.Ports, Protocol: e.Protocol})
	}
	g.Credentials = normal(got.Credentials, d.kindOf(i))
	return g, providers.Progress{Done: true}, nil
}

// Unbind deletes the binding at the upstream. Whether its connections are dead then is the upstream's word.
func (d *Driver) Unbind(ctx context.Context, i providers.Instance, b providers.Binding) (p providers.Progress, err error) {
	s, err := readState(b.State)
	if err != nil {
		return p, err
	}
	if s.Refused && !s.Made && !s.Orphan {
		return providers.Progress{Done: true}, nil
	}
	t, err := d.binding(i, b)
	if err != nil {
		return p, err
	}
	p, err = d.remove(ctx, t, &s)
	p.State = s.json()
	return p, err
}
