package directory

import "context"

type platformRow struct {
	ID, Name, Org, Project, Hash string
	Mapped                       int64
	Former                       string
	FormerUntil, CreatedAt       int64
}

func (r platformRow) platform() Platform {
	return Platform{
		ID: r.ID, Name: r.Name, Org: r.Org, Project: r.Project, Mapped: r.Mapped == 1, CreatedAt: instant(r.CreatedAt), FormerUntil: instant(r.FormerUntil),
	}
}

const platformColumns = `SELECT id, name, org, project, hash, mapped, former, former_until, created_at FROM platforms `

func (s store) addPlatform(ctx context.Context, p Platform, hash string) (bool, error) {
	mapped := 0
	if p.Mapped {
		mapped = 1
	}
	n, err := s.exec(ctx, `INSERT INTO platforms (id, name, org, project, hash, mapped, created_at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		p.ID, p.Name, p.Org, p.Project, hash, mapped, p.CreatedAt.UnixMicro())
	return n == 1, err
}

// platform finds by id or name, with the hashes of its passwords.
func (s store) platform(ctx context.Context, ref string) (platformRow, bool, error) {
	return first[platformRow](s.db.From(ctx).Raw(platformColumns+`WHERE id = ? OR name = ?`, ref, ref))
}

func (s store) platforms(ctx context.Context) ([]Platform, error) {
	rows, err := all[platformRow](s.db.From(ctx).Raw(platformColumns + `ORDER BY name`))
	platforms := make([]Platform, len(rows))
	for i, r := range rows {
		platforms[i] = r.platform()
	}
	return platforms, err
}

// setPlatformHash gives a platform a new password; the one before it stays good until then (0: not at all).
func (s store) setPlatformHash(ctx context.Context, id, hash string, until int64) error {
	_, err := s.exec(ctx, `UPDATE platforms SET former = CASE WHEN CAST(? AS BIGINT) > 0 THEN hash ELSE '' END, former_until = ?, hash = ? WHERE id = ?`, until, until, hash, id)
	return err
}

func (s store) dropPlatform(ctx context.Context, id string) error {
	_, err := s.exec(ctx, `DELETE FROM platforms WHERE id = ?`, id)
	return err
}

// lockPlatform makes the transactions that settle a platform's places follow each other.
func (s store) lockPlatform(ctx context.Context, id string) error {
	_, err := s.exec(ctx, `UPDATE platforms SET id = id WHERE id = ?`, id)
	return err
}

func (s store) platformOrg(ctx context.Context, platform, external string) (Org, bool, error) {
	return first[Org](s.db.From(ctx).Raw(
		`SELECT o.id, o.name, o.title, o.account FROM platform_orgs m JOIN orgs o ON o.id = m.org WHERE m.platform = ? AND m.external = ?`, platform, external))
}

func (s store) addPlatformOrg(ctx context.Context, platform, external, org string, now int64) error {
	_, err := s.exec(ctx, `INSERT INTO platform_orgs (platform, external, org, created_at) VALUES (?, ?, ?, ?)`, platform, external, org, now)
	return err
}

func (s store) platformProject(ctx context.Context, platform, org, space string) (Project, bool, error) {
	return first[Project](s.db.From(ctx).Raw(`SELECT p.id, p.org, p.name FROM platform_projects m JOIN projects p ON p.id = m.project
		WHERE m.platform = ? AND m.external_org = ? AND m.external = ?`, platform, org, space))
}

func (s store) addPlatformProject(ctx context.Context, platform string, at Place, project string, now int64) error {
	_, err := s.exec(ctx, `INSERT INTO platform_projects (platform, external_org, external, project, created_at) VALUES (?, ?, ?, ?, ?)`,
		platform, at.Org, at.Space, project, now)
	return err
}

// platformHas tells whether a project is one that was made for a platform.
func (s store) platformHas(ctx context.Context, platform, project string) (bool, error) {
	_, found, err := first[string](s.db.From(ctx).Raw(`SELECT project FROM platform_projects WHERE platform = ? AND project = ?`, platform, project))
	return found, err
}
