package audit_test

import (
	"fmt"
	"testing"

	"github.com/sutlerhq/sutler/internal/audit"
)

// FuzzHead: what is read as a head is written back as the same one.
func FuzzHead(f *testing.F) {
	const mac = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	for _, s := range []string{"1:" + mac, "0:" + mac, "-1:" + mac, "+7:" + mac, "007:" + mac, "1:", ":", "9223372036854775808:" + mac, "1:" + mac[:63] + "g", "1:" + mac + "\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h, err := audit.ParseHead(s)
		if err != nil {
			return
		}
		if again, err := audit.ParseHead(fmt.Sprintf("%d:%s", h.Seq, h.MAC)); err != nil || again != h || h.Seq < 1 {
			t.Fatalf("%q became %+v and then %+v, %v", s, h, again, err)
		}
	})
}
