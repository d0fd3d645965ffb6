package rabbitmq_test

import (
	"slices"
	"testing"
)

func TestListNamesWhatIsThere(t *testing.T) {
	d := driver(server(t))
	i := made(t, d, "ins_listed", tight())
	if names, err := d.List(t.Context()); err != nil || !slices.Contains(names, d.NameOf(i.ID)) {
		t.Error("it is there and not listed:", names, err)
	}
	if p, err := d.Deprovision(t.Context(), i); err != nil || !p.Done {
		t.Fatal(p, err)
	}
	if names, err := d.List(t.Context()); err != nil || slices.Contains(names, d.NameOf(i.ID)) {
		t.Error("it is gone and listed:", names, err)
	}
}
