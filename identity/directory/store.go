package directory

import (
	"context"

	"gorm.io/gorm"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/database"
)

// store is the directory's rows. Writes need the transaction of ctx.
type store struct{ db *database.DB }

// exec runs one statement and tells how many rows it changed.
func (s store) exec(ctx context.Context, sql string, args ...any) (int64, error) {
	r := s.db.From(ctx).Exec(sql, args...)
	return r.RowsAffected, r.Error
}

// first gives the first row, and whether there is one.
func first[T any](g *gorm.DB) (row T, found bool, err error) {
	var rows []T
	if err := g.Scan(&rows).Error; err != nil || len(rows) == 0 {
		return row, false, err
	}
	return rows[0], true, nil
}

// all gives every row.
func all[T any](g *gorm.DB) ([]T, error) {
	var rows []T
	err := g.Scan(&rows).Error
	return rows, err
}

func (s store) addOrg(ctx context.Context, o Org, now int64) (bool, error) {
	n, err := s.exec(ctx, `INSERT INTO orgs (id, name, title, account, created_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		o.ID, o.Name, o.Title, o.Account, now)
	return n == 1, err
}

func (s store) setAccount(ctx context.Context, org, account string) error {
	_, err := s.exec(ctx, `UPDATE orgs SET account = ? WHERE id = ?`, account, org)
	return err
}

// lockOrg makes the transactions that change one org's members follow each other.
func (s store) lockOrg(ctx context.Context, org string) error {
	_, err := s.exec(ctx, `UPDATE orgs SET id = id WHERE id = ?`, org)
	return err
}

func (s store) org(ctx context.Context, ref string) (Org, bool, error) {
	return first[Org](s.db.From(ctx).Raw(`SELECT id, name, title, account FROM orgs WHERE id = ? OR name = ?`, ref, ref))
}

func (s store) orgs(ctx context.Context) ([]Org, error) {
	return all[Org](s.db.From(ctx).Raw(`SELECT id, name, title, account FROM orgs ORDER BY name`))
}

func (s store) addProject(ctx context.Context, p Project, now int64) (bool, error) {
	n, err := s.exec(ctx, `INSERT INTO projects (id, org, name, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`, p.ID, p.Org, p.Name, now)
	return n == 1, err
}

// project finds by id (in org, when named), or by name in org.
func (s store) project(ctx context.Context, org, ref string) (Project, bool, error) {
	return first[Project](s.db.From(ctx).Raw(
		`SELECT id, org, name FROM projects WHERE (id = ? AND (org = ? OR ? = '')) OR (name = ? AND org = ?)`, ref, org, org, ref, org))
}

func (s store) projects(ctx context.Context, org string) ([]Project, error) {
	return all[Project](s.db.From(ctx).Raw(`SELECT id, org, name FROM projects WHERE org = ? ORDER BY name`, org))
}

func (s store) addApp(ctx context.Context, a App, external string, now int64) (bool, error) {
	n, err := s.exec(ctx, `INSERT INTO apps (id, org, project, name, external, created_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		a.ID, a.Org, a.Project, a.Name, external, now)
	return n == 1, err
}

// app finds by id (in project, when named), or by name in project.
func (s store) app(ctx context.Context, project, ref string) (App, bool, error) {
	return first[App](s.db.From(ctx).Raw(
		`SELECT id, org, project, name FROM apps WHERE (id = ? AND (project = ? OR ? = '')) OR (name = ? AND project = ?)`,
		ref, project, project, ref, project))
}

func (s store) appByExternal(ctx context.Context, project, external string) (App, bool, error) {
	return first[App](s.db.From(ctx).Raw(`SELECT id, org, project, name FROM apps WHERE project = ? AND external = ?`, project, external))
}

func (s store) apps(ctx context.Context, project string) ([]App, error) {
	return all[App](s.db.From(ctx).Raw(`SELECT id, org, project, name FROM apps WHERE project = ? ORDER BY name`, project))
}

func (s store) tenancy(ctx context.Context, sc identity.Scope) (identity.Tenancy, bool, error) {
	type row struct{ Account, OrgName, ProjectName, AppName string }
	r, found, err := first[row](s.db.From(ctx).Raw(`SELECT o.account, o.name AS org_name, COALESCE(p.name, '') AS project_name, COALESCE(a.name, '') AS app_name
		FROM orgs o LEFT JOIN projects p ON p.org = o.id AND p.id = ? LEFT JOIN apps a ON a.project = p.id AND a.id = ?
		WHERE o.id = ?`, sc.Project, sc.App, sc.Org))
	found = found && (sc.Project == "") == (r.ProjectName == "") && (sc.App == "") == (r.AppName == "")
	return identity.Tenancy{Scope: sc, Account: r.Account, OrgName: r.OrgName, ProjectName: r.ProjectName, AppName: r.AppName}, found, err
}
