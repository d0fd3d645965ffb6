package client

import (
	"context"
	"net/http"
)

// Whoami tells who the market takes the caller for.
func (c *Client) Whoami(ctx context.Context) (Identity, error) {
	return get[Identity](ctx, c, path("whoami"), nil)
}

// Orgs lists those that the caller sees.
func (c *Client) Orgs(ctx context.Context) ([]Org, error) {
	return get[[]Org](ctx, c, path("orgs"), nil)
}

// CreateOrg makes an org with its account and a first project.
func (c *Client) CreateOrg(ctx context.Context, n NewOrg) (Org, error) {
	return post[Org](ctx, c, path("orgs"), n)
}

// Projects lists those of an org that the caller sees.
func (c *Client) Projects(ctx context.Context, org string) ([]Project, error) {
	return get[[]Project](ctx, c, path("projects"), Place{Org: org}.query())
}

// CreateProject makes a project.
func (c *Client) CreateProject(ctx context.Context, n NewProject) (Project, error) {
	return post[Project](ctx, c, path("projects"), n)
}

// Members lists an org's members.
func (c *Client) Members(ctx context.Context, org string) ([]Member, error) {
	return get[[]Member](ctx, c, path("members"), Place{Org: org}.query())
}

// SetMember gives a person a role, or takes it away.
func (c *Client) SetMember(ctx context.Context, n NewMember) (Member, error) {
	return post[Member](ctx, c, path("members"), n)
}

// Tokens lists the caller's own API tokens.
func (c *Client) Tokens(ctx context.Context) ([]Token, error) {
	return get[[]Token](ctx, c, path("tokens"), nil)
}

// CreateToken makes an API token; its secret is in this answer and never again.
func (c *Client) CreateToken(ctx context.Context, n NewToken) (Token, error) {
	return post[Token](ctx, c, path("tokens"), n)
}

// RevokeToken ends one of the caller's own tokens.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	_, err := c.do(ctx, http.MethodDelete, path("tokens", id), nil, nil)
	return err
}

// Platforms lists the registered platforms.
func (c *Client) Platforms(ctx context.Context) ([]Platform, error) {
	return get[[]Platform](ctx, c, path("platforms"), nil)
}

// CreatePlatform registers a platform; its password is in this answer and never again.
func (c *Client) CreatePlatform(ctx context.Context, n NewPlatform) (Platform, error) {
	return post[Platform](ctx, c, path("platforms"), n)
}

// RotatePlatform gives a platform a new password; it is in this answer and never again.
func (c *Client) RotatePlatform(ctx context.Context, ref string, r Rotation) (Platform, error) {
	return post[Platform](ctx, c, path("platforms", ref, "rotate"), r)
}

// DeletePlatform ends a platform's access; its instances stay.
func (c *Client) DeletePlatform(ctx context.Context, ref string) error {
	_, err := c.do(ctx, http.MethodDelete, path("platforms", ref), nil, nil)
	return err
}

// Providers lists the configured providers.
func (c *Client) Providers(ctx context.Context) ([]Provider, error) {
	return get[[]Provider](ctx, c, path("providers"), nil)
}

// CordonProvider lets a provider take no new instances, saying why.
func (c *Client) CordonProvider(ctx context.Context, name, reason string) error {
	_, err := post[struct{}](ctx, c, path("providers", name, "cordon"), Cordon{Reason: reason})
	return err
}

// UncordonProvider lets a provider take new instances again.
func (c *Client) UncordonProvider(ctx context.Context, name string) error {
	_, err := call[struct{}](ctx, c, http.MethodDelete, path("providers", name, "cordon"), nil, nil)
	return err
}

// CreateProviderKey makes the key a provider reports usage with; it is in this answer and never again.
func (c *Client) CreateProviderKey(ctx context.Context, provider string) (ProviderKey, error) {
	return post[ProviderKey](ctx, c, path("providers", provider, "key"), nil)
}
