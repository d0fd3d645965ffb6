package look

import "time"

// SignIn is what somebody sees who is not signed in.
type SignIn struct {
	Frame
	Next string
}

// Template names the page's template.
func (SignIn) Template() string { return "signin" }

// Account is who one is and the tokens one has.
type Account struct {
	Frame
	Roles   []RoleRow
	Tokens  []TokenRow
	Name    Field
	Secret  string // of the token just made, shown once
	Made    string // its name
	Command Command
}

// Template names the page's template.
func (Account) Template() string { return "account" }

// RoleRow is a role and where it holds.
type RoleRow struct{ Role, Where string }

// TokenRow is an API token without its secret.
type TokenRow struct {
	ID, Name, Scope              string
	CreatedAt, LastUsed, Expires time.Time
}

// Sellers lists the market's providers.
type Sellers struct {
	Frame
	Rows     []SellerRow
	Problems []string
	Stuck    int // operations that need a person
	Command  Command
}

// Template names the page's template.
func (Sellers) Template() string { return "sellers" }

// SellerRow is one provider with what it sells.
type SellerRow struct {
	Name, Driver, Region string
	Status               Chip
	Live                 int      // instances
	Room                 string   // how many it takes at all, when that is known: "of 40"
	Offerings            []Choice // Value is the address, Label the name
	Cordoned             bool
	Reason               Field // of the cordon to set
}

// Platforms lists registered OSB clients.
type Platforms struct {
	Frame
	Rows    []PlatformRow
	Command Command
}

// Template names the page's template.
func (Platforms) Template() string { return "platforms" }

// PlatformRow is one platform.
type PlatformRow struct {
	Name, Org, Project string
	CreatedAt          time.Time
}

// Audit lists who did what.
type Audit struct {
	Frame
	Rows    []Deed
	Command Command
}

// Template names the page's template.
func (Audit) Template() string { return "audit" }

// Deed is one row of the audit trail.
type Deed struct {
	At                        time.Time
	Who, Kind, Action, Object string // Kind says what Who is: person, system, platform
	Notes                     []string
	Linked                    bool
}

// Failure is what is shown instead of a page.
type Failure struct {
	Frame
	Status     int
	Head, Text string
	Hint       string
	ID         string // the error's id in the log, when it was ours
	Fields     []Choice
	Back       string
}

// Template names the page's template.
func (Failure) Template() string { return "failure" }
