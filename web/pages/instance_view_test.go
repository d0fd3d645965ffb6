package pages

import (
	"testing"
	"time"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/web/pages/look"
)

func TestStepsTellTheStory(t *testing.T) {
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	i := broker.Instance{Offering: "postgresql", Plan: "small", CreatedAt: at, ReadyAt: at.Add(1200 * time.Millisecond), Operation: broker.Operation{ID: "op_1", Verb: "deprovision", State: "in progress", Note: "waiting", Attempts: 3}}
	list := steps(i, []broker.Binding{{AppName: "shop-web", Alias: "DATABASE", State: broker.Ready, CreatedAt: at.Add(time.Hour)}})
	want := []string{"Being destroyed", "Bound to shop-web", "Ready after 1.2 s", "Ordered"}
	if len(list) != len(want) {
		t.Fatalf("steps: %+v", list)
	}
	for n, text := range want {
		if list[n].Text != text {
			t.Errorf("step %d is %q, want %q", n, list[n].Text, text)
		}
	}
	if list[0].Note != "try 3: waiting" {
		t.Errorf("note reads %q", list[0].Note)
	}
	i.Operation = broker.Operation{ID: "op_2", Verb: "provision", State: "failed", Note: "quota"}
	if first := steps(i, nil)[0]; first.Tone != "bad" || first.Note != "quota" {
		t.Errorf("a failure shows as %+v", first)
	}
}

func TestEveryStateHasAChip(t *testing.T) {
	for state, tone := range map[broker.State]string{
		broker.Creating: "note", broker.Ready: "good", broker.Updating: "note", broker.Suspended: "care", broker.Deleting: "note", broker.Gone: "off", broker.Failed: "bad", broker.Expiring: "note",
	} {
		if c := stateChip(state); c.Tone != tone || c.Word != string(state) {
			t.Errorf("%s: %+v", state, c)
		}
	}
	if c := instanceChip(broker.Instance{State: broker.Ready, Health: "degraded", Note: "slow"}); c.Tone != "care" || c.Note != "slow" {
		t.Errorf("degraded: %+v", c)
	}
}

func TestSharesAddUp(t *testing.T) {
	s := spending{true, "EUR", []billing.Line{{Instance: "a", InstanceName: "db", Amount: "1.00"}, {Instance: "b", InstanceName: "bus", Amount: "2.50"}, {Instance: "a", InstanceName: "db", Amount: "0.50"}}}
	list := shares(look.Frame{}, s)
	if len(list) != 2 || list[0].Instance != "bus" || list[0].Percent != 63 || list[1].Amount != "€1.50" || s.sum("") != "€4.00" || s.sum("c") != "" {
		t.Errorf("shares: %+v, sum %s", list, s.sum(""))
	}
}

func TestInvoicePageHidesWhatIsNothing(t *testing.T) {
	page := invoicePage(look.Frame{}, billing.Invoice{Currency: "EUR", State: "open", Subtotal: "3", Discount: "0.00", CreditApplied: "0", Total: "3.57", Due: "3.57", Tax: []billing.Tax{{Name: "VAT", Rate: "0.19", Amount: "0.57"}}})
	if page.Discount != "" || page.Credit != "" || page.Total != "€3.57" || page.Tax[0].Amount != "€0.57" || page.Tax[0].Rate != "19\u00a0%" || page.State.Tone != "care" {
		t.Errorf("page: %+v", page)
	}
}

func TestRevealedCredentialsPutTheAddressFirst(t *testing.T) {
	list := inClear(map[string]any{"host": "h", "uri": "u", "port": 5432, "hosts": []string{"a"}})
	if list[0].Name != "uri" || list[2].Value != `["a"]` || list[3].Value != "5432" {
		t.Errorf("credentials: %+v", list)
	}
}

func TestCardSaysItsNameOnce(t *testing.T) {
	o := broker.Offer{Offering: catalog.Offering{Name: "postgresql", Kind: "postgresql", Tags: []string{"sql", "postgresql"}}}
	if c := card(look.Frame{}, o); len(c.Tags) != 1 || c.Tags[0] != "sql" || len(o.Tags) != 2 {
		t.Errorf("tags: %v, the offer's %v", c.Tags, o.Tags)
	}
}

func TestFreeName(t *testing.T) {
	if got := freeName("nats", []broker.Instance{{Name: "nats"}, {Name: "nats-2"}}); got != "nats-3" {
		t.Errorf("free name is %s", got)
	}
}
