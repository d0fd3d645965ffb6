package mysql_test

import (
	"slices"
	"testing"

	"github.com/sutlerhq/sutler/providers/mysql"
)

func TestListNamesWhatIsThere(t *testing.T) {
	d := open(t, mysql.Settings{})
	i := made(t, d, "ins_listed")
	if names, err := d.List(t.Context()); err != nil || !slices.Contains(names, d.NameOf(i.ID)) {
		t.Error("it is there and not listed:", names, err)
	}
	if p, err := d.Deprovision(t.Context(), i); err != nil || !p.Done {
		t.Fatal(p, err)
	}
	if names, err := d.List(t.Context()); err != nil || slices.Contains(names, d.NameOf(i.ID)) {
		t.Error("it is gone and listed:", names, err)
	}
	execute(t, super(t), "CREATE DATABASE "+d.NameOf("ins_late")) // by a call that landed late
	if names, err := d.List(t.Context()); err != nil || !slices.Contains(names, d.NameOf("ins_late")) {
		t.Error("what is half made is not listed:", names, err)
	}
	i.ID = "ins_late"
	if p, err := d.Deprovision(t.Context(), i); err != nil || !p.Done {
		t.Fatal(p, err)
	}
	if names, err := d.List(t.Context()); err != nil || slices.Contains(names, d.NameOf("ins_late")) {
		t.Error("it was not removed:", names, err)
	}
}
