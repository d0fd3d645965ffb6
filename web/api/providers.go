package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/client"
)

// providerRef names one provider.
type providerRef struct {
	Name string `path:"name"`
}

// newCordon is the body of provider-cordon.
type newCordon struct {
	Name string `path:"name"`
	Body client.Cordon
}

func (a *API) providers() {
	register(a, route{method: http.MethodGet, path: prefix + "/providers", id: "provider-list", tag: "market", summary: "Configured providers: whether they answer, what they sell, how much lives there."}, a.providerList)
	register(a, route{method: http.MethodPost, path: prefix + "/providers/{name}/cordon", id: "provider-cordon", tag: "market", status: http.StatusNoContent, summary: "Let a provider take no new instances; what is there goes on."},
		func(ctx context.Context, who identity.Principal, in *newCordon) (*struct{}, error) {
			return nil, a.Broker.Cordon(ctx, who, in.Name, in.Body.Reason)
		})
	register(a, route{method: http.MethodDelete, path: prefix + "/providers/{name}/cordon", id: "provider-uncordon", tag: "market", status: http.StatusNoContent, summary: "Let a provider take new instances again."},
		func(ctx context.Context, who identity.Principal, in *providerRef) (*struct{}, error) {
			return nil, a.Broker.Uncordon(ctx, who, in.Name)
		})
	register(a, route{method: http.MethodPost, path: prefix + "/providers/{name}/key", id: "provider-key", tag: "market", status: http.StatusCreated, summary: "Make the key that a provider reports usage with. It is in this answer and never again."}, a.providerKey)
}

func (a *API) providerList(ctx context.Context, who identity.Principal, _ *struct{}) (*reply[[]client.Provider], error) {
	list, err := a.Broker.Sellers(ctx, who)
	return answer(each(list, err, func(s broker.Seller) client.Provider {
		return client.Provider{
			Name: s.Name, Driver: s.Driver, Region: s.Region, Status: string(s.Status), Note: s.Why, Offerings: append([]string{}, s.Offerings...), Instances: s.Live,
		}
	}))
}

func (a *API) providerKey(ctx context.Context, who identity.Principal, in *struct {
	Name string `path:"name"`
},
) (*reply[client.ProviderKey], error) {
	offers, err := a.Broker.Market(ctx, who)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(offers, func(o broker.Offer) bool { return o.Provider == in.Name }) {
		return nil, fault.NotFound.Errorf("No provider is called %q.", in.Name).WithHint("sutler marketplace shows who sells what.")
	}
	secret, err := a.Directory.CreateProviderKey(ctx, who, in.Name)
	return answer(client.ProviderKey{Provider: in.Name, Secret: secret}, err)
}
