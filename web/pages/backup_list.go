package pages

import (
	"context"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// few is how many backups an instance's own page shows; the others stand on the project's list.
const few = 6

// backups lists a project's backups, of instances that are gone too; of one instance when the address names it.
func (p *Pages) backups(c echo.Context) error {
	v, err := p.visit(c, "Backups", "backups")
	if err != nil {
		return err
	}
	list, err := p.Broker.Backups(c.Request().Context(), v.who, v.scope(), "")
	if err != nil {
		return err
	}
	page := look.Backups{Frame: v.frame, Instance: c.QueryParam("instance"), Command: command("sutler", "backup", "list", "--org", v.org.Name, "--project", v.project.Name)}
	if page.Instance != "" {
		list = slices.DeleteFunc(list, func(b broker.Backup) bool { return b.InstanceName != page.Instance })
		page.AllURL, page.Command = v.frame.Base()+"/backups", command("sutler", "backup", "list", page.Instance, "--org", v.org.Name, "--project", v.project.Name)
	}
	page.Table = backupTable(v.frame, list)
	page.Table.Named, page.Pending = true, slices.ContainsFunc(list, copying)
	return p.show(c, http.StatusOK, page)
}

func copying(b broker.Backup) bool { return b.State == "creating" || b.State == "deleting" }

func backupTable(f look.Frame, list []broker.Backup) look.BackupTable {
	t := look.BackupTable{Now: f.Now}
	for _, b := range list {
		t.Rows = append(t.Rows, backupRow(f, b))
	}
	return t
}

func backupRow(f look.Frame, b broker.Backup) look.BackupRow {
	row := look.BackupRow{
		ID: b.ID, URL: f.Base() + "/backups/" + b.ID, Instance: b.InstanceName, InstanceURL: f.Base() + "/backups?instance=" + b.InstanceName,
		Kind: b.Kind, Offering: b.Offering, Plan: b.Plan, Provider: b.Provider, CreatedAt: b.CreatedAt, Ready: b.State == "ready", State: stateChip(broker.State(b.State)),
	}
	row.State.Note = b.Note
	if b.Bytes > 0 {
		row.Size = look.Bytes(b.Bytes)
	}
	return row
}

// instanceBackups fills the newest backups of an instance into its page.
func (p *Pages) instanceBackups(ctx context.Context, v visit, i broker.Instance, page *look.Instance) error {
	list, err := p.Broker.Backups(ctx, v.who, v.scope(), i.ID)
	if err != nil {
		return err
	}
	page.Pending = page.Pending || slices.ContainsFunc(list, copying)
	page.AllURL, page.More = v.frame.Base()+"/backups?instance="+i.Name, max(0, len(list)-few)
	page.Backups = backupTable(v.frame, list[:len(list)-page.More])
	return nil
}
