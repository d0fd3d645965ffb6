package seal_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/internal/seal"
)

func TestSecretNeverShows(t *testing.T) {
	s := seal.Secret("hunter2")
	holder := struct{ Password seal.Secret }{s}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "holder", holder)
	j, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"%v": fmt.Sprintf("%v", s), "%s": fmt.Sprintf("%s", s), "%q": fmt.Sprintf("%q", s), "%x": fmt.Sprintf("%x", s), "%#v": fmt.Sprintf("%#v", s), "%d": fmt.Sprintf("%d", s),
		"inside": fmt.Sprintf("%+v %#v", holder, holder), "json": string(j), "slog": log.String(), "println": fmt.Sprintln(s), "error": fmt.Errorf("%w: %v", fmt.Errorf("x"), s).Error(),
	} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74") {
			t.Errorf("%s shows it: %s", name, text)
		}
	}
	if s.Reveal() != "hunter2" {
		t.Error("Reveal")
	}
}
