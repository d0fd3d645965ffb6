package issuer

import (
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// request is an authorization request under way, as the library asks about it.
type request struct {
	id string // in clear; empty when it was found by its code
	requestRow
}

func (r *request) GetID() string                      { return r.id }
func (r *request) GetACR() string                     { return "" }
func (r *request) GetAMR() []string                   { return []string{"pwd"} }
func (r *request) GetAudience() []string              { return []string{r.Client} }
func (r *request) GetAuthTime() time.Time             { return time.UnixMicro(r.SignedInAt).UTC() }
func (r *request) GetClientID() string                { return r.Client }
func (r *request) GetNonce() string                   { return r.Nonce }
func (r *request) GetRedirectURI() string             { return r.Redirect }
func (r *request) GetResponseType() oidc.ResponseType { return oidc.ResponseTypeCode }
func (r *request) GetResponseMode() oidc.ResponseMode { return oidc.ResponseModeQuery }
func (r *request) GetScopes() []string                { return strings.Fields(r.Scopes) }
func (r *request) GetState() string                   { return r.State }
func (r *request) GetSubject() string                 { return r.Human }
func (r *request) Done() bool                         { return r.Human != "" }
func (r *request) GetCodeChallenge() *oidc.CodeChallenge {
	return &oidc.CodeChallenge{Challenge: r.Challenge, Method: oidc.CodeChallengeMethodS256}
}
