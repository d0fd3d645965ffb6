package api

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/suggest"
	"github.com/sutlerhq/sutler/web/problem"
)

// refusal is a fault on its way out, as huma writes it.
type refusal struct{ problem.Problem }

// GetStatus is the HTTP status.
func (r *refusal) GetStatus() int { return r.Status }

// ContentType is that of RFC 9457.
func (r *refusal) ContentType(string) string { return problem.MediaType }

// Error is the text for the caller.
func (r *refusal) Error() string { return r.Detail }

// problem translates a fault; an unclassed one is logged under an id, and only the id goes out.
func (a *API) problem(ctx context.Context, err error) *refusal {
	return &refusal{problem.Of(ctx, a.Log, err)}
}

// problemResponse documents a refusal.
func (a *API) problemResponse() *huma.Response {
	schemas := a.huma.OpenAPI().Components.Schemas
	return &huma.Response{Description: "What went wrong, and what to do next.", Content: map[string]*huma.MediaType{
		"application/problem+json": {Schema: schemas.Schema(reflect.TypeFor[problem.Problem](), true, "Problem")},
	}}
}

// rewrite turns huma's own refusals (a body that does not fit, a parameter that is unknown) into ours.
func (a *API) rewrite(ctx huma.Context, _ string, v any) (any, error) {
	model, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	switch model.Status {
	case http.StatusRequestEntityTooLarge:
		return a.own(model.Status, fault.TooLarge.Errorf("The body is over the limit of 1 MiB.")), nil
	case http.StatusInternalServerError:
		return a.problem(ctx.Context(), model), nil
	}
	f := fault.Invalid.Errorf("The request does not fit.")
	for _, d := range model.Errors {
		f = f.WithFields(fault.Field{Path: pointer(d.Location), Reason: d.Message + a.meant(ctx.Operation(), d)})
	}
	if len(model.Errors) == 0 {
		f = fault.Invalid.Errorf("%s.", upperFirst(model.Detail))
	}
	return a.own(model.Status, f), nil
}

// own is a refusal with the status that huma has already decided on.
func (a *API) own(status int, f *fault.Fault) *refusal {
	r := a.problem(context.Background(), f)
	r.Status = status
	return r
}

// pointer writes huma's "body.params.x" as "/params/x", and names other places as they are: "query org".
func pointer(location string) string {
	place, rest, _ := strings.Cut(location, ".")
	if place == "body" {
		return "/" + strings.ReplaceAll(rest, ".", "/")
	}
	return strings.TrimSpace(place + " " + rest)
}

// meant guesses which property of the body or which parameter was probably meant by an unknown one.
func (a *API) meant(op *huma.Operation, d *huma.ErrorDetail) string {
	place, name, _ := strings.Cut(d.Location, ".")
	var known []string
	switch {
	case place == "query":
		for _, p := range op.Parameters {
			known = append(known, p.Name)
		}
	case place == "body" && strings.Contains(d.Message, "unexpected property") && op.RequestBody != nil:
		for _, media := range op.RequestBody.Content {
			schema := media.Schema
			if schema.Ref != "" {
				schema = a.huma.OpenAPI().Components.Schemas.SchemaFromRef(schema.Ref)
			}
			for property := range schema.Properties {
				known = append(known, property)
			}
		}
	}
	slices.Sort(known)
	if slices.Contains(known, name) {
		return ""
	}
	return suggest.DidYouMean(name, known)
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
