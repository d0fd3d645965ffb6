package api

import (
	"context"
	"net/http"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/web/client"
)

// relocation is the request of move-start.
type relocation struct {
	Place
	Ref  string `path:"ref" doc:"Name or id."`
	Body client.Relocation
}

// returning is the request of move-rollback.
type returning struct {
	Place
	Ref  string `path:"ref" doc:"Name or id."`
	Body client.Return
}

func (a *API) moves() {
	at := prefix + "/instances/{ref}/move"
	register(a, route{method: http.MethodPost, path: at, id: "move-start", tag: "moves", status: http.StatusAccepted, summary: "Start moving an instance to another provider or plan."}, a.moveStart)
	register(a, route{method: http.MethodGet, path: at, id: "move-get", tag: "moves", summary: "The latest move of an instance, and how far it is."}, a.moveGet)
	register(a, route{method: http.MethodPost, path: at + "/confirm", id: "move-confirm", tag: "moves", status: http.StatusAccepted, summary: "End a move: the old instance is destroyed."}, a.moveConfirm)
	register(a, route{method: http.MethodPost, path: at + "/rollback", id: "move-rollback", tag: "moves", status: http.StatusAccepted, summary: "Take a move back: the new instance is destroyed, with what was written to it."}, a.moveRollback)
}

func (a *API) moveStart(ctx context.Context, who identity.Principal, in *relocation) (*reply[client.Move], error) {
	i, err := a.instance(ctx, who, in.Place, in.Ref)
	if err != nil {
		return nil, err
	}
	currency, err := a.Ledger.Currency(ctx, i.Org)
	if err != nil {
		return nil, err
	}
	m, choice, err := a.Broker.Move(ctx, who, broker.MoveOrder{Instance: i.ID, Provider: in.Body.Provider, Plan: in.Body.Plan, Currency: currency})
	if err != nil {
		return nil, err
	}
	out := wireMove(m)
	out.Why = choice.Why
	return answer(out, nil)
}

func (a *API) moveGet(ctx context.Context, who identity.Principal, in *instanceRef) (*reply[client.Move], error) {
	return a.moving(ctx, who, in.Place, in.Ref, func(id string) (broker.Move, error) { return a.Broker.MoveOf(ctx, who, id) })
}

func (a *API) moveConfirm(ctx context.Context, who identity.Principal, in *instanceRef) (*reply[client.Move], error) {
	return a.moving(ctx, who, in.Place, in.Ref, func(id string) (broker.Move, error) { return a.Broker.ConfirmMove(ctx, who, id) })
}

func (a *API) moveRollback(ctx context.Context, who identity.Principal, in *returning) (*reply[client.Move], error) {
	return a.moving(ctx, who, in.Place, in.Ref, func(id string) (broker.Move, error) {
		return a.Broker.RollBackMove(ctx, who, id, in.Body.Name)
	})
}

func (a *API) moving(ctx context.Context, who identity.Principal, at Place, ref string, f func(id string) (broker.Move, error)) (*reply[client.Move], error) {
	i, err := a.instance(ctx, who, at, ref)
	if err != nil {
		return nil, err
	}
	m, err := f(i.ID)
	return answer(wireMove(m), err)
}

func wireMove(m broker.Move) client.Move {
	out := client.Move{
		ID: m.ID, Name: m.Name, Instance: m.Instance, Target: m.Target, From: m.From, To: m.To, Offering: m.Offering, Plan: m.Plan, State: m.State, Note: m.Note,
		Switched: m.Switched, Bytes: m.Bytes, Counted: m.Counted, Copied: m.Copied, CreatedAt: m.CreatedAt,
	}
	if !m.EndedAt.IsZero() {
		out.EndedAt = &m.EndedAt
	}
	return out
}
