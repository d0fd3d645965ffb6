package failpoint

// Point is a place in the program.
type Point struct {
	Name  string // "broker.bind.sealed": room, verb (or kind of task), stage
	When  string // what has happened before it, and what has not
	Fails bool   // "error" may be set here; elsewhere nobody could hear it
}

// stage is a place that every verb of its room passes, or only those that are named.
type stage struct {
	name  string
	when  string
	fails bool
	verbs []string // empty: all
}

// verbs of broker's operations.
func verbs() []string {
	return []string{"provision", "update", "bind", "rotate", "unbind", "suspend", "resume", "deprovision"}
}

func brokerStages() []stage {
	return []stage{
		{name: "inherited", when: "the binding before has given its alias away, in the transaction of the intent", fails: true, verbs: []string{"rotate"}},
		{name: "accepting", when: "the intent is written, its transaction has not committed", fails: true},
		{name: "accepted", when: "the intent has committed, nobody has been told"},
		{name: "stopped", when: "the charge has ended, in the transaction of the intent", fails: true, verbs: []string{"deprovision"}},
		{name: "calling", when: "the provider is about to be called", fails: true},
		{name: "filling", when: "an instance was made and is to be filled with a copy; nothing is in it yet", fails: true, verbs: []string{"provision"}},
		{name: "called", when: "the provider has answered, nothing of it is kept", fails: true},
		{name: "keeping", when: "the driver's state is written, the operation's is not; the transaction is open", fails: true},
		{name: "charged", when: "the charge has begun or changed, the instance's state has not; the transaction is open", fails: true, verbs: []string{"provision", "update", "suspend", "resume"}},
		{name: "sealed", when: "the credentials are sealed, the operation has not ended; the transaction is open", fails: true, verbs: []string{"bind", "rotate"}},
		{name: "expiring", when: "the credentials before are to end later and the work that revokes them is planned; the transaction is open", fails: true, verbs: []string{"rotate"}},
		{name: "settling", when: "all that a step came to is written, the transaction has not committed", fails: true},
		{name: "settled", when: "what a step came to has committed"},
	}
}

// backupStages are those of copying an instance's data into the vault.
func backupStages() []stage {
	return []stage{
		{name: "accepting", when: "the backup is written down, its transaction has not committed", fails: true},
		{name: "accepted", when: "the backup is to be made, nobody has been told"},
		{name: "calling", when: "the vault is about to be written to", fails: true},
		{name: "streamed", when: "the provider has given its last byte, the vault has not finished its file", fails: true},
		{name: "called", when: "the vault has the copy, nothing of it is kept", fails: true},
		{name: "settling", when: "what the copy came to is written, the transaction has not committed", fails: true},
		{name: "settled", when: "what the copy came to has committed"},
	}
}

// moveStages are those of an instance's way to another provider or plan. A move turns four times before it is made (suspending, copying, binding,
// moved), and once when it is taken back: the places of a turn are passed as often.
func moveStages() []stage {
	return []stage{
		{name: "accepting", when: "the new instance and the move are written down, their transaction has not committed", fails: true},
		{name: "accepted", when: "the move has committed, nobody has been told"},
		{name: "turning", when: "the next state of a move can come about, nothing of it is written", fails: true},
		{name: "settling", when: "the next state is written with all that it begins with (at the switch: names and aliases), the transaction has not committed", fails: true},
		{name: "settled", when: "the next state has committed"},
		{name: "counted", when: "what the old instance holds was counted, nothing is copied", fails: true},
		{name: "streamed", when: "the new instance has taken the last byte in, nothing was compared", fails: true},
		{name: "compared", when: "old and new hold the same, nobody has been told", fails: true},
		{name: "confirming", when: "the end of the old instance and of the move are written, the transaction has not committed", fails: true},
		{name: "confirmed", when: "the end of the move has committed, the old instance is still there"},
		{name: "returning", when: "names and aliases are the old instance's again and the new one's end is written, the transaction has not committed", fails: true},
		{name: "returned", when: "the way back has committed, the new instance is still there"},
	}
}

func taskStages() []stage {
	return []stage{
		{name: "claimed", when: "a worker has the lease and has done nothing yet"},
		{name: "ending", when: "the work is done, the task's end is not written"},
		{name: "ended", when: "the task's end has committed"},
	}
}

// Points lists every place there is: those of an operation's life in their order, then the store's own.
func Points() (list []Point) {
	for _, verb := range verbs() {
		for _, s := range brokerStages() {
			if s.has(verb) {
				list = append(list, Point{"broker." + verb + "." + s.name, s.when, s.fails})
			}
		}
	}
	for _, s := range backupStages() {
		list = append(list, Point{"broker.backup." + s.name, s.when, s.fails})
	}
	for _, s := range moveStages() {
		list = append(list, Point{"broker.move." + s.name, s.when, s.fails})
	}
	for _, kind := range []string{"operation", "backup", "move"} {
		for _, s := range taskStages() {
			list = append(list, Point{"tasks." + kind + "." + s.name, s.when, s.fails})
		}
	}
	return append(list, Point{"schema.migration.recording", "all statements of a migration have run, its number is not written; the transaction is open", true})
}

func (s stage) has(verb string) bool {
	for _, v := range s.verbs {
		if v == verb {
			return true
		}
	}
	return len(s.verbs) == 0
}
