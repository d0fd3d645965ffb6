package providertest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
	"github.com/sutlerhq/sutler/providers"
)

// Networks checks that a driver gives each binding the way of the network that it names. The driver was made with a network called "private" beside
// the default one; want are parts of the credentials there, none of which may be the same elsewhere.
func Networks(ctx context.Context, p *providers.Provider, want map[string]any) error {
	offerings, err := p.Offerings(ctx)
	if err != nil {
		return err
	}
	for _, plan := range offerings[0].Plans {
		if !strings.Contains(string(plan.Schemas.Bind), `["default","private"]`) {
			return errs("the plan %s does not say that bindings may name a network: %s", plan.Name, plan.Schemas.Bind)
		}
	}
	h := Harness{Provider: p, Plan: offerings[0].Plans[0]}
	return h.with(ctx, func(t *tenant) error {
		usual, err := t.boundIn(ctx, `{}`)
		if err != nil {
			return err
		}
		private, err := t.boundIn(ctx, `{"network":"private"}`)
		if err != nil {
			return err
		}
		for key, value := range want {
			if fmt.Sprint(private[key]) != fmt.Sprint(value) || fmt.Sprint(usual[key]) == fmt.Sprint(value) {
				return errs("%s is %v in the private network and %v elsewhere, want %v there alone", key, private[key], usual[key], value)
			}
		}
		if again, err := t.boundIn(ctx, `{"network":"default"}`); err != nil || again["host"] != usual["host"] || again["port"] != usual["port"] {
			return errs("the default network by its name is another one: %v", err)
		}
		b := newBinding()
		b.Params = json.RawMessage(`{"network":"moon"}`)
		if _, err := t.bind(ctx, &b); fault.KindOf(err) != fault.Invalid {
			return errs("a network that is not there: %w", err)
		}
		return nil
	})
}

// boundIn binds with parameters, and unbinds.
func (t *tenant) boundIn(ctx context.Context, params string) (map[string]any, error) {
	b := newBinding()
	b.Params = json.RawMessage(params)
	credentials, err := t.bind(ctx, &b)
	if err != nil {
		return nil, err
	}
	return credentials, t.unbind(ctx, &b)
}

// Targets checks that a driver says where it can be measured before anything is bought: an address, or fault.Unprocessable when there is none yet.
func Targets(ctx context.Context, p *providers.Provider) error {
	offerings, err := p.Offerings(ctx)
	if err != nil {
		return err
	}
	for _, plan := range append([]catalog.Plan{{}}, offerings[0].Plans...) {
		target, err := p.Target(ctx, providers.Instance{Plan: plan, Params: json.RawMessage(`{}`)})
		if err != nil && fault.KindOf(err) != fault.Unprocessable {
			return errs("before anything is bought it says %w", err)
		}
		if err == nil && (target.Address == "" || target.Protocol == "") {
			return errs("a target without an address or a protocol: %+v", target)
		}
	}
	_, err = p.Target(ctx, providers.Instance{ID: ids.New("ins"), Plan: offerings[0].Plans[0], Params: json.RawMessage(`{}`)})
	if kind := fault.KindOf(err); err != nil && kind != fault.Unprocessable && kind != fault.Refused && kind != fault.NotFound {
		return errs("of an instance that is not there it says %w", err)
	}
	return nil
}
