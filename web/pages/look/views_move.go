package look

// Move is an instance's move, seen from one of its two halves.
type Move struct {
	URL      string // of the instance whose page it is on
	Title    string
	State    Chip
	Text     string // what it means now, and what comes next
	Note     string // what failed
	From, To string // providers
	Stages   []Stage
	Counts   []Count
	Same     int // counts that are the same at both and not listed
	Other    Half
	Confirm  *Check // nil: it cannot be confirmed here
	Back     *Return
	Commands []Command
}

// Stage is one part of the way: done, under way or to come.
type Stage struct {
	Text, Note string
	Tone       string // good, note while it is under way, bad, off when it is to come
}

// Count is what both halves hold of something.
type Count struct {
	Name, Old, New string
	Differs        bool
}

// Half is the other instance of a move; without an address it is gone.
type Half struct{ Name, URL string }

// Return is the form that takes a move back.
type Return struct {
	Verb string
	Text string // what is lost
	Name *Field // the name is typed when something is lost; otherwise
	Sure *Check // this is ticked
}
