package postgres_test

import (
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers/postgres"
)

// An administrator who may not shut the databases that come with the server says so instead of letting tenants meet there.
func TestDatabasesOpenToEverybody(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	admin := brokerOf(t, b.URL())
	su := connect(t, b.URL())
	execute(t, su, `GRANT CONNECT ON DATABASE postgres TO PUBLIC`)
	d := driver(t, postgres.Address(admin))
	err := d.Probe(t.Context())
	if f := fault.Of(err); err == nil || fault.KindOf(err) != fault.ProviderFailed || !strings.Contains(f.Text, "databases postgres,") || !strings.Contains(f.Hint, "REVOKE ALL ON DATABASE postgres FROM PUBLIC") {
		t.Errorf("%v", err)
	}
	execute(t, su, `REVOKE ALL ON DATABASE postgres FROM PUBLIC`)
	if err := d.Probe(t.Context()); err != nil {
		t.Errorf("after a superuser did it: %v", err)
	}
	execute(t, su, `GRANT ALL ON DATABASE postgres, template1 TO PUBLIC`)
	if err := driver(t, postgres.Address(b.URL())).Probe(t.Context()); err != nil {
		t.Errorf("as a superuser: %v", err)
	}
	var open int
	if err := su.QueryRow(t.Context(), `SELECT count(*) FROM pg_database, aclexplode(datacl) a WHERE datname IN ('postgres', 'template1') AND a.grantee = 0`).Scan(&open); err != nil || open > 0 {
		t.Errorf("a superuser's driver left %d rights to everybody: %v", open, err)
	}
}
