package api

import (
	"context"
	"net/http"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/web/client"
)

func (a *API) queue() {
	register(a, route{method: http.MethodGet, path: prefix + "/queue", id: "queue-get", tag: "operations", summary: "The market's durable work: what waits, what fails, which months could not be closed (operators)."}, a.queueGet)
}

func (a *API) queueGet(ctx context.Context, who identity.Principal, _ *struct{}) (*reply[client.Queue], error) {
	q, err := a.Broker.Queue(ctx, who)
	if err != nil {
		return nil, err
	}
	months, err := a.Ledger.Unclosed(ctx, who)
	if err != nil {
		return nil, err
	}
	return answer(a.wireQueue(ctx, q, months), nil)
}

func (a *API) wireQueue(ctx context.Context, q broker.Queue, months []billing.Unclosed) client.Queue {
	out := client.Queue{Due: q.Due, OldestSeconds: q.Oldest.Seconds(), Operations: []client.Operation{}, Failing: []client.QueueEntry{}, Unclosed: []client.Unclosed{}}
	names := a.namer()
	for _, o := range q.Operations {
		out.Operations = append(out.Operations, names.operation(ctx, o))
	}
	for _, f := range q.Failing {
		e := client.QueueEntry{Sort: "task", Kind: f.Kind, Key: f.Key, Attempts: f.Attempts, Note: f.Note, Owner: f.Owner, NextAt: f.Next}
		if f.Calendar {
			e.Sort = "calendar"
		}
		out.Failing = append(out.Failing, e)
	}
	for _, m := range months {
		out.Unclosed = append(out.Unclosed, client.Unclosed{Account: m.Account, Name: m.Name, From: m.Month.From, To: m.Month.To, Note: m.Note})
	}
	return out
}
