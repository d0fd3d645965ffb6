package providers

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

func TestTheFirstFailureOfAStartIsLoggedOnce(t *testing.T) {
	var out bytes.Buffer
	p := &Provider{log: slog.New(slog.NewTextHandler(&out, nil)), status: Starting, why: "has not answered yet", back: make(chan struct{}, 1), unclear: map[string]bool{}}
	for range 3 {
		p.note(errors.New("nobody is there"))
	}
	if n := strings.Count(out.String(), "does not answer yet"); n != 1 {
		t.Errorf("it was logged %d times:\n%s", n, &out)
	}
	p.note(nil)
	if !strings.Contains(out.String(), "status=up") {
		t.Errorf("coming up was not logged:\n%s", &out)
	}
}
