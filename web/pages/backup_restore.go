package pages

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/pages/look"
	"github.com/sutlerhq/sutler/web/problem"
)

// restoreBackup orders a new instance with a backup's data. Nothing that exists is written over.
func (p *Pages) restoreBackup(c echo.Context) error {
	v, b, err := p.visitBackup(c)
	if err != nil {
		return err
	}
	seller, plan, ok := strings.Cut(c.FormValue("to"), ":")
	if !ok || seller == "" {
		return p.backupAgain(c, http.StatusBadRequest, func(page *look.Backup) {
			page.WhereBad = "Choose where it shall live. Nothing was restored."
		})
	}
	made, _, err := p.Broker.Restore(c.Request().Context(), v.who, broker.RestoreOrder{
		Backup: b.ID, Name: c.FormValue("name"), Provider: seller, Plan: plan, Currency: v.frame.Currency,
	})
	if err != nil {
		return p.backupProblem(c, err)
	}
	return c.Redirect(http.StatusSeeOther, v.frame.Base()+"/instances/"+made.Name+"?done=restore")
}

// deleteBackup ends a backup, once that was confirmed.
func (p *Pages) deleteBackup(c echo.Context) error {
	v, b, err := p.visitBackup(c)
	if err != nil {
		return err
	}
	if c.FormValue("confirm") != "yes" {
		return p.backupAgain(c, http.StatusBadRequest, func(page *look.Backup) { page.Delete.Error = "Tick this to confirm. Nothing was deleted." })
	}
	if err := p.Broker.DeleteBackup(c.Request().Context(), v.who, b.ID); err != nil {
		return p.backupProblem(c, err)
	}
	return c.Redirect(http.StatusSeeOther, v.frame.Base()+"/backups?done=unbackup")
}

// backupProblem shows the backup's page with what went wrong, when a person can do something about it there.
func (p *Pages) backupProblem(c echo.Context, err error) error {
	if !told(err) && fault.KindOf(err) != fault.NotFound {
		return err
	}
	return p.backupAgain(c, problem.Status(fault.KindOf(err)), func(page *look.Backup) {
		wrong, rest := wrongFields(err, "name")
		page.Name.Error, page.Problems = wrong["name"], rest
		kind := fault.KindOf(err)
		if page.Row.Ready && (kind == fault.Conflict || kind == fault.Invalid && len(fault.Of(err).Fields) == 0) { // the name is all that can be wrong or taken
			page.Name.Error, page.Problems = fault.Of(err).Text, []string{"Nothing was restored: another name is needed."}
		}
	})
}

// backupAgain shows the backup's page as the answer to a form, with nothing lost of what was typed.
func (p *Pages) backupAgain(c echo.Context, status int, change func(*look.Backup)) error {
	v, b, err := p.visitBackup(c)
	if err != nil {
		return err
	}
	typed, err := c.FormParams()
	if err != nil {
		return fault.Invalid.Wrap(err, "The form could not be read.")
	}
	page, err := p.backupPage(c.Request().Context(), v, b, typed)
	if err != nil {
		return err
	}
	change(&page)
	page.Pending = false // reloading would send the form again
	return p.show(c, status, page)
}
