package postgres

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sutlerhq/sutler/internal/fault"
)

// A wrong password of the administrator is told as what it is, and is no outage that is asked after many times a second.
func TestWrongPasswordIsNamed(t *testing.T) {
	err := classed(&pgconn.PgError{Code: "28P01", Message: "password authentication failed"})
	if fault.KindOf(err) != fault.ProviderFailed || !strings.Contains(err.Error(), "the password is wrong") {
		t.Error(err)
	}
}
