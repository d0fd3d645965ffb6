package pages

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// instances lists a project's instances with what each costs so far.
func (p *Pages) instances(c echo.Context) error {
	v, err := p.visit(c, "Instances", "instances")
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	list, err := p.Broker.Instances(ctx, v.who, v.scope())
	if err != nil {
		return err
	}
	bindings, err := p.Broker.Bindings(ctx, v.who, "", "", v.project.ID)
	if err != nil {
		return err
	}
	costs := p.costs(ctx, v)
	v.frame.Live = v.frame.Base() + "/events"
	page := look.Instances{Frame: v.frame, Costs: costs.known, Total: costs.sum(""), Command: command("sutler", "instances", "--org", v.org.Name, "--project", v.project.Name)}
	for _, i := range list {
		row := instanceRow(v.frame, i)
		row.Cost = costs.sum(i.ID)
		for _, b := range bindings {
			if b.Instance == i.ID && b.AppName != "" {
				row.Apps = append(row.Apps, b.AppName)
			}
		}
		page.Pending = page.Pending || pending(i.State)
		page.Rows = append(page.Rows, row)
	}
	return p.show(c, http.StatusOK, page)
}

// instanceRow is an instance in few words.
func instanceRow(f look.Frame, i broker.Instance) look.InstanceRow {
	return look.InstanceRow{
		ID: i.ID, Name: i.Name, URL: f.Base() + "/instances/" + i.Name, Kind: string(i.Kind), Offering: i.Offering, Plan: i.Plan,
		Provider: i.Provider, Region: i.Region, State: instanceChip(i), CreatedAt: i.CreatedAt, OfferingURL: f.Market() + "/" + i.Offering, Dashboard: i.DashboardURL,
	}
}

func instanceChip(i broker.Instance) look.Chip {
	c := stateChip(i.State)
	if i.State == broker.Ready && i.Health != "" {
		c = look.Chip{Tone: "care", Word: "ready, " + i.Health}
	}
	if i.State != broker.Ready || i.Health != "" {
		c.Note = strings.TrimSpace(i.Note + " " + i.HealthNote)
	}
	return c
}

func stateChip(s broker.State) look.Chip {
	tone := "note"
	switch s {
	case broker.Ready:
		tone = "good"
	case broker.Suspended:
		tone = "care"
	case broker.Failed:
		tone = "bad"
	case broker.Gone:
		tone = "off"
	}
	return look.Chip{Tone: tone, Word: string(s)}
}

func pending(s broker.State) bool {
	return s == broker.Creating || s == broker.Updating || s == broker.Deleting || s == broker.Expiring
}

// spending is what a project's instances cost so far this month.
type spending struct {
	known    bool
	currency string
	lines    []billing.Line
}

// costs asks the ledger, for those who may know. A ledger that does not answer takes only the numbers off the page.
func (p *Pages) costs(ctx context.Context, v visit) spending {
	if !v.can(identity.UsageRead) {
		return spending{}
	}
	lines, _, err := p.Ledger.Costs(ctx, v.who, v.scope())
	if err != nil {
		p.Log.LogAttrs(ctx, slog.LevelWarn, "costs", slog.String("project", v.project.ID), slog.Any("cause", err))
		return spending{}
	}
	return spending{true, v.frame.Currency, lines}
}

// sum adds the lines of an instance up, or all of them.
func (s spending) sum(instance string) string {
	total, found := money.Decimal{}, false
	for _, l := range s.lines {
		if instance != "" && l.Instance != instance {
			continue
		}
		amount, err := money.Parse(l.Amount)
		if err != nil {
			return ""
		}
		if total, err = total.Add(amount); err != nil {
			return ""
		}
		found = true
	}
	if !found {
		return ""
	}
	return look.Money(s.currency, total.String())
}
