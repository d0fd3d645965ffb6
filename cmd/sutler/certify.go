package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/suggest"
	"github.com/sutlerhq/sutler/providers/providertest"
)

// certificate is what `sutler provider certify` found out.
type certificate struct {
	Provider string        `json:"provider"`
	Driver   string        `json:"driver"`
	Region   string        `json:"region"`
	Offering string        `json:"offering"`
	Plan     string        `json:"plan"`
	Version  string        `json:"version"` // of the checks: the program's
	At       time.Time     `json:"at"`
	Passed   bool          `json:"passed"` // every check that applies
	Checks   []certified   `json:"checks"`
	Notes    []string      `json:"notes,omitempty"` // what could not be tried in full
	Left     []string      `json:"left,omitempty"`  // ids of instances that could not be removed
	took     time.Duration // by all checks
}

// certified is one line of the report.
type certified struct {
	Name    string  `json:"name"`
	What    string  `json:"what"`
	Result  string  `json:"result"` // passed, failed, not_offered
	TookMS  float64 `json:"took_ms"`
	Revoked *spread `json:"revoked_ms,omitempty"` // how long open connections lived after Unbind had returned
	Why     string  `json:"why,omitempty"`
}

// spread is a median, a worst and how many there were.
type spread struct {
	Median float64 `json:"median"`
	Worst  float64 `json:"worst"`
	N      int     `json:"n"`
}

func newProviderCertify(s *session) *cobra.Command {
	var path, plan string
	var timeout time.Duration
	c := reading(s, &cobra.Command{
		Use: "certify NAME", Short: "Run the conformance checks against a configured provider", Args: arguments("NAME"),
		Long: "Makes instances and bindings of its own at the provider that a configuration describes, checks what every driver must do, and removes\n" +
			"them again, when it is interrupted, too. It asks no market and touches nothing that it did not make. What keeps its backends in a folder\n" +
			"of this machine is certified in a folder of its own. It ends with 8 when a check fails.",
		Example: "  sutler provider certify pg-eu --config /etc/sutler/sutler.yaml\n  sutler provider certify pg-eu --plan postgresql:small --json > report.json",
		RunE: func(c *cobra.Command, args []string) error {
			configured, _, err := loadConfig(path)
			if err != nil {
				return err
			}
			return s.certify(c.Context(), configured, args[0], plan, timeout)
		},
	})
	c.Flags().StringVar(&path, "config", "sutler.yaml", "the market's configuration")
	c.Flags().StringVar(&plan, "plan", "", "PLAN or OFFERING:PLAN to make instances of (default: the first that can be bound)")
	c.Flags().DurationVar(&timeout, "timeout", 2*time.Minute, "for one check")
	return c
}

func (s *session) certify(ctx context.Context, c config, name, plan string, timeout time.Duration) error {
	w, err := openWorkbench(ctx, c, name, plan)
	if err != nil {
		return err
	}
	defer w.close()
	found := w.report
	for _, check := range providertest.Checks() {
		if ctx.Err() != nil {
			break
		}
		one, cancel := context.WithTimeout(ctx, timeout)
		r := check.Try(one, w.harness)
		cancel()
		found.add(r)
		if s.talking() {
			s.say("%-26s %s", r.Name, found.Checks[len(found.Checks)-1].Result)
		}
	}
	if !found.Passed || ctx.Err() != nil {
		found.Left = w.sweep(context.WithoutCancel(ctx))
	}
	if ctx.Err() != nil {
		s.say("Interrupted. %s", left(found.Left))
		return childExit(exitInterrupted)
	}
	if err := s.showCertificate(found); err != nil || found.Passed {
		return err
	}
	return fault.ProviderFailed.Errorf("%s does not do everything that a driver must. %s", name, left(found.Left))
}

func left(ids []string) string {
	if len(ids) == 0 {
		return "What was made is removed."
	}
	return "These could not be removed: " + strings.Join(ids, ", ") + "."
}

func (c *certificate) add(r providertest.Result) {
	line := certified{Name: r.Name, What: r.What, Result: "passed", TookMS: milliseconds(r.Took), Revoked: spreadOf(r.Revoked)}
	switch {
	case r.Err != nil:
		line.Result, line.Why, c.Passed = "failed", r.Err.Error(), false
	case r.NotOffered != "":
		line.Result, line.Why = "not_offered", r.NotOffered
	}
	c.Checks = append(c.Checks, line)
	c.took += r.Took
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func spreadOf(list []time.Duration) *spread {
	if len(list) == 0 {
		return nil
	}
	list = slices.Sorted(slices.Values(list))
	return &spread{Median: milliseconds(list[len(list)/2]), Worst: milliseconds(list[len(list)-1]), N: len(list)}
}

// showCertificate writes the report, for programs or for people.
func (s *session) showCertificate(c certificate) error {
	if done, err := s.data(c); done {
		return err
	}
	err := list(s, c.Checks, "",
		column[certified]{title: "Check", cell: func(l certified) string { return l.Name }},
		column[certified]{title: "Result", cell: func(l certified) string { return strings.ReplaceAll(l.Result, "_", " ") }},
		column[certified]{title: "Took", cell: func(l certified) string { return fmt.Sprintf("%.0f ms", l.TookMS) }, right: true},
		column[certified]{title: "Revoked within", cell: func(l certified) string {
			if l.Revoked == nil {
				return ""
			}
			return fmt.Sprintf("%.1f ms", l.Revoked.Worst)
		}, right: true},
		column[certified]{title: "Why", cell: func(l certified) string { return l.Why }, prose: true},
		column[certified]{title: "What", cell: func(l certified) string { return l.What }, prose: true, wide: true},
	)
	for _, note := range c.Notes {
		s.say("Note: %s", note)
	}
	s.say("%s (%s, %s:%s): %s in %s.", c.Provider, c.Driver, c.Offering, c.Plan, c.sum(), c.took.Round(time.Second))
	return err
}

func (c *certificate) sum() string {
	n := map[string]int{}
	for _, l := range c.Checks {
		n[l.Result]++
	}
	return fmt.Sprintf("%d passed, %d failed, %d not offered", n["passed"], n["failed"], n["not_offered"])
}

// provider finds a provider of the configuration.
func (c *config) provider(name string) (providerConfig, error) {
	var names []string
	for _, p := range c.Providers {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return providerConfig{}, fault.NotFound.Errorf("The configuration names no provider %q.%s", name, suggest.DidYouMean(name, names)).
		WithHint("It names %s.", strings.Join(names, ", "))
}

// planned finds PLAN or OFFERING:PLAN in what a driver sells; without a word the first that can be bound.
func planned(sold []catalog.Offering, word string) (catalog.Offering, catalog.Plan, error) {
	for _, o := range sold {
		for _, p := range o.Plans {
			if p.Bindable && slices.Contains([]string{"", p.Name, o.Name + ":" + p.Name}, word) {
				return o, p, nil
			}
		}
	}
	return catalog.Offering{}, catalog.Plan{}, fault.NotFound.Errorf("The driver sells no plan %q that can be bound.", word).
		WithHint("Its own names count here, not those that the configuration gives.")
}

// other is a plan that an instance of p can be changed to.
func other(o catalog.Offering, p catalog.Plan) (next catalog.Plan) {
	for _, q := range o.Plans {
		if q.Name != p.Name && q.Bindable && !q.Async && (len(p.Targets) == 0 || slices.Contains(p.Targets, q.Name)) && o.Updatable && p.Updatable {
			return q
		}
	}
	return next
}
