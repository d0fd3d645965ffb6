package api

import (
	"context"
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/strict"
	"github.com/sutlerhq/sutler/web/problem"
)

// biggest is the largest request body that is read, in bytes.
const biggest = 1 << 20

// route says where an operation is found and what it does.
type route struct {
	method, path string // path as in the document: /api/v1/instances/{ref}
	id           string // of the operation: noun-verb
	tag, summary string
	status       int // of a good answer; 200 when 0
}

// reply is a good answer with a JSON body.
type reply[T any] struct{ Body T }

// register is the only way a handler gets into the API: it gives the principal and lets no unclassed error out.
func register[I, O any](a *API, r route, handle func(ctx context.Context, who identity.Principal, in *I) (*O, error)) {
	op := huma.Operation{
		OperationID: r.id, Method: r.method, Path: r.path, Summary: r.summary, Tags: []string{r.tag},
		DefaultStatus: r.status, MaxBodyBytes: biggest + 1, Responses: map[string]*huma.Response{},
	}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, identity.From(ctx), in)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return out, nil
	})
	op.Responses["default"] = a.problemResponse()
}

// answer makes a reply of what a room gave.
func answer[T any](body T, err error) (*reply[T], error) {
	if err != nil {
		return nil, err
	}
	return &reply[T]{Body: body}, nil
}

// each converts a list; the result is never nil, so that the wire shows [].
func each[S, T any](list []S, err error, convert func(S) T) ([]T, error) {
	if err != nil {
		return nil, err
	}
	out := make([]T, 0, len(list))
	for _, item := range list {
		out = append(out, convert(item))
	}
	return out, nil
}

// knownOnly refuses callers that nobody knows, before anything of their request is looked at.
func (a *API) knownOnly(ctx huma.Context, next func(huma.Context)) {
	if identity.From(ctx.Context()).Kind == identity.Nobody {
		problem.Answer(humaecho.Unwrap(ctx).Response(), humaecho.Unwrap(ctx).Request(), a.Log,
			fault.Unauthenticated.Errorf("You are not signed in.").WithHint("Run sutler login, or send an API token as Authorization: Bearer …"))
		return
	}
	next(ctx)
}

// unmarshal reads a request's body: strict JSON alone.
func unmarshal(data []byte, v any) error {
	if err := strict.JSON(data); err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}
