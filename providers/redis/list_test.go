package redis_test

import (
	"slices"
	"testing"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/providertest"
)

func TestListNamesWhatIsThere(t *testing.T) {
	for form, open := range map[string]func(testing.TB) providertest.Harness{"own": own, "shared": shared} {
		t.Run(form, func(t *testing.T) {
			h := open(t)
			d := h.Provider
			i := providers.Instance{ID: "ins_listed_" + form, Plan: h.Plan}
			if p, err := d.Provision(t.Context(), i); err != nil || !p.Done {
				t.Fatal(p, err)
			}
			if names, err := d.List(t.Context()); err != nil || !slices.Contains(names, d.NameOf(i.ID)) {
				t.Error("it is there and not listed:", names, err)
			}
			if p, err := d.Deprovision(t.Context(), i); err != nil || !p.Done {
				t.Fatal(p, err)
			}
			if names, err := d.List(t.Context()); err != nil || slices.Contains(names, d.NameOf(i.ID)) {
				t.Error("it is gone and listed:", names, err)
			}
		})
	}
}
