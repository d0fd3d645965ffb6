package broker

import (
	"testing"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

func TestACordonHoldsInEveryProcessAndOverARestart(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := newMarket(t, db), t.Context()
		i := m.made(t, "sync", "before")
		other := join(t, db, m.driver, m.books, m.key, "two")
		kind(t, m.Cordon(ctx, ada, "fakes", "mine"), fault.Forbidden)
		kind(t, m.Cordon(ctx, otto, "fakes", ""), fault.Invalid)
		kind(t, m.Cordon(ctx, otto, "fake", "a typing error"), fault.NotFound)
		if err := m.Cordon(ctx, otto, "fakes", "moves to new disks"); err != nil {
			t.Fatal(err)
		}
		p, _ := other.Providers.Get("fakes")
		for late := time.Now().Add(20 * time.Second); p.Status() != providers.Cordoned; {
			if time.Now().After(late) {
				t.Fatal("another process does not heed the cordon")
			}
			if err := other.heedCordons(ctx); err != nil {
				t.Fatal(err)
			}
		}
		again := join(t, db, m.driver, m.books, m.key, "three")
		for name, market := range map[string]*market{"this": m, "another": other, "a later": again} {
			_, _, err := market.Provision(ctx, ada, order("sync", "refused"))
			kind(t, err, fault.Refused)
			_, err = market.Choose(ctx, ada, catalog.Need{Want: "fake", Plan: "sync"})
			kind(t, err, fault.Refused)
			list, err := market.Sellers(ctx, otto)
			if err != nil || len(list) != 1 || list[0].Status != providers.Cordoned || list[0].Why != "moves to new disks" || list[0].Live != 1 {
				t.Fatalf("%s: %+v, %v", name, list, err)
			}
		}
		m.bound(t, i.ID) // what is there goes on
		if err := m.Uncordon(ctx, otto, "fakes"); err != nil {
			t.Fatal(err)
		}
		m.made(t, "sync", "after")
		if err := m.Uncordon(ctx, otto, "fakes"); err != nil {
			t.Fatal(err)
		}
	})
}
