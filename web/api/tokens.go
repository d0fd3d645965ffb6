package api

import (
	"context"
	"net/http"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/web/client"
)

// byID names one thing by id.
type byID struct {
	ID string `path:"id"`
}

func (a *API) tokens() {
	register(a, route{method: http.MethodGet, path: prefix + "/tokens", id: "token-list", tag: "identity", summary: "Your own API tokens, without secrets."}, a.tokenList)
	register(a, route{method: http.MethodPost, path: prefix + "/tokens", id: "token-create", tag: "identity", status: http.StatusCreated, summary: "Make an API token. Its secret is in this answer and never again."}, a.tokenCreate)
	register(a, route{method: http.MethodDelete, path: prefix + "/tokens/{id}", id: "token-revoke", tag: "identity", status: http.StatusNoContent, summary: "End one of your own tokens."}, a.tokenRevoke)
}

func (a *API) tokenList(ctx context.Context, who identity.Principal, _ *struct{}) (*reply[[]client.Token], error) {
	list, err := a.Directory.Tokens(ctx, who)
	return answer(each(list, err, wireToken))
}

func (a *API) tokenCreate(ctx context.Context, who identity.Principal, in *struct{ Body client.NewToken }) (*reply[client.Token], error) {
	actions := make([]identity.Action, 0, len(in.Body.Actions))
	for _, name := range in.Body.Actions {
		actions = append(actions, identity.Action(name))
	}
	var expires time.Time
	if in.Body.ExpiresAt != nil {
		expires = *in.Body.ExpiresAt
	}
	token, secret, err := a.Directory.CreateToken(ctx, who, in.Body.Name, actions, expires)
	out := wireToken(token)
	out.Secret = secret
	return answer(out, err)
}

func (a *API) tokenRevoke(ctx context.Context, who identity.Principal, in *byID) (*struct{}, error) {
	return nil, a.Directory.RevokeToken(ctx, who, in.ID)
}

func wireToken(t directory.Token) client.Token {
	out := client.Token{ID: t.ID, Name: t.Name, Actions: []string{}, CreatedAt: t.CreatedAt, LastUsed: moment(t.LastUsed), ExpiresAt: moment(t.ExpiresAt)}
	for _, action := range t.Actions {
		out.Actions = append(out.Actions, string(action))
	}
	return out
}
