package client

import "time"

// Org is a tenant.
type Org struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Title   string `json:"title"`
	Account string `json:"account"` // id of who pays
}

// NewOrg asks for an org. Without an account one is opened, in Currency.
type NewOrg struct {
	Name     string `json:"name" minLength:"1"`
	Title    string `json:"title,omitempty"`
	Account  string `json:"account,omitempty"`
	Currency string `json:"currency,omitempty" doc:"ISO 4217; EUR when empty."`
	Owner    string `json:"owner,omitempty" doc:"Email of its first owner, who is made known when new; you when empty."`
}

// Project is a space in an org.
type Project struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Org  string `json:"org"` // name
}

// NewProject asks for a project.
type NewProject struct {
	Name string `json:"name" minLength:"1"`
	Org  string `json:"org,omitempty"`
}

// App is something that consumes backends.
type App struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Org     string `json:"org"`     // name
	Project string `json:"project"` // name
}

// NewApp asks for an app.
type NewApp struct {
	Name    string `json:"name" minLength:"1"`
	Org     string `json:"org,omitempty"`
	Project string `json:"project,omitempty"`
}

// Member is a person's role in an org or, when Project is given, in that project.
type Member struct {
	Email   string `json:"email"`
	Name    string `json:"name"`
	Role    string `json:"role"`
	Org     string `json:"org"`
	Project string `json:"project,omitempty"`
}

// NewMember gives a person a role; an empty role takes it away.
type NewMember struct {
	Email   string `json:"email" minLength:"3"`
	Role    string `json:"role" enum:"owner,admin,developer,billing,viewer,"`
	Org     string `json:"org,omitempty"`
	Project string `json:"project,omitempty" doc:"Empty: in the whole org."`
}

// Token is an API token. Secret is there once, when it was made.
type Token struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Actions   []string   `json:"actions"` // empty: all that the owner may
	CreatedAt time.Time  `json:"created_at"`
	LastUsed  *time.Time `json:"last_used"`
	ExpiresAt *time.Time `json:"expires_at"`
	Secret    string     `json:"secret,omitempty"`
}

// NewToken asks for an API token.
type NewToken struct {
	Name      string     `json:"name" minLength:"1"`
	Actions   []string   `json:"actions,omitempty" doc:"What it may be used for; all that you may when empty."`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// Platform is a registered Open Service Broker client. Password is there once, when it was made.
type Platform struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"` // its Basic user name
	Org         string     `json:"org"`
	Project     string     `json:"project"`
	Map         bool       `json:"map"` // its organisations and spaces become orgs and projects
	CreatedAt   time.Time  `json:"created_at"`
	FormerUntil *time.Time `json:"former_until,omitempty"` // until when the password before the last rotation is good
	Password    string     `json:"password,omitempty"`
}

// NewPlatform registers a platform for a project, or, with Map, for orgs and projects of its own under that org's account.
type NewPlatform struct {
	Name    string `json:"name" minLength:"1"`
	Org     string `json:"org,omitempty"`
	Project string `json:"project,omitempty"`
	Map     bool   `json:"map,omitempty" doc:"Each organisation and space of the platform becomes an org and a project on first sight."`
}

// Rotation says how long a platform's former password stays good beside the new one.
type Rotation struct {
	KeepSeconds int64 `json:"keep_seconds" minimum:"0" maximum:"2592000" doc:"0 ends it at once."`
}

// Provider is a configured seller of backends.
type Provider struct {
	Name      string   `json:"name"`
	Driver    string   `json:"driver"`
	Region    string   `json:"region"`
	Status    string   `json:"status"` // starting up down cordoned
	Note      string   `json:"note,omitempty"`
	Offerings []string `json:"offerings"` // names
	Instances int      `json:"instances"` // live ones
}

// Cordon lets a provider take no new instances.
type Cordon struct {
	Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"For people who want an instance there."`
}

// ProviderKey lets a provider report usage. It is shown once.
type ProviderKey struct {
	Provider string `json:"provider"`
	Secret   string `json:"secret"`
}

// Identity is who the market takes the caller for.
type Identity struct {
	Kind    string  `json:"kind"` // person, platform, provider
	ID      string  `json:"id"`
	Name    string  `json:"name"`
	Email   string  `json:"email,omitempty"`
	Grants  []Grant `json:"grants"`
	Limited bool    `json:"limited"` // a token that allows only Actions

	Actions []string `json:"actions,omitempty"`
}

// Grant is a role in the market (no org), an org, or a project.
type Grant struct {
	Role    string `json:"role"`
	Org     string `json:"org,omitempty"`
	Project string `json:"project,omitempty"`
}
