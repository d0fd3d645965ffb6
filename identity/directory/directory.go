// Package directory keeps who there is: orgs (each names the account that pays), projects, apps, people, memberships, tokens, platforms.
//
// It owns those rows, the hashing of what must never be read back, and the answer to "whose secret is this". It does not own the rule
// (identity.Can), sessions (web), sign-in (signin, issuer) or accounts themselves (billing).
package directory

import (
	"context"
	"time"

	"github.com/sutlerhq/sutler/identity"
)

// Org is a tenant.
type Org struct{ ID, Name, Title, Account string }

// Project is a space in an org.
type Project struct{ ID, Org, Name string }

// App is something that consumes backends.
type App struct{ ID, Org, Project, Name string }

// Human is a person that may sign in. (Person is a kind of principal.)
type Human struct {
	ID, Email, Name string
	Operator        bool
}

// Member is a human's role in an org or a project.
type Member struct {
	Human Human
	Role  identity.Role
	Scope identity.Scope
}

// Token is an API token without its secret.
type Token struct {
	ID, Name, Owner     string            // owner: the human's id
	Actions             []identity.Action // empty: all that the owner may
	CreatedAt, LastUsed time.Time
	ExpiresAt           time.Time
}

// Platform is a registered OSB client.
type Platform struct {
	ID, Name  string // the name is its Basic user name
	Org       string // id: where its instances live
	Project   string
	CreatedAt time.Time
}

// Accounts is billing as the directory sees it: an org names an account.
type Accounts interface {
	OpenAccount(ctx context.Context, name, currency string) (id string, err error)
	LinkOrg(ctx context.Context, account, org string) error
}

// Directory is the room's front. Methods that take a principal ask identity.Can themselves; refs are ids or names.
type Directory struct{}

// CreateOrg makes an org, its account (in currency) unless one is named, and its first project "default". who becomes its owner when a person.
func (d *Directory) CreateOrg(ctx context.Context, who identity.Principal, name, title, account, currency string) (Org, error) {
	panic("unbuilt")
}

// Org finds one by id or name.
func (d *Directory) Org(ctx context.Context, who identity.Principal, ref string) (Org, error) {
	panic("unbuilt")
}

// Orgs lists those that who may see, by name.
func (d *Directory) Orgs(ctx context.Context, who identity.Principal) ([]Org, error) {
	panic("unbuilt")
}

// CreateProject makes a project in an org.
func (d *Directory) CreateProject(ctx context.Context, who identity.Principal, org, name string) (Project, error) {
	panic("unbuilt")
}

// Project finds one by id, or by name within an org.
func (d *Directory) Project(ctx context.Context, who identity.Principal, org, ref string) (Project, error) {
	panic("unbuilt")
}

// Projects lists an org's projects that who may see.
func (d *Directory) Projects(ctx context.Context, who identity.Principal, org string) ([]Project, error) {
	panic("unbuilt")
}

// CreateApp makes an app in a project.
func (d *Directory) CreateApp(ctx context.Context, who identity.Principal, project, name string) (App, error) {
	panic("unbuilt")
}

// App finds one by id, or by name within a project.
func (d *Directory) App(ctx context.Context, who identity.Principal, project, ref string) (App, error) {
	panic("unbuilt")
}

// Apps lists a project's apps.
func (d *Directory) Apps(ctx context.Context, who identity.Principal, project string) ([]App, error) {
	panic("unbuilt")
}

// Tenancy names a scope and the account that pays. It asks no permission: broker and billing use it for what was already allowed.
func (d *Directory) Tenancy(ctx context.Context, s identity.Scope) (identity.Tenancy, error) {
	panic("unbuilt")
}

// Members lists an org's members.
func (d *Directory) Members(ctx context.Context, who identity.Principal, org string) ([]Member, error) {
	panic("unbuilt")
}

// SetMember gives the human with this email a role in a scope, making the human when new; an empty role takes it away.
func (d *Directory) SetMember(ctx context.Context, who identity.Principal, email string, role identity.Role, s identity.Scope) (Member, error) {
	panic("unbuilt")
}

// CreateToken makes an API token for the human who asks and returns its secret, once. Its power is actions ∩ the owner's current roles.
func (d *Directory) CreateToken(ctx context.Context, who identity.Principal, name string, actions []identity.Action, expires time.Time) (Token, string, error) {
	panic("unbuilt")
}

// Tokens lists one's own.
func (d *Directory) Tokens(ctx context.Context, who identity.Principal) ([]Token, error) {
	panic("unbuilt")
}

// RevokeToken ends one of one's own.
func (d *Directory) RevokeToken(ctx context.Context, who identity.Principal, id string) error {
	panic("unbuilt")
}

// ByToken answers who a bearer secret belongs to, with current grants; fault.Unauthenticated otherwise.
func (d *Directory) ByToken(ctx context.Context, secret string) (identity.Principal, error) {
	panic("unbuilt")
}

// ByHuman gives the principal of a human, with current grants (sessions use it at every request).
func (d *Directory) ByHuman(ctx context.Context, id string) (identity.Principal, error) {
	panic("unbuilt")
}

// CreatePlatform registers an OSB client for a project and returns its password, once.
func (d *Directory) CreatePlatform(ctx context.Context, who identity.Principal, name, org, project string) (Platform, string, error) {
	panic("unbuilt")
}

// Platforms lists all.
func (d *Directory) Platforms(ctx context.Context, who identity.Principal) ([]Platform, error) {
	panic("unbuilt")
}

// DeletePlatform ends a platform's access; its instances stay.
func (d *Directory) DeletePlatform(ctx context.Context, who identity.Principal, ref string) error {
	panic("unbuilt")
}

// ByPlatform answers who Basic credentials belong to, in constant time; fault.Unauthenticated otherwise. The grant is developer on its project.
func (d *Directory) ByPlatform(ctx context.Context, name, password string) (identity.Principal, error) {
	panic("unbuilt")
}

// PlatformOf gives the platform behind a platform principal.
func (d *Directory) PlatformOf(ctx context.Context, who identity.Principal) (Platform, error) {
	panic("unbuilt")
}

// SignIn finds or makes the human behind (issuer, subject) and links them; email only matches a human made by invitation when verified.
func (d *Directory) SignIn(ctx context.Context, issuer, subject, email string, verified bool, name string) (Human, error) {
	panic("unbuilt")
}

// SetPassword gives a human of our own issuer a password (argon2id).
func (d *Directory) SetPassword(ctx context.Context, human, password string) error { panic("unbuilt") }

// CheckPassword answers which human this is; equal time for unknown emails; fault.Unauthenticated otherwise.
func (d *Directory) CheckPassword(ctx context.Context, email, password string) (Human, error) {
	panic("unbuilt")
}

// Bootstrap makes the first operator, once: fault.Conflict when there is one.
func (d *Directory) Bootstrap(ctx context.Context, email, name, password string) (Human, error) {
	panic("unbuilt")
}
