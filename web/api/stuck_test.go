package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/client"
)

// stuck gives a delete that the provider refuses.
func (h *house) stuck(name string) client.Operation {
	h.Helper()
	made, err := h.boss.CreateInstance(h.Context(), client.NewInstance{Want: "fake:sync", Name: name})
	h.ok(err)
	h.done(h.boss, made.Operation)
	h.driver.FailNext("deprovision", -1, fault.Refused.Errorf("Not today."))
	gone, err := h.boss.DestroyInstance(h.Context(), name)
	h.ok(err)
	_, err = h.boss.Operation(h.Context(), gone.Operation, 20*time.Second)
	h.ok(err)
	list, err := h.boss.Operations(h.Context(), true)
	h.ok(err)
	if list[0].Org != "acme" || list[0].Project == "" || list[0].NextAt == nil {
		h.Fatalf("nobody can tell whose it is, or when it is tried again: %+v", list[0])
	}
	if len(list) != 1 || list[0].ID != gone.Operation || list[0].InstanceName != name || !strings.Contains(list[0].Reason, "Not today.") || list[0].Failures == 0 || list[0].FailingSince == nil {
		h.Fatalf("%+v", list)
	}
	q, err := h.boss.Queue(h.Context())
	h.ok(err)
	if len(q.Operations) != 1 || q.Operations[0].ID != gone.Operation || q.Operations[0].Reason != list[0].Reason {
		h.Fatalf("the queue tells otherwise: %+v", q.Operations)
	}
	return list[0]
}

func TestAnOperatorDealsWithStuckWork(t *testing.T) {
	h := sqlite(t)
	ctx := t.Context()
	op := h.stuck("orders")
	dev := h.as("dev@example.com", identity.Owner)
	_, err := dev.RetryOperation(ctx, op.ID)
	h.refused(err, "forbidden")
	_, err = dev.PurgeOperation(ctx, op.ID, client.Purge{Confirm: op.ID, Reason: "mine"})
	h.refused(err, "forbidden")
	h.driver.FailNext("deprovision", 0, nil)
	_, err = h.boss.RetryOperation(ctx, op.ID)
	h.ok(err)
	h.done(h.boss, op.ID)

	op = h.stuck("invoices")
	_, err = h.boss.PurgeOperation(ctx, op.ID, client.Purge{Confirm: "another", Reason: "because"})
	h.refused(err, "invalid")
	given, err := h.boss.PurgeOperation(ctx, op.ID, client.Purge{Confirm: op.ID, Reason: "The vendor has closed."})
	h.ok(err)
	if given.State != "failed" || !strings.Contains(given.Note, "may still hold") {
		t.Fatalf("%+v", given)
	}
	i, err := h.boss.Instance(ctx, client.Place{}, op.Instance)
	h.ok(err)
	if i.State != "gone" {
		t.Fatalf("%+v", i)
	}
}

// What fails beneath the operations, and an account whose month cannot be closed, are shown to operators alone.
func TestAnOperatorSeesTheQueue(t *testing.T) {
	h := sqlite(t)
	_, err := h.as("dev@example.com", identity.Owner).Queue(t.Context())
	h.refused(err, "forbidden")
	q, err := h.boss.Queue(t.Context())
	h.ok(err)
	if q.Failing == nil || q.Operations == nil || len(q.Operations) != 0 || q.Unclosed == nil || len(q.Unclosed) != 0 {
		t.Fatalf("%+v", q)
	}
}

// A name that is there in projects of the same name tells them by their orgs.
func TestANameOfSeveralInstancesTellsWhose(t *testing.T) {
	h := sqlite(t)
	_, err := h.directory.CreateOrg(t.Context(), h.owner, "wonder", "Wonder Ltd", "", "EUR")
	h.ok(err)
	for _, org := range []string{"acme", "wonder"} {
		made, err := h.boss.CreateInstance(t.Context(), client.NewInstance{Want: "fake:sync", Name: "orders", Org: org})
		h.ok(err)
		h.done(h.boss, made.Operation)
	}
	_, err = h.boss.Instance(t.Context(), client.Place{}, "orders")
	if err == nil || !strings.Contains(err.Error(), "acme/default") || !strings.Contains(err.Error(), "wonder/default") {
		t.Fatal(err)
	}
}
