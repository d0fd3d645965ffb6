package redis_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	client "github.com/redis/go-redis/v9"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/providertest"
)

func TestHowLongItTakes(t *testing.T) {
	h, ctx := own(t), t.Context()
	o, err := client.ParseURL(sharedServer(t))
	if err != nil {
		t.Fatal(err)
	}
	admin := client.NewClient(o)
	defer admin.Close()
	var took [5]time.Duration
	const rounds = 5
	for n := range rounds {
		i := providers.Instance{ID: fmt.Sprintf("ins_time_%d", n), Plan: h.Plan, Params: json.RawMessage(`{}`)}
		b := providers.Binding{ID: "bnd_" + i.ID, Seed: []byte("0123456789abcdef")}
		for v, verb := range []func() error{
			func() error { _, err := h.Provider.Provision(ctx, i); return err },
			func() error { _, _, err := h.Provider.Bind(ctx, i, b); return err },
			func() error { _, err := h.Provider.Unbind(ctx, i, b); return err },
			func() error { _, err := h.Provider.Deprovision(ctx, i); return err },
			func() error {
				return errors.Join(admin.Do(ctx, "ACL", "SETUSER", "x", "on", ">bare", "~*", "+@all").Err(), admin.Do(ctx, "ACL", "SAVE").Err())
			},
		} {
			began := time.Now()
			if err := verb(); err != nil {
				t.Fatal(err)
			}
			took[v] += time.Since(began)
		}
	}
	providertest.KeepTimings(t, "redis, own",
		providertest.Timing{Verb: "provision", Mean: took[0] / rounds, Note: "a server process until it answers; there is no command", Rounds: rounds},
		providertest.Timing{Verb: "bind", Mean: took[1] / rounds, Bare: "ACL SETUSER, ACL SAVE", Base: took[4] / rounds, Rounds: rounds},
		providertest.Timing{Verb: "unbind", Mean: took[2] / rounds, Rounds: rounds},
		providertest.Timing{Verb: "deprovision", Mean: took[3] / rounds, Rounds: rounds})
}
