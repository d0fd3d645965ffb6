package providertest_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/fake"
	"github.com/sutlerhq/sutler/providers/providertest"
)

// broken is a driver that is broken in one way, and the check that must find out.
type broken struct {
	by    string
	broke func(d *fake.Driver) providers.Driver
}

func brokenDrivers() []broken {
	return []broken{
		{"provision_again", func(d *fake.Driver) providers.Driver { return doubling{d} }},
		{"provision_at_once", func(d *fake.Driver) providers.Driver { return forgetful{d} }},
		{"inspect_honest", func(d *fake.Driver) providers.Driver { return liar{d} }},
		{"nothing_left", func(d *fake.Driver) providers.Driver { return keeper{d} }},
		{"deprovision_half_made", func(d *fake.Driver) providers.Driver { return keeper{d} }},
		{"deprovision_bound", func(d *fake.Driver) providers.Driver { return keeper{d} }},
		{"deprovision_unknown", func(d *fake.Driver) providers.Driver { return strictGone{d} }},
		{"deprovision_again", func(d *fake.Driver) providers.Driver { return strictGone{d} }},
		{"deprovision_unknown", func(d *fake.Driver) providers.Driver { return silent{d} }},
		{"bind_again", func(d *fake.Driver) providers.Driver { return reseeding{d} }},
		{"state_survives", func(d *fake.Driver) providers.Driver { return reseeding{d} }},
		{"bind_at_once", func(d *fake.Driver) providers.Driver { return liar{d} }},
		{"credentials_complete", func(d *fake.Driver) providers.Driver { return bare{d} }},
		{"credentials_work", func(d *fake.Driver) providers.Driver { return liar{d} }},
		{"bindings_share", func(d *fake.Driver) providers.Driver { return oneLogin{d} }},
		{"sessions_told", func(d *fake.Driver) providers.Driver { return mute{d} }},
		{"sessions_told", func(d *fake.Driver) providers.Driver { return stale{d} }},
		{"tenants_apart", func(d *fake.Driver) providers.Driver { return oneForAll{d} }},
		{"revoked_login", func(d *fake.Driver) providers.Driver { return idle{d} }},
		{"late_bind", func(d *fake.Driver) providers.Driver { return idle{d} }},
		{"revoked_session", func(d *fake.Driver) providers.Driver { return sloppy{d} }},
		{"revoked_while_connecting", func(d *fake.Driver) providers.Driver { return hasty{d} }},
		{"revoked_clinging", func(d *fake.Driver) providers.Driver { return sloppy{d} }},
		{"unbind_spares_others", func(d *fake.Driver) providers.Driver { return zealous{d} }},
		{"unbind_unknown", func(d *fake.Driver) providers.Driver { return strictBound{d} }},
		{"unbind_again", func(d *fake.Driver) providers.Driver { return strictBound{d} }},
		{"readings_sound", func(d *fake.Driver) providers.Driver { return negative{d} }},
		{"counters_reset", func(d *fake.Driver) providers.Driver { return twiceTold{d} }},
		{"counters_restart", func(d *fake.Driver) providers.Driver { return twiceTold{d} }},
		{"counters_restart", func(d *fake.Driver) providers.Driver { return stopped{d} }},
		{"counters_reopen", func(d *fake.Driver) providers.Driver { return twiceTold{d} }},
		{"readings_sound", func(d *fake.Driver) providers.Driver { return &backwards{Driver: d} }},
		{"suspend_keeps", func(d *fake.Driver) providers.Driver { return winker{d} }},
		{"update_keeps", func(d *fake.Driver) providers.Driver { return wiper{d} }},
		{"late_provision", func(d *fake.Driver) providers.Driver { return reopener{d} }},
		{"odd_ids", func(d *fake.Driver) providers.Driver { return folder{d} }},
		{"odd_names", func(d *fake.Driver) providers.Driver { return cutter{d} }},
		{"backup_restores", func(d *fake.Driver) providers.Driver { return loser{d} }},
		{"backup_restores", func(d *fake.Driver) providers.Driver { return mover{d} }},
		{"backup_restores", func(d *fake.Driver) providers.Driver { return dropper{d} }},
		{"backup_damaged", func(d *fake.Driver) providers.Driver { return swallower{d} }},
		{"backup_damaged", func(d *fake.Driver) providers.Driver { return content{d} }},
		{"counts_agree", func(d *fake.Driver) providers.Driver { return guesser{d} }},
		{"excess_told", func(d *fake.Driver) providers.Driver { return blind{d} }},
		{"excess_told", func(d *fake.Driver) providers.Driver { return alarmed{d} }},
		{"revoked_in_time", func(d *fake.Driver) providers.Driver { return sloppy{d} }},
		{"late_provision_found", func(d *fake.Driver) providers.Driver { return hider{d} }},
		{"late_provision_found", func(d *fake.Driver) providers.Driver { return forgetful{d} }},
		{"trespass_refused", func(d *fake.Driver) providers.Driver { return oneForAll{d} }},
		{"revoked_clinging", func(d *fake.Driver) providers.Driver { return polite{d} }},
		{"target_answers", func(d *fake.Driver) providers.Driver { return astray{d} }},
	}
}

// TestEveryCheckHasABrokenDriver: a check that nothing can fail says nothing.
func TestEveryCheckHasABrokenDriver(t *testing.T) {
	for _, check := range providertest.Checks() {
		if !slices.ContainsFunc(brokenDrivers(), func(b broken) bool { return b.by == check.Name }) {
			t.Errorf("no driver is broken in a way that %s must find out", check.Name)
		}
	}
}

func TestBrokenDriversAreCaught(t *testing.T) {
	for _, c := range brokenDrivers() {
		t.Run(c.by, func(t *testing.T) {
			t.Parallel()
			d := fake.New(fake.Options{Address: listening(t)})
			h := harness(t, d, c.broke(d))
			ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
			defer cancel()
			for _, check := range providertest.Checks() {
				if check.Name != c.by {
					continue
				}
				if r := check.Try(ctx, h); r.Err == nil {
					t.Errorf("%T passes %s %s", c.broke(d), c.by, r.NotOffered)
				} else {
					t.Logf("%T: %v", c.broke(d), r.Err)
				}
				return
			}
			t.Errorf("there is no check %s", c.by)
		})
	}
}

func TestDeafTargetIsCaught(t *testing.T) {
	d := fake.New(fake.Options{}) // nothing listens on its address
	for _, r := range providertest.Report(t.Context(), harness(t, d, d), 10*time.Second) {
		if failed := r.Err != nil; failed != (r.Name == "target_answers") {
			t.Errorf("%s: %v", r.Name, r.Err)
		}
	}
}
