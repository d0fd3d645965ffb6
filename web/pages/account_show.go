package pages

import (
	"context"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// account shows who one is, one's roles and tokens.
func (p *Pages) account(c echo.Context) error {
	_, page, err := p.accountPage(c)
	if err != nil {
		return err
	}
	return p.show(c, http.StatusOK, page)
}

func (p *Pages) accountPage(c echo.Context) (visit, look.Account, error) {
	v, err := p.visit(c, "Your account", "")
	if err != nil {
		return v, look.Account{}, err
	}
	ctx := c.Request().Context()
	tokens, err := p.Directory.Tokens(ctx, v.who)
	if err != nil {
		return v, look.Account{}, err
	}
	page := look.Account{Frame: v.frame, Command: "sutler token create NAME", Name: look.Field{Name: "name", Label: "Name of a new token", Required: true, Placeholder: "laptop", Help: "It may do all that you may, for as long as you may."}}
	for _, t := range tokens {
		page.Tokens = append(page.Tokens, tokenRow(t))
	}
	for _, g := range v.who.Grants {
		page.Roles = append(page.Roles, look.RoleRow{Role: string(g.Role), Where: p.where(ctx, g.Scope)})
	}
	return v, page, nil
}

func tokenRow(t directory.Token) look.TokenRow {
	row := look.TokenRow{ID: t.ID, Name: t.Name, Scope: "all that you may", CreatedAt: t.CreatedAt, LastUsed: t.LastUsed, Expires: t.ExpiresAt}
	if len(t.Actions) > 0 {
		names := make([]string, len(t.Actions))
		for i, a := range t.Actions {
			names[i] = string(a)
		}
		row.Scope = strings.Join(names, ", ")
	}
	return row
}

// where names a scope: one's own roles are nobody else's secret.
func (p *Pages) where(ctx context.Context, s identity.Scope) string {
	if s.Org == "" {
		return "the whole market"
	}
	t, err := p.Directory.Tenancy(ctx, s)
	if err != nil {
		return s.Org
	}
	return strings.TrimSuffix(t.OrgName+" / "+t.ProjectName, " / ")
}
