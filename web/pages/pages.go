package pages

import (
	"log/slog"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/internal/audit"
	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// Deps are the rooms that pages show.
type Deps struct {
	Broker    *broker.Broker
	Ledger    *billing.Ledger
	Directory *directory.Directory
	Audit     *audit.Log  // nil: there is no audit page
	Clock     clock.Clock // the market's
	Log       *slog.Logger
	Dev       bool // a market to play with: pages say so
}

// Pages answers browsers.
type Pages struct {
	Deps
	look *look.Renderer
}

// New parses every template; one that is wrong is an error now and not at a click.
func New(d Deps) (*Pages, error) {
	r, err := look.New()
	if err != nil {
		return nil, err
	}
	return &Pages{d, r}, nil
}

// Mount registers the pages' routes. Who is asking is put into each request's context by the front door.
func (p *Pages) Mount(e *echo.Echo) {
	e.GET("/static/*", echo.WrapHandler(p.look.Files()))
	e.GET("/favicon.ico", echo.WrapHandler(p.look.Files()))
	e.GET("/signin", p.signin)
	for path, h := range map[string]echo.HandlerFunc{
		"/": p.home, "/marketplace": p.market, "/marketplace/:offering": p.offering,
		"/o/:org/:project/marketplace": p.market, "/o/:org/:project/marketplace/:offering": p.offering, "/o/:org/:project/marketplace/:offering/new": p.newInstance,
		"/o/:org/:project/instances": p.instances, "/o/:org/:project/instances/:instance": p.instance, "/o/:org/:project/events": p.events,
		"/o/:org/:project/backups": p.backups, "/o/:org/:project/backups/:backup": p.backup,
		"/o/:org/:project/apps": p.apps, "/o/:org/:project/apps/:app": p.app, "/o/:org/:project/usage": p.usage,
		"/billing/:org/invoices": p.invoices, "/billing/:org/invoices/preview": p.previewInvoice, "/billing/:org/invoices/:number": p.invoice,
		"/account": p.account, "/operator/providers": p.sellers, "/operator/platforms": p.platforms, "/operator/work": p.work, "/operator/audit": p.audit,
	} {
		e.GET(path, p.guard(h))
	}
	for path, h := range map[string]echo.HandlerFunc{
		"/o/:org/:project/marketplace/:offering/new":                    p.createInstance,
		"/o/:org/:project/instances/:instance/bind":                     p.bindInstance,
		"/o/:org/:project/instances/:instance/destroy":                  p.destroyInstance,
		"/o/:org/:project/instances/:instance/bindings/:binding/unbind": p.unbind,
		"/o/:org/:project/instances/:instance/bindings/:binding/reveal": p.revealBinding,
		"/o/:org/:project/instances/:instance/bindings/:binding/rotate": p.rotateBinding,
		"/o/:org/:project/instances/:instance/suspend":                  p.suspendInstance,
		"/o/:org/:project/instances/:instance/resume":                   p.resumeInstance,
		"/o/:org/:project/instances/:instance/plan":                     p.changePlan,
		"/o/:org/:project/instances/:instance/backups":                  p.backUp,
		"/o/:org/:project/instances/:instance/move/confirm":             p.confirmMove,
		"/o/:org/:project/instances/:instance/move/rollback":            p.rollBackMove,
		"/o/:org/:project/backups/:backup/restore":                      p.restoreBackup,
		"/o/:org/:project/backups/:backup/delete":                       p.deleteBackup,
		"/operator/providers/:provider/cordon":                          p.cordonProvider,
		"/operator/providers/:provider/uncordon":                        p.uncordonProvider,
		"/o/:org/:project/apps":                                         p.createApp,
		"/o/:org/:project/apps/:app/reveal":                             p.revealApp,
		"/billing/:org/invoices/:number/verify":                         p.verifyInvoice,
		"/account/tokens":                                               p.createToken,
		"/account/tokens/:token/revoke":                                 p.revokeToken,
	} {
		e.POST(path, p.guard(h))
	}
}
