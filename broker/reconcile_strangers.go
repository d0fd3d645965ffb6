package broker

import (
	"context"
	"maps"
	"slices"

	"github.com/sutlerhq/sutler/providers"
)

// idPage is how many ids are compared with a backend's names at a time.
const idPage = 5000

// strangers lists what is at a provider's backend and not alive in the store. What went is removed, however long ago; what the store
// has never heard of is left alone: it may be another market's, or newer than the backup that this store was restored from.
func (b *Broker) strangers(ctx context.Context, p *providers.Provider) (found []Difference, err error) {
	if !p.Can(providers.Lists) {
		return nil, nil
	}
	var names []string
	asked, at := b.Clock.Now().UnixMicro(), wall()
	if err := b.ask(ctx, func(ctx context.Context) (err error) { names, err = p.List(ctx); return err }); err != nil {
		return nil, err
	}
	unknown := make(map[string]bool, len(names))
	for _, n := range names {
		unknown[n] = true
	}
	for after := ""; len(unknown) > 0; {
		ids, err := b.idsOf(ctx, p.Name, after, idPage)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			if name := p.NameOf(id); unknown[name] {
				delete(unknown, name)
				more, err := b.goneBut(ctx, id, asked, at)
				if err != nil {
					return nil, err
				}
				found = append(found, more...)
			}
		}
		if len(ids) < idPage {
			break
		}
		after = ids[len(ids)-1]
	}
	for _, name := range slices.Sorted(maps.Keys(unknown)) {
		found = append(found, Difference{
			Kind: Unknown, Provider: p.Name, Backend: name, What: "The backend holds " + name + ", which the market's store has never heard of.",
			Done: "Nothing: it may be newer than the store, or another market's.",
			Next: "It was made after the backup that the store was restored from, or by another market. Save its data if they matter, and remove it at the backend by hand.",
		})
	}
	return found, nil
}

// goneBut removes an instance that went before the backend was asked, and was there all the same: half made, perhaps, so that only its name shows.
// One that has been removed since, by another process that found it, is left alone.
func (b *Broker) goneBut(ctx context.Context, id string, asked, at int64) ([]Difference, error) {
	r, there, err := b.findInstance(ctx, "id = ? AND state = 'gone' AND gone_at < ?", id, asked)
	if err != nil || !there {
		return nil, err
	}
	if again, err := b.removedSince(ctx, id, at); err != nil || again {
		return nil, err
	}
	s := sight{row: r}
	if s.ops, err = b.liveOperations(ctx, id); err != nil || !s.quiet() {
		return nil, err
	}
	found, err := b.left(ctx, r)
	if err != nil {
		return nil, err
	}
	found, changed, err := b.mend(ctx, r, found)
	if changed {
		return nil, err // the next round looks again
	}
	return found, err
}
