package main

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/internal/fault"
)

// The demo's tenant. Everything in it may be changed; what was removed comes back at the next start.
const (
	devOrg      = "acme"
	devAccount  = "Acme Ltd"
	devProject  = "shop"
	devPlatform = "dev"
	devHuman    = "dev@example.com"
)

// demoPerson is somebody who may sign in to `sutler dev`.
type demoPerson struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	Role     string `json:"role"`
	Org      string `json:"org"`
	Project  string `json:"project,omitempty"`
}

// devSecrets are made at the first start and kept in the folder, so that they hold over restarts.
type devSecrets struct {
	Passwords map[string]string `json:"passwords"` // by email
	Server    string            `json:"server"`    // of the administrator of servers that dev starts
	Token     string            `json:"token"`
	Platform  string            `json:"platform"`
}

func demoPeople() []demoPerson {
	return []demoPerson{
		{Email: "ada@example.com", Role: string(identity.Owner), Org: devOrg},
		{Email: "grace@example.com", Role: string(identity.Developer), Org: devOrg, Project: devProject},
		{Email: "bill@example.com", Role: string(identity.BillingRole), Org: devOrg},
		{Email: "otto@example.com", Role: string(identity.Operator)},
	}
}

// readSecrets gives the folder's secrets, with a password for everybody who has none yet.
func readSecrets(f *folder) (devSecrets, error) {
	var s devSecrets
	if err := f.read("secrets.json", &s); err != nil {
		return s, err
	}
	if s.Passwords == nil {
		s.Passwords = map[string]string{}
	}
	for _, p := range append(demoPeople(), demoPerson{Email: devHuman}) {
		if s.Passwords[p.Email] == "" {
			s.Passwords[p.Email] = rand.Text()[:16]
		}
	}
	if s.Server == "" {
		s.Server = rand.Text()
	}
	return s, f.write("secrets.json", s)
}

// demo makes the demo's people, tenant, token and platform as far as they are not there.
type demo struct {
	directory *directory.Directory
	ledger    *billing.Ledger
	secrets   *devSecrets
	who       identity.Principal
}

func newDemo(d *directory.Directory, l *billing.Ledger, s *devSecrets) *demo {
	return &demo{d, l, s, identity.Principal{Kind: identity.System, Name: "dev"}}
}

// settle makes what is missing and gives the people with their passwords.
func (d *demo) settle(ctx context.Context) ([]demoPerson, error) {
	me, err := d.operator(ctx)
	if err != nil {
		return nil, err
	}
	org, project, err := d.tenant(ctx)
	if err != nil {
		return nil, err
	}
	people := demoPeople()
	for i := range people {
		people[i].Password = d.secrets.Passwords[people[i].Email]
		if err := d.person(ctx, people[i], org, project); err != nil {
			return nil, err
		}
	}
	if _, err := d.directory.SetMember(ctx, d.who, devHuman, identity.Owner, identity.Scope{Org: org.ID}); err != nil {
		return nil, err
	}
	if err := d.token(ctx, me); err != nil {
		return nil, err
	}
	return people, d.platform(ctx, org, project)
}

// operator is the human whose token the command line of `sutler dev` uses.
func (d *demo) operator(ctx context.Context) (directory.Human, error) {
	h, err := d.directory.Bootstrap(ctx, devHuman, "Dev", d.secrets.Passwords[devHuman])
	if fault.KindOf(err) == fault.Conflict {
		return d.directory.CheckPassword(ctx, devHuman, d.secrets.Passwords[devHuman])
	}
	return h, err
}

func (d *demo) tenant(ctx context.Context) (directory.Org, directory.Project, error) {
	org, err := d.directory.Org(ctx, d.who, devOrg)
	if errors.Is(err, fault.NotFound) {
		var account string
		if account, err = d.ledger.OpenAccount(ctx, devAccount, "EUR"); err == nil {
			org, err = d.directory.CreateOrg(ctx, d.who, devOrg, devAccount, account, "EUR")
		}
	}
	if err != nil {
		return org, directory.Project{}, err
	}
	project, err := d.directory.Project(ctx, d.who, org.ID, devProject)
	if errors.Is(err, fault.NotFound) {
		project, err = d.directory.CreateProject(ctx, d.who, org.ID, devProject)
	}
	return org, project, err
}

func (d *demo) person(ctx context.Context, p demoPerson, org directory.Org, project directory.Project) error {
	if p.Role == string(identity.Operator) {
		h, err := d.directory.SetOperator(ctx, d.who, p.Email, true)
		return errors.Join(err, d.password(ctx, h, p.Password))
	}
	scope := identity.Scope{Org: org.ID}
	if p.Project != "" {
		scope.Project = project.ID
	}
	m, err := d.directory.SetMember(ctx, d.who, p.Email, identity.Role(p.Role), scope)
	if err != nil {
		return err
	}
	return d.password(ctx, m.Human, p.Password)
}

// password sets one that does not hold yet; hashing it again at each start would cost the start its time.
func (d *demo) password(ctx context.Context, h directory.Human, password string) error {
	if h.ID == "" {
		return nil
	}
	if _, err := d.directory.CheckPassword(ctx, h.Email, password); err == nil {
		return nil
	}
	return d.directory.SetPassword(ctx, h.ID, password)
}

func (d *demo) token(ctx context.Context, me directory.Human) error {
	if d.secrets.Token != "" {
		if _, err := d.directory.ByToken(ctx, d.secrets.Token); err == nil {
			return nil
		}
	}
	who, err := d.directory.ByHuman(ctx, me.ID)
	if err != nil {
		return err
	}
	_, d.secrets.Token, err = d.directory.CreateToken(ctx, who, "sutler dev", nil, time.Time{})
	return err
}

func (d *demo) platform(ctx context.Context, org directory.Org, project directory.Project) error {
	if d.secrets.Platform != "" {
		if _, err := d.directory.ByPlatform(ctx, devPlatform, d.secrets.Platform); err == nil {
			return nil
		}
	}
	if err := d.directory.DeletePlatform(ctx, d.who, devPlatform); err != nil && !errors.Is(err, fault.NotFound) {
		return err
	}
	var err error
	_, d.secrets.Platform, err = d.directory.CreatePlatform(ctx, d.who, devPlatform, org.ID, project.ID)
	return err
}
