package broker

import (
	"context"
	"encoding/json"
	"time"

	"github.com/sutlerhq/sutler/catalog"
)

// saveShelf keeps what a provider's driver offered last, for the time when it cannot be asked.
func (b *Broker) saveShelf(ctx context.Context, provider string, list []catalog.Offering) error {
	doc, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return b.DB.From(ctx).Exec(`INSERT INTO shelves (provider, doc) VALUES (?, ?) ON CONFLICT (provider) DO UPDATE SET doc = excluded.doc WHERE shelves.doc <> excluded.doc`, provider, string(doc)).Error
}

// lastShelf gives what a provider's driver offered last; nothing when it was never asked.
func (b *Broker) lastShelf(ctx context.Context, provider string) (list []catalog.Offering, err error) {
	var doc string
	if err := b.DB.From(ctx).Raw(`SELECT doc FROM shelves WHERE provider = ?`, provider).Scan(&doc).Error; err != nil || doc == "" {
		return nil, err
	}
	if err := json.Unmarshal([]byte(doc), &list); err != nil {
		return nil, err
	}
	for _, o := range list {
		for i := range o.Plans {
			o.Plans[i] = tidy(o.Plans[i])
		}
	}
	return list, nil
}

// saveSold keeps the assembled offerings and plans. None is ever removed: instances of a plan outlive its sale. Those that are not among them are marked as
// off sale.
func (b *Broker) saveSold(ctx context.Context, list []catalog.Offering) error {
	g := b.DB.From(ctx)
	for _, o := range list {
		for _, p := range o.Plans {
			doc, err := json.Marshal(p)
			if err != nil {
				return err
			}
			if err := g.Exec(`INSERT INTO plans (id, offering, doc) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc WHERE plans.doc <> excluded.doc`, p.ID, o.ID, string(doc)).Error; err != nil {
				return err
			}
		}
		o.Plans = nil
		doc, err := json.Marshal(o)
		if err != nil {
			return err
		}
		if err := g.Exec(`INSERT INTO offerings (id, doc) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc WHERE offerings.doc <> excluded.doc`, o.ID, string(doc)).Error; err != nil {
			return err
		}
	}
	return b.markOffSale(ctx, list)
}

// markOffSale writes down which plans are missing from the shelf, and which are back on it.
func (b *Broker) markOffSale(ctx context.Context, list []catalog.Offering) error {
	on := map[string]bool{}
	for _, o := range list {
		for _, p := range o.Plans {
			on[p.ID] = true
		}
	}
	var rows []struct {
		ID      string
		OffSale int64
	}
	g := b.DB.From(ctx)
	if err := g.Raw(`SELECT id, off_sale FROM plans`).Scan(&rows).Error; err != nil {
		return err
	}
	now := b.Clock.Now().UnixMicro()
	for _, r := range rows {
		if on[r.ID] == (r.OffSale == 0) {
			continue
		}
		since := now
		if on[r.ID] {
			since = 0
		}
		if err := g.Exec(`UPDATE plans SET off_sale = ? WHERE id = ?`, since, r.ID).Error; err != nil {
			return err
		}
	}
	return nil
}

// offSale is a plan that is not sold any more, with its offering, which has this plan alone.
type offSale struct {
	offering catalog.Offering
	since    time.Time
}

// listOffSale gives the plans that went off sale after a moment, the latest first.
func (b *Broker) listOffSale(ctx context.Context, after time.Time) ([]offSale, error) {
	var rows []struct {
		Offering, Plan string
		OffSale        int64
	}
	err := b.DB.From(ctx).Raw(`SELECT o.doc AS offering, p.doc AS plan, p.off_sale FROM plans p JOIN offerings o ON o.id = p.offering
 WHERE p.off_sale > ? ORDER BY p.off_sale DESC, p.id LIMIT 200`, max(0, after.UnixMicro())).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	list := make([]offSale, len(rows))
	for n, r := range rows {
		var p catalog.Plan
		if err := json.Unmarshal([]byte(r.Offering), &list[n].offering); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(r.Plan), &p); err != nil {
			return nil, err
		}
		list[n].offering.Plans, list[n].since = []catalog.Plan{tidy(p)}, instant(r.OffSale)
	}
	return list, nil
}

// sold finds an offering and one of its plans by id, vanished ones too; the offering comes without its other plans.
func (b *Broker) sold(ctx context.Context, plan string) (o catalog.Offering, p catalog.Plan, found bool, err error) {
	var row struct{ Offering, Plan string }
	err = b.DB.From(ctx).Raw(`SELECT o.doc AS offering, p.doc AS plan FROM plans p JOIN offerings o ON o.id = p.offering WHERE p.id = ?`, plan).Scan(&row).Error
	if err != nil || row.Plan == "" {
		return o, p, false, err
	}
	if err = json.Unmarshal([]byte(row.Offering), &o); err == nil {
		err = json.Unmarshal([]byte(row.Plan), &p)
	}
	p = tidy(p)
	o.Plans = []catalog.Plan{p}
	return o, p, err == nil, err
}

// tidy undoes what JSON does to an absent schema: "null" is not a schema.
func tidy(p catalog.Plan) catalog.Plan {
	for _, s := range []*json.RawMessage{&p.Schemas.Create, &p.Schemas.Update, &p.Schemas.Bind} {
		if string(*s) == "null" {
			*s = nil
		}
	}
	return p
}
