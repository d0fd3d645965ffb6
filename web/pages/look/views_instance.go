package look

import "time"

// Instances is a project's list.
type Instances struct {
	Frame
	Rows    []InstanceRow
	Costs   bool // may see what they cost
	Total   string
	Command Command
}

// Template names the page's template.
func (Instances) Template() string { return "instances" }

// InstanceRow is one instance in few words.
type InstanceRow struct {
	ID, Name, URL, Kind    string
	Offering, Plan         string
	Provider, Region       string
	State                  Chip
	Apps                   []string
	Cost                   string
	CreatedAt              time.Time
	OfferingURL, Dashboard string
}

// Instance is one instance with all that belongs to it.
type Instance struct {
	Frame
	Row       InstanceRow
	Sold      string // the offering's title
	Note      string
	Steps     []Step
	Bindings  []BindingRow
	App       Field
	Alias     Field
	CanBind   bool
	WhyNot    string // why it cannot be bound now
	Write     bool   // may change it
	Limits    []Limit
	Usage     []Measure
	Costs     bool
	Confirm   Field
	Problems  []string
	Commands  []Command
	Health    *Health // nil: it is well
	Move      *Move   // nil: it is not being moved
	Turn      *Turn   // nil: it cannot be suspended
	Change    *PlanChange
	Backups   BackupTable
	BackUp    bool // it can be backed up
	More      int  // backups that are not in the table
	AllURL    string
	Consumers ConsumerTable
}

// Template names the page's template.
func (Instance) Template() string { return "instance" }

// Step is something that happened.
type Step struct {
	Text, Note string
	Tone       string // good care bad note
	At         time.Time
}

// BindingRow is an app's access, with its credentials masked unless somebody just revealed them.
type BindingRow struct {
	ID, App, AppURL, Alias string
	State                  Chip
	CreatedAt, ExpiresAt   time.Time
	Successor              string // id of the binding that takes its place
	Ready, CanReveal       bool
	CanRotate              bool
	Distance, Slower       string // how far the backend is from the app: "p50 1.2ms, p95 3ms"; how far it was when that got clearly worse
	Revealed               bool
	Values                 []Variable
	Dotenv                 string // all values as a .env file, once revealed
}

// Measure is a metric's sum.
type Measure struct{ Instance, Name, Quantity, Unit string }

// Apps is a project's list of apps.
type Apps struct {
	Frame
	Rows    []AppRow
	Name    Field
	Write   bool
	Command Command
}

// Template names the page's template.
func (Apps) Template() string { return "apps" }

// AppRow is one app in few words.
type AppRow struct {
	Name, URL string
	Uses      []string
}

// App is one app: what it is bound to, and the environment that results.
type App struct {
	Frame
	Name      string
	Bindings  []AppBinding
	Variables []Variable
	CanReveal bool
	Revealed  bool
	Dotenv    string // all variables as a .env file, once revealed
	Consumers ConsumerTable
	Commands  []Command
}

// Template names the page's template.
func (App) Template() string { return "app" }

// AppBinding is a binding seen from its app.
type AppBinding struct {
	Alias, Instance, URL, Kind string
	State                      Chip
	CreatedAt                  time.Time
}
