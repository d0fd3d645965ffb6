package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/client"
)

// upgradeRun is one `sutler upgrade --all`. It keeps nothing: each update is an operation of the market's, and what is still behind shows in the
// instances, so that a run that was broken off is gone on with by another.
type upgradeRun struct {
	*session
	api            *client.Client
	batch, most    int
	timeout        time.Duration
	rows           []upgradeRow
	failed, passed int
	cause          error // of the first failure
}

// upgradeRow is what became of one instance.
type upgradeRow struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Org      string `json:"org"`
	Project  string `json:"project"`
	Plan     string `json:"plan"`
	Provider string `json:"provider"`
	From     string `json:"from"`
	To       string `json:"to"`
	State    string `json:"state"` // planned, upgraded, failed, skipped (it could not be begun now), left (the run stopped before it)
	Note     string `json:"note,omitempty"`
}

func newUpgrade(s *session) *cobra.Command {
	var all, dry bool
	run := upgradeRun{session: s}
	c := &cobra.Command{
		Use: "upgrade --all", Short: "Bring every instance to its plan's maintenance version", Args: arguments(),
		Long: "Updates the instances whose plan has a newer maintenance version than they run: those of --org and --project, all that you see without them\n" +
			"(operators: the whole market). A batch is begun together and waited for before the next. After --max-failures failures nothing new is\n" +
			"begun; what has begun ends. Run it again to go on: what is up to date is left alone, and a running upgrade is waited for.",
		Example: "  sutler upgrade --all --dry-run\n  sutler upgrade --all --batch 20 --max-failures 3",
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case !all:
				return usagef("Nothing to upgrade was named.").next("Say --all; for one instance, sutler update NAME --maintenance.")
			case run.batch < 1 || run.most < 1:
				return usagef("--batch and --max-failures count from 1.")
			}
			var err error
			if run.api, err = s.connect(); err != nil {
				return err
			}
			if err = run.plan(c.Context()); err == nil && !dry && len(run.rows) > 0 {
				err = run.walk(c.Context())
			}
			if wrong := run.show(); wrong != nil {
				return wrong
			}
			return err
		},
	}
	f := c.Flags()
	f.BoolVar(&all, "all", false, "every instance that is behind")
	f.IntVar(&run.batch, "batch", 5, "how many at a time")
	f.IntVar(&run.most, "max-failures", 1, "after how many failures to stop")
	f.BoolVar(&dry, "dry-run", false, "show what would be upgraded, change nothing")
	f.DurationVar(&run.timeout, "timeout", 30*time.Minute, "how long to wait for one instance at most")
	return reading(s, c)
}

// plan finds what is behind, in the order of org, project and name.
func (u *upgradeRun) plan(ctx context.Context) error {
	list, err := u.api.Instances(ctx, u.place())
	if err != nil {
		return err
	}
	u.rows = []upgradeRow{}
	for _, i := range list {
		if i.Upgrade != "" && i.State != "deleting" && i.State != "failed" && i.State != "gone" {
			u.rows = append(u.rows, upgradeRow{
				ID: i.ID, Name: i.Name, Org: i.Org, Project: i.Project, Plan: i.Offering + ":" + i.Plan, Provider: i.Provider,
				From: i.Maintenance, To: i.Upgrade, State: "planned",
			})
		}
	}
	slices.SortFunc(u.rows, func(a, b upgradeRow) int {
		return slices.Compare([]string{a.Org, a.Project, a.Name, a.ID}, []string{b.Org, b.Project, b.Name, b.ID})
	})
	return nil
}

// walk upgrades batch by batch, until all is done or too much has failed.
func (u *upgradeRun) walk(ctx context.Context) error {
	for at := 0; at < len(u.rows) && u.failed < u.most; at += u.batch {
		end := min(at+u.batch, len(u.rows))
		u.say("Upgrading %d to %d of %d.", at+1, end, len(u.rows))
		if err := u.upgrade(ctx, u.rows[at:end]); err != nil {
			return err
		}
	}
	left, skipped := 0, 0
	for i := range u.rows {
		switch u.rows[i].State {
		case "planned":
			u.rows[i].State = "left"
			left++
		case "skipped":
			skipped++
		}
	}
	u.say("%d upgraded, %d failed, %d skipped, %d left.", u.passed, u.failed, skipped, left)
	switch {
	case u.cause != nil:
		return u.cause
	case skipped > 0:
		return fault.Conflict.Errorf("%s could not be upgraded now.", counted(skipped, "instance")).WithHint("Run sutler upgrade --all again to go on.")
	}
	return nil
}

// upgrade begins a batch together and waits for each of it. An error is one that ends the whole run.
func (u *upgradeRun) upgrade(ctx context.Context, batch []upgradeRow) error {
	operations := make([]string, len(batch))
	for n := range batch {
		if u.failed >= u.most {
			break // the rest of it stays as it is
		}
		row := &batch[n]
		i, err := u.api.UpdateInstance(ctx, client.Place{}, row.ID, client.InstanceChange{Maintenance: true})
		switch refused, ok := errors.AsType[*client.Error](err); {
		case err == nil:
			operations[n] = i.Operation
		case ok && (refused.Code == string(fault.Busy) || refused.Code == string(fault.Unprocessable) || refused.Code == string(fault.NotFound)):
			row.State, row.Note = "skipped", refused.Detail
			u.say("Skipping %s: %s", row.place(), refused.Detail)
		case ok && refused.Code != string(fault.Unauthenticated):
			u.lose(row, err, refused.Detail)
		default:
			return err
		}
	}
	for n := range batch {
		row := &batch[n]
		if operations[n] == "" {
			continue
		}
		err := u.follow(ctx, u.api, operations[n], "Upgrading "+row.place()+" to "+row.To, u.timeout)
		switch kind := fault.KindOf(err); {
		case err == nil:
			row.State = "upgraded"
			u.passed++
		case kind == fault.ProviderFailed || kind == fault.Timeout:
			u.lose(row, err, fault.Of(err).Text)
		default:
			return err
		}
	}
	return nil
}

func (u *upgradeRun) lose(row *upgradeRow, err error, note string) {
	row.State, row.Note = "failed", note
	u.failed++
	if u.cause == nil {
		u.cause = err
	}
}

func (r upgradeRow) place() string { return inPlace(r.Org, r.Project, r.Name) }

func (u *upgradeRun) show() error {
	return list(u.session, u.rows, "Every instance is on its plan's maintenance version.",
		column[upgradeRow]{title: "Instance", cell: upgradeRow.place},
		column[upgradeRow]{title: "Plan", cell: func(r upgradeRow) string { return r.Plan }},
		column[upgradeRow]{title: "From", cell: func(r upgradeRow) string { return r.From }},
		column[upgradeRow]{title: "To", cell: func(r upgradeRow) string { return r.To }},
		column[upgradeRow]{title: "State", cell: func(r upgradeRow) string { return r.State }},
		column[upgradeRow]{title: "Note", cell: func(r upgradeRow) string { return r.Note }, prose: true},
		column[upgradeRow]{title: "Provider", cell: func(r upgradeRow) string { return r.Provider }, wide: true},
		column[upgradeRow]{title: "ID", cell: func(r upgradeRow) string { return r.ID }, wide: true},
	)
}
