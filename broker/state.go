package broker

import "slices"

// next is the whole life of instances and bindings: from a state, the states that may follow it.
func next(from State) []State {
	switch from {
	case Creating:
		return []State{Ready, Failed, Deleting}
	case Ready:
		return []State{Updating, Suspended, Expiring, Deleting}
	case Updating:
		return []State{Ready, Suspended, Deleting}
	case Suspended:
		return []State{Ready, Updating, Deleting} // to a plan with room, when it is over a limit
	case Expiring, Failed:
		return []State{Deleting}
	case Deleting:
		return []State{Gone}
	}
	return nil // Gone is the end
}

// May tells whether a thing in state s may become t.
func (s State) May(t State) bool { return slices.Contains(next(s), t) }

// Live tells whether the thing still holds its name, its ids and a place at the provider.
func (s State) Live() bool { return s != Gone }

// The states of an operation as platforms know them.
const (
	inProgress = "in progress"
	succeeded  = "succeeded"
	failed     = "failed"
)

// The verbs of operations.
const (
	verbProvision   = "provision"
	verbUpdate      = "update"
	verbDeprovision = "deprovision"
	verbBind        = "bind"
	verbRotate      = "rotate" // a bind that takes the place of another
	verbUnbind      = "unbind"
	verbSuspend     = "suspend"
	verbResume      = "resume"
)

func verbs() []string {
	return []string{verbProvision, verbUpdate, verbDeprovision, verbBind, verbRotate, verbUnbind, verbSuspend, verbResume}
}
