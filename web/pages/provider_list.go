package pages

import (
	"context"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// sellers lists the providers with what they sell, whether they answer and how much lives there.
func (p *Pages) sellers(c echo.Context) error {
	v, err := p.operator(c, identity.ProviderManage, "Providers", "sellers")
	if err != nil {
		return err
	}
	page, err := p.sellersPage(c.Request().Context(), v)
	if err != nil {
		return err
	}
	return p.show(c, http.StatusOK, page)
}

func (p *Pages) sellersPage(ctx context.Context, v visit) (look.Sellers, error) {
	page := look.Sellers{Frame: v.frame, Command: "sutler provider list"}
	list, err := p.Broker.Sellers(ctx, v.who)
	if err != nil {
		return page, err
	}
	offers, err := p.Broker.Stock(ctx, v.who)
	if err != nil {
		return page, err
	}
	for _, s := range list {
		row := look.SellerRow{
			Name: s.Name, Driver: s.Driver, Region: s.Region, Status: statusChip(s.Status, s.Why), Live: s.Live, Cordoned: s.Status == providers.Cordoned,
			Reason: look.Field{Name: "reason", Of: s.Name, Label: "Why", Required: true, Help: "People who want an instance there will read it."},
		}
		row.Room = capacity(offers, s.Name)
		for _, name := range s.Offerings {
			one := look.Choice{Label: name}
			if _, err := offerNamed(offers, name); err == nil {
				one.Value = v.frame.Market() + "/" + name
			}
			row.Offerings = append(row.Offerings, one)
		}
		page.Rows = append(page.Rows, row)
	}
	if !identity.Can(v.who, identity.OperationRead, identity.Scope{}) {
		return page, nil
	}
	stuck, err := p.Broker.Operations(ctx, v.who, true)
	page.Stuck = len(stuck)
	return page, err
}

// capacity says how many instances a provider takes at all, when every plan of it says how many.
func capacity(offers []broker.Offer, provider string) string {
	sum := 0
	for _, o := range offers {
		if o.Provider != provider {
			continue
		}
		for _, plan := range o.Plans {
			if plan.Capacity == 0 {
				return ""
			}
			sum += plan.Capacity
		}
	}
	if sum == 0 {
		return ""
	}
	return fmt.Sprintf("of %d", sum)
}
