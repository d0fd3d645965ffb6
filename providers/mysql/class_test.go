package mysql

import (
	"strings"
	"testing"

	driver "github.com/go-sql-driver/mysql"

	"github.com/sutlerhq/sutler/internal/fault"
)

// A wrong password of the administrator is told as what it is; rights that it lacks are another matter.
func TestWrongPasswordIsNamed(t *testing.T) {
	for number, wrong := range map[uint16]bool{1045: true, 1142: false} {
		err := classed(&driver.MySQLError{Number: number, Message: "Access denied"})
		if fault.KindOf(err) != fault.ProviderFailed || strings.Contains(err.Error(), "the password is wrong") != wrong {
			t.Error(number, err)
		}
	}
}
