package look

import "time"

// Health is what is wrong with an instance beside its state.
type Health struct {
	Word string // degraded, over limit
	Note string
	Over []Overrun
	Due  time.Time // it is suspended then unless it is within its plan again; zero: it is not due
}

// Overrun is a limit that an instance has passed.
type Overrun struct {
	Name, Used, Allowed string
	Held                bool // the backend holds the limit itself
}

// Hold is one reason why an instance is suspended.
type Hold struct {
	Who, Why string
	Since    time.Time
}

// Turn is the form that suspends an instance or lets it in again.
type Turn struct {
	Verb    string // suspend or resume
	Holds   []Hold
	Why     Field
	Confirm Check
}

// Check is a box that is ticked to confirm.
type Check struct {
	Name, Label, Error string
	On                 bool
}

// PlanChange is the form that puts an instance on another plan.
type PlanChange struct {
	Now     string // the plan it is on
	Price   Price
	Choices []PlanChoice
	Error   string
	WhyNot  string // why it cannot be changed now
	Command Command
}

// BackupTable is a list of backups.
type BackupTable struct {
	Now   time.Time
	Rows  []BackupRow
	Named bool // says which instance each is of
}

// BackupRow is one backup in few words.
type BackupRow struct {
	ID, URL, Instance, InstanceURL string
	Kind, Offering, Plan, Provider string
	State                          Chip
	Size                           string
	CreatedAt                      time.Time
	Ready                          bool
}

// Backups is a project's list, or that of one instance.
type Backups struct {
	Frame
	Table    BackupTable
	Instance string // of this one alone
	AllURL   string // of all instances, when one is chosen
	Command  Command
}

// Template names the page's template.
func (Backups) Template() string { return "backups" }

// Backup is one backup, with the form that fills a new instance from it.
type Backup struct {
	Frame
	Row      BackupRow
	Note     string
	Counts   []Limit // what was in it, by name
	Write    bool
	Problems []string
	Name     Field
	Where    []PlaceChoice
	WhereBad string
	Delete   Check
	Commands []Command
}

// Template names the page's template.
func (Backup) Template() string { return "backup" }

// PlaceChoice is a provider and plan where a backup can be restored.
type PlaceChoice struct {
	Value, Title, Region string
	Price                Price
	Limits               []Limit
	Same                 bool // where it was
	On                   bool
}

// ConsumerTable is a list of running processes. Their times are the wall's, not the market's.
type ConsumerTable struct {
	Now   time.Time
	Rows  []ConsumerRow
	Named bool // says which app each is of
}

// ConsumerRow is one running process of an app.
type ConsumerRow struct {
	App, AppURL, Host string
	State             Chip
	StartedAt, SeenAt time.Time
}
