package catalog

import "testing"

func TestNewerMaintenance(t *testing.T) {
	order := []string{"", "0.9.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0", "1.2.0", "1.10.0", "2.0.0"}
	for i, on := range order {
		for j, has := range order {
			if got := (&Maintenance{Version: has}).Newer(on); got != (j > i) {
				t.Errorf("%q after %q: %t", has, on, got)
			}
		}
	}
	var none *Maintenance
	if none.Newer("") || (&Maintenance{Version: "new"}).Newer("1.0.0") || (&Maintenance{Version: "1.0.0+b"}).Newer("1.0.0+a") {
		t.Error("what is no newer version was taken for one")
	}
}
