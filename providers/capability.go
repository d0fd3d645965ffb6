package providers

// Capability is something only some drivers can do. The word completes "it has no way to …".
type Capability string

// The capabilities, one for each optional interface of driver.go.
const (
	Updates       Capability = "change the plan or the parameters of an instance" // Updater
	Meters        Capability = "read what an instance uses"                       // Metered
	Suspends      Capability = "suspend an instance"                              // Suspender
	Inspects      Capability = "look at an instance"                              // Inspector
	Probes        Capability = "be probed"                                        // Prober
	Targets       Capability = "be measured for latency"                          // Targeter
	HasDashboards Capability = "show a page for an instance"                      // Dashboarder
	Watches       Capability = "watch the limits of an instance"                  // Watcher
	BacksUp       Capability = "back up an instance"                              // Backuper
	Counts        Capability = "count what an instance holds"                     // Counter
	Expires       Capability = "let what it holds expire"                         // Expirer
	Lists         Capability = "list what it made"                                // Lister
)

// Verbs are the names under which calls of this driver are logged and counted.
func (p *Provider) Verbs() []string {
	list := []string{"provision", "deprovision", "bind", "unbind"}
	for _, of := range []struct {
		can   Capability
		verbs []string
	}{
		{Updates, []string{"update"}},
		{Meters, []string{"read"}},
		{Suspends, []string{"suspend", "resume"}},
		{Inspects, []string{"inspect"}},
		{Targets, []string{"name a target"}},
		{Watches, []string{"watch"}},
		{BacksUp, []string{"backup", "restore"}},
		{Counts, []string{"count"}},
		{Lists, []string{"list"}},
	} {
		if p.Can(of.can) {
			list = append(list, of.verbs...)
		}
	}
	return list
}

// Can tells whether the driver has a capability.
func (p *Provider) Can(c Capability) bool {
	var ok bool
	switch c {
	case Updates:
		_, ok = p.driver.(Updater)
	case Meters:
		_, ok = p.driver.(Metered)
	case Suspends:
		_, ok = p.driver.(Suspender)
	case Inspects:
		_, ok = p.driver.(Inspector)
	case Probes:
		_, ok = p.driver.(Prober)
	case Targets:
		_, ok = p.driver.(Targeter)
	case HasDashboards:
		_, ok = p.driver.(Dashboarder)
	case Watches:
		_, ok = p.driver.(Watcher)
	case BacksUp:
		_, ok = p.driver.(Backuper)
	case Counts:
		_, ok = p.driver.(Counter)
	case Expires:
		_, ok = p.driver.(Expirer)
	case Lists:
		_, ok = p.driver.(Lister)
	}
	return ok
}
