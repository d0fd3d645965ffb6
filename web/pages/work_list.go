package pages

import (
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// work shows what needs a person, what fails and is tried again, and the latest operations.
func (p *Pages) work(c echo.Context) error {
	v, err := p.operator(c, identity.OperationRead, "Work", "work")
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	page := look.Work{Frame: v.frame, Command: "sutler operations --stuck"}
	stuck, err := p.Broker.Operations(ctx, v.who, true)
	if err != nil {
		return err
	}
	latest, err := p.Broker.Operations(ctx, v.who, false)
	if err != nil {
		return err
	}
	page.Stuck, page.Latest = look.WorkTable{Now: time.Now(), Rows: workRows(stuck)}, look.WorkTable{Now: time.Now(), Rows: workRows(latest)}
	queue, err := p.Broker.Queue(ctx, v.who)
	if err != nil {
		return err
	}
	page.Due = int(queue.Due)
	for _, o := range queue.Operations {
		if o.Stuck == "" { // those are above
			page.Failing = append(page.Failing, look.FailingRow{What: "operation " + o.Verb, Of: o.InstanceName, Note: o.Note, Attempts: o.Failures})
		}
	}
	for _, f := range queue.Failing {
		page.Failing = append(page.Failing, look.FailingRow{What: f.Kind, Of: f.Key, Note: f.Note, Attempts: f.Attempts})
	}
	months, err := p.Ledger.Unclosed(ctx, v.who)
	if err != nil {
		return err
	}
	for _, m := range months {
		page.Failing = append(page.Failing, look.FailingRow{What: "invoice of " + m.Month.From.Format("January 2006"), Of: m.Name, Note: m.Note})
	}
	return p.show(c, http.StatusOK, page)
}

func workRows(list []broker.Operation) (rows []look.WorkRow) {
	for _, o := range list {
		row := look.WorkRow{ID: o.ID, Instance: o.InstanceName, InstanceID: o.Instance, Verb: o.Verb, Note: o.Note, StartedAt: o.StartedAt}
		switch {
		case o.Stuck != "":
			row.State, row.Note = look.Chip{Tone: "bad", Word: "stuck"}, o.Stuck
		case o.State == "failed":
			row.State = look.Chip{Tone: "bad", Word: o.State}
		case o.State == "succeeded":
			row.State = look.Chip{Tone: "good", Word: o.State}
		default:
			row.State = look.Chip{Tone: "note", Word: o.State}
		}
		if o.Attempts > 1 && !o.Done() {
			row.Note = fmt.Sprintf("try %d: %s", o.Attempts, row.Note)
		}
		rows = append(rows, row)
	}
	return rows
}
