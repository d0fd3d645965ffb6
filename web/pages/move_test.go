package pages_test

import (
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/broker"
)

// moves begins to move an instance to lighthouse, and waits until the move is in a state.
func (h *house) moves(i broker.Instance, state string) broker.Move {
	h.Helper()
	m, _, err := h.broker.Move(h.Context(), h.as("ada"), broker.MoveOrder{Instance: i.ID, Provider: "lighthouse", Currency: "EUR"})
	h.ok(err)
	return h.comes(m, state)
}

func (h *house) comes(m broker.Move, state string) broker.Move {
	h.Helper()
	h.until("the move is "+state, func() (come bool) {
		var err error
		m, err = h.broker.MoveOf(h.Context(), h.as("ada"), m.Instance)
		h.ok(err)
		return m.State == state
	})
	return m
}

// half is the name of one half of a move.
func (h *house) half(id string) string {
	h.Helper()
	i, err := h.broker.Instance(h.Context(), h.as("ada"), h.project.ID, id)
	h.ok(err)
	return i.Name
}

func TestPagesTellOfAMoveAndConfirmIt(t *testing.T) {
	h := newHouse(t)
	i := h.ready("postgresql", "small", "orders-db")
	h.bound(i, "shop-web")
	at := shop + "/instances/orders-db"
	h.reads("ada", at, []string{"--to</span> <span>PROVIDER:PLAN"}, []string{`id="move"`})
	m := h.moves(i, "moved")
	old := h.half(m.Instance)
	h.reads("ada", at, []string{"Moved from harbour to lighthouse", "waits for you", "the same", "Open " + old, "/move/confirm", "/move/rollback", "--roll-back", "Move from harbour begun"}, []string{"differs"})
	h.reads("vera", at, []string{"Moved from harbour to lighthouse"}, []string{"/move/confirm", "/move/rollback"})
	h.reads("ada", shop+"/instances/"+old, []string{"Replaced by orders-db", "Open orders-db", "kept until the move is confirmed"}, []string{"/move/confirm", "/move/rollback", `/resume#turn"`})
	h.send(
		form{"ada", at + "/move/confirm", "", 400, []string{"Nothing was destroyed", `class="field wrong"`}},
		form{"ada", at + "/move/rollback", "name=orders", 400, []string{"Nothing was rolled back", `value="orders"`}},
		form{"ada", at + "/move/rollback", "", 400, []string{"Nothing was rolled back"}},
		form{"vera", at + "/move/confirm", "confirm=yes", 403, nil},
		form{"vera", at + "/move/rollback", "name=orders-db", 403, nil},
		form{"ada", "/o/rival/default/instances/orders-db/move/confirm", "confirm=yes", 404, []string{"There is no org"}},
		form{"ada", shop + "/instances/nothing/move/confirm", "confirm=yes", 404, []string{"There is no instance"}},
	)
	if m = h.comes(m, "moved"); !m.EndedAt.IsZero() || h.state(old).State != broker.Suspended {
		t.Fatalf("refused forms ended the move: %+v", m)
	}
	h.send(form{"ada", at + "/move/confirm", "confirm=yes", 303, []string{"/instances/orders-db?done=confirm"}})
	h.comes(m, "confirmed")
	h.until("the old instance is gone", func() bool { status, _ := h.ask("GET", "ada", shop+"/instances/"+old, nil); return status == 404 })
	h.reads("ada", at, []string{"Move confirmed"}, []string{`id="move"`})
	h.send(form{"ada", at + "/move/rollback", "name=orders-db", 409, []string{"is confirmed"}})
	if i := h.state("orders-db"); i.Provider != "lighthouse" {
		t.Errorf("it lives at %s", i.Provider)
	}
}

func TestRollBackForm(t *testing.T) {
	h := newHouse(t)
	i := h.ready("postgresql", "small", "orders-db")
	at := shop + "/instances/orders-db"
	h.send(form{"ada", at + "/move/rollback", "confirm=yes", 404, []string{"is not being moved"}})
	m := h.moves(i, "moved")
	h.send(form{"ada", at + "/move/rollback", "name=orders-db", 303, []string{"/instances/orders-db?done=rollback"}})
	h.comes(m, "rolled back")
	h.reads("ada", at, []string{"Move rolled back"}, []string{`id="move"`})
	if i := h.state("orders-db"); i.Provider != "harbour" {
		t.Errorf("it lives at %s", i.Provider)
	}
}

func TestAMoveUnderWayCanBeStopped(t *testing.T) {
	h := newHouse(t)
	i := h.ready("postgresql", "small", "orders-db")
	hold := h.postgres.Hang("suspend")
	t.Cleanup(hold.Release)
	m := h.moves(i, "suspending")
	at := shop + "/instances/orders-db"
	h.reads("ada", at, []string{"Moving from harbour to lighthouse", `<li class="note" aria-current="step"><span>Old one suspended at harbour`, "Stop the move", "live-pending"}, []string{"/move/confirm"})
	h.reads("ada", shop+"/instances/"+h.half(m.Target), []string{"Being filled for orders-db"}, []string{"/move/rollback"})
	h.send(form{"ada", at + "/move/rollback", "", 400, []string{"Nothing was stopped"}}, form{"ada", at + "/move/rollback", "confirm=yes", 303, []string{"done=rollback"}})
	hold.Release()
	h.comes(m, "rolled back")
}

// TestMoveInABrowser goes the way of somebody who looks at a moved instance and takes it back, and of one who confirms.
func TestMoveInABrowser(t *testing.T) {
	h := newHouse(t)
	i := h.ready("postgresql", "small", "orders-db")
	h.bound(i, "shop-web")
	b := newBrowser(t, h.server.URL)
	b.as("ada")
	b.open(shop + "/instances/orders-db")
	m := h.moves(i, "moved")
	b.open(shop + "/instances/orders-db")
	b.says("#move h2", "Moved from harbour to lighthouse")
	b.fill("#move #f-name", "orders")
	b.click("#move .ends form:last-child button")
	b.says("#move .error", "Nothing was rolled back")
	b.fill("#move #f-name", "orders-db")
	b.click("#move .ends form:last-child button")
	b.says(".notice", "taken back")
	h.comes(m, "rolled back")
	b.until(`!document.querySelector("#move")`)
	b.says("#live-steps", "Move rolled back")
	m = h.moves(h.state("orders-db"), "moved")
	b.says("#move h2", "Moved from harbour") // nobody reloads the page
	b.eval(`document.querySelector("#move input[name=confirm]").click()`)
	b.click("#move .ends form:first-child button")
	b.says(".notice", "old instance is being destroyed")
	h.comes(m, "confirmed")
	b.says("#live-steps", "Move confirmed")
	if text := b.eval(`document.querySelector("main").innerText`); strings.Contains(text, "waits for you") {
		t.Errorf("the page still asks:\n%s", text)
	}
	b.clean("status of 400")
}
