package fault_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/internal/fault"
)

func TestOfClassesErrors(t *testing.T) {
	f := fault.NotFound.Wrap(io.EOF, "There is no plan %q.", "p")
	for name, c := range map[string]struct {
		err  error
		kind fault.Kind
		text string
	}{
		"a fault":           {f, fault.NotFound, `There is no plan "p".`},
		"a wrapped fault":   {fmt.Errorf("ctx: %w", f), fault.NotFound, `There is no plan "p".`},
		"a joined fault":    {errors.Join(errors.New("x"), f), fault.NotFound, `There is no plan "p".`},
		"a bare kind":       {fmt.Errorf("x: %w", fault.Busy), fault.Busy, "busy"},
		"an unclassed one":  {errors.New("dsn s3cr3t"), fault.Internal, "Something went wrong on our side."},
		"the outermost one": {fault.Unavailable.Wrap(f, "later"), fault.Unavailable, "later"},
	} {
		got := fault.Of(c.err)
		if got.Kind != c.kind || got.Text != c.text || fault.KindOf(c.err) != c.kind || !errors.Is(got, c.kind) || strings.Contains(got.Error(), "s3cr3t") {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if !errors.Is(f, io.EOF) || errors.Is(f, fault.Gone) || strings.Contains(f.Error(), "EOF") {
		t.Error("the cause is for errors.Is and the log, not for the caller")
	}
}

// Faults are passed around and kept: adding to one must not change the other.
func TestWithLeavesTheOriginalAlone(t *testing.T) {
	base := fault.Invalid.Errorf("wrong").WithFields(fault.Field{Path: "/a", Reason: "x"})
	one, two := base.WithFields(fault.Field{Path: "/b"}), base.WithFields(fault.Field{Path: "/c"})
	full := base.WithHint("do %s", "this").WithCode("AsyncRequired")
	if len(base.Fields) != 1 || base.Hint != "" || base.Code != "" || one.Fields[1].Path != "/b" || two.Fields[1].Path != "/c" {
		t.Errorf("%+v %+v %+v", base, one, two)
	}
	if full.Hint != "do this" || full.Code != "AsyncRequired" || full.Kind != fault.Invalid || len(full.Fields) != 1 {
		t.Errorf("%+v", full)
	}
}
