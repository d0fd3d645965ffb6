package pages

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// sellers lists the providers with what they sell and whether they answer.
func (p *Pages) sellers(c echo.Context) error {
	v, err := p.operator(c, identity.ProviderManage, "Providers", "sellers")
	if err != nil {
		return err
	}
	offers, err := p.Broker.Market(c.Request().Context(), v.who)
	if err != nil {
		return err
	}
	page := look.Sellers{Frame: v.frame, Command: "sutler marketplace -o wide"}
	for _, o := range offers {
		n := slices.IndexFunc(page.Rows, func(r look.SellerRow) bool { return r.Name == o.Provider })
		if n < 0 {
			page.Rows = append(page.Rows, look.SellerRow{Name: o.Provider, Region: o.Region, Status: offerChip(o)})
			n = len(page.Rows) - 1
		}
		page.Rows[n].Offerings = append(page.Rows[n].Offerings, look.Choice{Value: v.frame.Market() + "/" + o.Name, Label: o.Name})
	}
	return p.show(c, http.StatusOK, page)
}
