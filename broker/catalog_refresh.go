package broker

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sync"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// How long providers are waited for when the market starts, how often they are asked, and how soon again when one did not answer.
const (
	startPatience = time.Second
	patience      = 30 * time.Second
	freshEvery    = time.Minute
	retryEvery    = 5 * time.Second
)

// shelf is the catalog as this process knows it. It is immutable but for what it remembers of itself.
type shelf struct {
	doc      []byte // its canonical form, to notice a change
	edition  string // the digest of doc
	catalog  *catalog.Catalog
	plans    map[string]catalog.Plan // by id
	schemas  sync.Map                // compiled ones of parameters, by their text
	problems []fault.Field
}

// Refresh asks every provider what it sells, takes the last known answer of those that do not answer within wait, and puts the result on the
// shelf. It tells whether one did not answer.
func (b *Broker) Refresh(ctx context.Context, wait time.Duration) (retry bool, err error) {
	b.refresh.Lock()
	defer b.refresh.Unlock()
	sources, retry, err := b.sources(ctx, wait)
	if err != nil {
		return retry, err
	}
	assembled, problems := catalog.Assemble(b.Currency, sources)
	doc, err := json.Marshal(assembled.Offerings())
	if err != nil {
		return retry, err
	}
	old := b.shelf.Load()
	if old.catalog != nil && bytes.Equal(old.doc, doc) {
		return retry, nil
	}
	for _, p := range problems {
		b.Log.Warn("catalog", "at", p.Path, "problem", p.Reason)
	}
	if err := b.DB.Tx(ctx, func(ctx context.Context) error { return b.saveSold(ctx, assembled.Offerings()) }); err != nil {
		return retry, err
	}
	if b.Published != nil {
		if err := b.Published(ctx, assembled.Offerings()); err != nil {
			return retry, err
		}
	}
	sum := sha256.Sum256(doc)
	b.shelf.Store(&shelf{doc: doc, edition: hex.EncodeToString(sum[:]), catalog: assembled, plans: byID(assembled), problems: problems})
	return retry, nil
}

// byID gives all plans that are on sale.
func byID(c *catalog.Catalog) map[string]catalog.Plan {
	all := map[string]catalog.Plan{}
	for _, o := range c.Offerings() {
		for _, p := range o.Plans {
			all[p.ID] = p
		}
	}
	return all
}

// Problems lists what is wrong with the configured catalog; what is wrong is not on sale.
func (b *Broker) Problems() []fault.Field { return b.shelf.Load().problems }

// sources asks all providers at once.
func (b *Broker) sources(ctx context.Context, wait time.Duration) (sources []catalog.Source, retry bool, err error) {
	all := b.Providers.All()
	answers := make([][]catalog.Offering, len(all))
	errs := make([]error, len(all))
	asking, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	var wg sync.WaitGroup
	for i, p := range all {
		wg.Go(func() {
			errs[i] = b.ask(asking, func(ctx context.Context) (err error) { answers[i], err = p.Offerings(ctx); return err })
		})
	}
	wg.Wait()
	for i, p := range all {
		if errs[i] != nil {
			retry = true
			b.Log.Warn("catalog: the last known offerings stay", "provider", p.Name, "err", errs[i])
			answers[i], err = b.lastShelf(ctx, p.Name)
		} else {
			err = b.DB.Tx(ctx, func(ctx context.Context) error { return b.saveShelf(ctx, p.Name, answers[i]) })
		}
		if err != nil {
			return nil, retry, err
		}
		sources = append(sources, catalog.Source{Provider: p.Name, Region: p.Region, Offerings: answers[i], Terms: b.Terms[p.Name]})
	}
	return sources, retry, nil
}

func (b *Broker) keepFresh(ctx context.Context, retry bool) {
	for {
		pause := freshEvery
		if retry {
			pause = retryEvery
		}
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		var err error
		if retry, err = b.Refresh(ctx, patience); err != nil && ctx.Err() == nil {
			retry = true
			b.Log.Error("catalog", "err", err)
		}
	}
}

// provider finds the seller by name and says whether it takes new instances now.
func (b *Broker) open(name string) (*providers.Provider, error) {
	p, ok := b.Providers.Get(name)
	if !ok {
		return nil, fault.Unavailable.Errorf("The provider %s is not configured any more.", name)
	}
	switch s := p.Status(); s {
	case providers.Up:
	case providers.Cordoned:
		return nil, fault.Refused.Errorf("%s takes no new instances now: %s", name, p.Why()).WithHint("Choose another provider.")
	default:
		return nil, fault.Unavailable.Errorf("%s takes no new instances now: it is %s. %s", name, s, p.Why()).WithHint("Try again later, or choose another provider.")
	}
	return p, nil
}
