package broker

import (
	"context"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/suggest"
	"github.com/sutlerhq/sutler/providers"
)

// cordonsEvery is how soon every process of the market heeds a cordon that another has set.
const cordonsEvery = 2 * time.Second

// Seller is a configured provider as an operator sees it.
type Seller struct {
	Name, Driver, Region string
	Status               providers.Status
	Why                  string   // why it is not up
	Offerings            []string // names
	Live                 int      // instances
}

// Sellers lists the configured providers in the configuration's order.
func (b *Broker) Sellers(ctx context.Context, who identity.Principal) ([]Seller, error) {
	if err := mayManageProviders(who); err != nil {
		return nil, err
	}
	live, err := b.liveByProvider(ctx)
	if err != nil {
		return nil, err
	}
	var list []Seller
	for _, p := range b.Providers.All() {
		s := Seller{Name: p.Name, Driver: p.Driver, Region: p.Region, Status: p.Status(), Why: p.Why(), Live: live[p.Name]}
		for _, o := range b.shelf.Load().catalog.Offerings() {
			if o.Provider == p.Name {
				s.Offerings = append(s.Offerings, o.Name)
			}
		}
		list = append(list, s)
	}
	return list, nil
}

// Cordon lets a provider take no new instances from now on, saying why, in every process of the market and over restarts; what is there goes
// on. Cordoning twice keeps the first reason.
func (b *Broker) Cordon(ctx context.Context, who identity.Principal, provider, why string) error {
	if why == "" || len(why) > 500 {
		return fault.Invalid.Errorf("A cordon has a reason of 1 to 500 bytes; this one has %d.", len(why)).WithHint("People who want an instance there will read it.")
	}
	return b.setCordon(ctx, who, provider, "provider.cordon", func(ctx context.Context) (bool, error) {
		return b.insertCordon(ctx, cordonRow{Provider: provider, Why: why, ByWhom: who.Label(), At: b.Clock.Now().UnixMicro()})
	})
}

// Uncordon lets a provider take new instances again. One that is not cordoned stays as it is.
func (b *Broker) Uncordon(ctx context.Context, who identity.Principal, provider string) error {
	return b.setCordon(ctx, who, provider, "provider.uncordon", func(ctx context.Context) (bool, error) { return b.deleteCordon(ctx, provider) })
}

func (b *Broker) setCordon(ctx context.Context, who identity.Principal, provider, action string, set func(context.Context) (bool, error)) error {
	if err := mayManageProviders(who); err != nil {
		return err
	}
	if _, known := b.Providers.Get(provider); !known {
		var names []string
		for _, p := range b.Providers.All() {
			names = append(names, p.Name)
		}
		return fault.NotFound.Errorf("There is no provider %q.%s", provider, suggest.DidYouMean(provider, names)).WithHint("sutler provider list shows what there is.")
	}
	err := b.DB.Tx(ctx, func(ctx context.Context) error {
		changed, err := set(ctx)
		if err != nil || !changed {
			return err
		}
		return b.record(ctx, who, identity.Scope{}, action, "provider/"+provider, nil)
	})
	if err != nil {
		return err
	}
	return b.heedCordons(ctx)
}

func mayManageProviders(who identity.Principal) error {
	if !identity.Can(who, identity.ProviderManage, identity.Scope{}) {
		return fault.Forbidden.Errorf("Only operators manage providers.")
	}
	return nil
}

// heedCordons brings this process's providers to what the store says.
func (b *Broker) heedCordons(ctx context.Context) error {
	rows, err := b.listCordons(ctx)
	if err != nil {
		return err
	}
	why := map[string]string{}
	for _, r := range rows {
		why[r.Provider] = r.Why
	}
	for _, p := range b.Providers.All() {
		if reason, cordoned := why[p.Name]; cordoned {
			p.Cordon(reason)
		} else {
			p.Uncordon()
		}
	}
	return nil
}

// keepCordons heeds what other processes set, until ctx ends.
func (b *Broker) keepCordons(ctx context.Context) {
	tick := time.NewTicker(cordonsEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := b.heedCordons(ctx); err != nil && ctx.Err() == nil {
			b.Log.Debug("cordons", "err", err) // a store that is away is said by others
		}
	}
}
