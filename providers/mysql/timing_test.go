package mysql_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/mysql"
	"github.com/sutlerhq/sutler/providers/providertest"
)

func TestHowLongItTakes(t *testing.T) {
	d, su := open(t, mysql.Settings{}), super(t)
	list, err := d.Offerings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var create, account, provision, bind, unbind, removed time.Duration
	const rounds = 5
	took := func(into *time.Duration, f func() error) {
		t.Helper()
		began := time.Now()
		if err := f(); err != nil {
			t.Fatal(err)
		}
		*into += time.Since(began)
	}
	ctx := t.Context()
	bare := func(text string) func() error {
		return func() error { _, err := su.ExecContext(ctx, text); return err }
	}
	for n := range rounds {
		i := providers.Instance{ID: "ins_time" + strconv.Itoa(n), Plan: list[0].Plans[0]}
		b := providers.Binding{ID: "bnd_time" + strconv.Itoa(n), Seed: make([]byte, 32)}
		took(&create, bare("CREATE DATABASE bare"))
		took(&account, bare("CREATE USER bare IDENTIFIED BY 'bare of everything'"))
		execute(t, su, "DROP DATABASE bare", "DROP USER bare")
		took(&provision, func() error { _, err := d.Provision(ctx, i); return err })
		var g providers.Grant
		took(&bind, func() (err error) { g, _, err = d.Bind(ctx, i, b); return err })
		s, err := enter(ctx, g.Credentials)
		if err != nil {
			t.Fatal(err)
		}
		took(&unbind, func() error { _, err := d.Unbind(ctx, i, b); return err })
		s.Close()
		took(&removed, func() error { _, err := d.Deprovision(ctx, i); return err })
	}
	providertest.KeepTimings(t, "mysql",
		providertest.Timing{Verb: "provision", Mean: provision / rounds, Bare: "CREATE DATABASE", Base: create / rounds, Rounds: rounds},
		providertest.Timing{Verb: "bind", Mean: bind / rounds, Bare: "CREATE USER", Base: account / rounds, Rounds: rounds},
		providertest.Timing{Verb: "unbind", Mean: unbind / rounds, Note: "with an open connection", Rounds: rounds},
		providertest.Timing{Verb: "deprovision", Mean: removed / rounds, Rounds: rounds})
}
