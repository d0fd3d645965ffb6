package pages

import (
	"context"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// backup shows one backup with the form that fills a new instance from it.
func (p *Pages) backup(c echo.Context) error {
	v, b, err := p.visitBackup(c)
	if err != nil {
		return err
	}
	page, err := p.backupPage(c.Request().Context(), v, b, c.QueryParams())
	if err != nil {
		return err
	}
	return p.show(c, http.StatusOK, page)
}

// visitBackup finds the backup that the address names; one of another project is not there.
func (p *Pages) visitBackup(c echo.Context) (visit, broker.Backup, error) {
	v, err := p.visit(c, "Backup", "backups")
	if err != nil {
		return v, broker.Backup{}, err
	}
	b, err := p.Broker.Backup(c.Request().Context(), v.who, c.Param("backup"))
	if err == nil && b.Project != v.project.ID {
		err = fault.NotFound.Errorf("There is no backup %q.", c.Param("backup"))
	}
	return v, b, err
}

// backupPage gathers what the page shows; typed is what stands in its form.
func (p *Pages) backupPage(ctx context.Context, v visit, b broker.Backup, typed url.Values) (look.Backup, error) {
	v.frame.Title = "Backup of " + b.InstanceName
	page := look.Backup{
		Frame: v.frame, Row: backupRow(v.frame, b), Note: b.Note, Write: v.can(identity.InstanceWrite) && b.State != "deleting",
		Name: look.Field{
			Name: "name", Label: "Name of the new instance", Value: typed.Get("name"), Placeholder: b.InstanceName + "-restored",
			Pattern: "[a-z]([a-z0-9\\-]{0,61}[a-z0-9])?", Help: "Small letters, digits and dashes; unique in this project.",
		},
		Delete: look.Check{Name: "confirm", Label: "I know that this copy cannot be brought back"},
		Commands: []look.Command{
			command("sutler", "backup", "restore", b.InstanceName+"-restored", b.ID, "--to", "PROVIDER:PLAN"), command("sutler", "backup", "delete", b.ID),
		},
	}
	page.Pending = copying(b)
	for name, n := range b.Counts {
		page.Counts = append(page.Counts, look.Limit{Name: look.Sentence(name), Value: look.Quantity(big.NewInt(n).String())})
	}
	slices.SortFunc(page.Counts, func(a, b look.Limit) int { return strings.Compare(a.Name, b.Name) })
	offers, err := p.Broker.Market(ctx, v.who)
	page.Where = placesFor(v.frame, offers, b, typed.Get("to"))
	return page, err
}

// placesFor lists the providers and plans of a backup's kind that take new instances: where it was first, then the cheapest.
func placesFor(f look.Frame, offers []broker.Offer, b broker.Backup, wish string) []look.PlaceChoice {
	var list []look.PlaceChoice
	for _, r := range compared(f, offers, b.Kind) {
		if !r.Open {
			continue
		}
		list = append(list, look.PlaceChoice{
			Value: r.Provider + ":" + r.PlanName, Title: r.Provider + " · " + r.Plan, Region: r.Region, Price: r.Price, Limits: r.Limits,
			Same: r.Provider == b.Provider && r.Name == b.Offering && r.PlanName == b.Plan, On: wish == r.Provider+":"+r.PlanName,
		})
	}
	slices.SortStableFunc(list, func(x, y look.PlaceChoice) int {
		if x.Same != y.Same {
			return map[bool]int{true: -1, false: 1}[x.Same]
		}
		return 0
	})
	if len(list) > 0 && !slices.ContainsFunc(list, func(c look.PlaceChoice) bool { return c.On }) && wish == "" {
		list[0].On = true
	}
	return list
}

// open tells whether an offer takes new instances.
func open(o broker.Offer) bool { return o.Status == providers.Up && len(o.Plans) > 0 }
