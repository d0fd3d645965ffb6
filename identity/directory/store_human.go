package directory

import (
	"context"

	"github.com/sutlerhq/sutler/identity"
)

type humanRow struct {
	ID, Email, Name, Password string
	Operator                  int64
}

func (r humanRow) human() Human {
	return Human{ID: r.ID, Email: r.Email, Name: r.Name, Operator: r.Operator == 1}
}

const humanColumns = `SELECT h.id, h.email, h.name, h.operator, h.password FROM humans h `

func (s store) humanWhere(ctx context.Context, where string, args ...any) (Human, bool, error) {
	r, found, err := first[humanRow](s.db.From(ctx).Raw(humanColumns+where, args...))
	return r.human(), found, err
}

func (s store) human(ctx context.Context, id string) (Human, bool, error) {
	return s.humanWhere(ctx, `WHERE h.id = ?`, id)
}

func (s store) humanByEmail(ctx context.Context, email string) (Human, bool, error) {
	return s.humanWhere(ctx, `WHERE h.email = ?`, email)
}

func (s store) humanByLink(ctx context.Context, issuer, subject string) (Human, bool, error) {
	return s.humanWhere(ctx, `JOIN human_links l ON l.human = h.id WHERE l.issuer = ? AND l.subject = ?`, issuer, subject)
}

func (s store) password(ctx context.Context, email string) (Human, string, error) {
	r, _, err := first[humanRow](s.db.From(ctx).Raw(humanColumns+`WHERE h.email = ?`, email))
	return r.human(), r.Password, err
}

// settled tells whether a human has a way to come in already.
func (s store) settled(ctx context.Context, human string) (bool, error) {
	_, found, err := s.humanWhere(ctx, `WHERE h.id = ? AND (h.password <> '' OR EXISTS (SELECT 1 FROM human_links l WHERE l.human = h.id))`, human)
	return found, err
}

func (s store) addHuman(ctx context.Context, h Human, now int64) error {
	_, err := s.exec(ctx, `INSERT INTO humans (id, email, name, operator, created_at) VALUES (?, ?, ?, 0, ?) ON CONFLICT DO NOTHING`,
		h.ID, h.Email, h.Name, now)
	return err
}

func (s store) settleHuman(ctx context.Context, h Human, password string) error {
	_, err := s.exec(ctx, `UPDATE humans SET name = ?, operator = ?, password = ? WHERE id = ?`, h.Name, bit(h.Operator), password, h.ID)
	return err
}

func (s store) link(ctx context.Context, issuer, subject string, h Human, now int64) error {
	if _, err := s.exec(ctx, `UPDATE humans SET name = ? WHERE id = ?`, h.Name, h.ID); err != nil {
		return err
	}
	_, err := s.exec(ctx, `INSERT INTO human_links (issuer, subject, human, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		issuer, subject, h.ID, now)
	return err
}

func (s store) setOperator(ctx context.Context, human string, operator bool) error {
	_, err := s.exec(ctx, `UPDATE humans SET operator = ? WHERE id = ?`, bit(operator), human)
	return err
}

func (s store) operators(ctx context.Context) (int64, error) {
	n, _, err := first[int64](s.db.From(ctx).Raw(`SELECT count(*) FROM humans WHERE operator = 1`))
	return n, err
}

// mark sets a named mark and tells whether it is new. Either way the row stays locked until the transaction ends.
func (s store) mark(ctx context.Context, name string, now int64) (bool, error) {
	n, err := s.exec(ctx, `INSERT INTO identity_marks (name, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING`, name, now)
	if err == nil && n == 0 {
		_, err = s.exec(ctx, `UPDATE identity_marks SET name = name WHERE name = ?`, name)
	}
	return n == 1, err
}

func (s store) grants(ctx context.Context, human string) ([]identity.Grant, error) {
	type row struct{ Org, Project, Role string }
	rows, err := all[row](s.db.From(ctx).Raw(`SELECT org, project, role FROM members WHERE human = ? ORDER BY org, project`, human))
	grants := make([]identity.Grant, 0, len(rows)+1)
	for _, r := range rows {
		grants = append(grants, identity.Grant{Role: identity.Role(r.Role), Scope: identity.Scope{Org: r.Org, Project: r.Project}})
	}
	return grants, err
}

func (s store) members(ctx context.Context, org string) ([]Member, error) {
	type row struct {
		ID, Email, Name, Project, Role string
		Operator                       int64
	}
	rows, err := all[row](s.db.From(ctx).Raw(`SELECT h.id, h.email, h.name, h.operator, m.project, m.role
		FROM members m JOIN humans h ON h.id = m.human WHERE m.org = ? ORDER BY h.email, m.project`, org))
	members := make([]Member, len(rows))
	for i, r := range rows {
		h := Human{ID: r.ID, Email: r.Email, Name: r.Name, Operator: r.Operator == 1}
		members[i] = Member{Human: h, Role: identity.Role(r.Role), Scope: identity.Scope{Org: org, Project: r.Project}}
	}
	return members, err
}

func (s store) roleOf(ctx context.Context, human string, sc identity.Scope) (identity.Role, error) {
	role, _, err := first[string](s.db.From(ctx).Raw(`SELECT role FROM members WHERE human = ? AND org = ? AND project = ?`, human, sc.Org, sc.Project))
	return identity.Role(role), err
}

func (s store) owners(ctx context.Context, org string) (int64, error) {
	n, _, err := first[int64](s.db.From(ctx).Raw(`SELECT count(*) FROM members WHERE org = ? AND project = '' AND role = ?`, org, string(identity.Owner)))
	return n, err
}

func (s store) membersOf(ctx context.Context, org string) (int64, error) {
	n, _, err := first[int64](s.db.From(ctx).Raw(`SELECT count(*) FROM members WHERE org = ?`, org))
	return n, err
}

// setMember gives a role, or takes it away when it is empty.
func (s store) setMember(ctx context.Context, human string, sc identity.Scope, role identity.Role, now int64) error {
	if role == "" {
		_, err := s.exec(ctx, `DELETE FROM members WHERE human = ? AND org = ? AND project = ?`, human, sc.Org, sc.Project)
		return err
	}
	_, err := s.exec(ctx, `INSERT INTO members (human, org, project, role, created_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (human, org, project) DO UPDATE SET role = excluded.role`, human, sc.Org, sc.Project, string(role), now)
	return err
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
