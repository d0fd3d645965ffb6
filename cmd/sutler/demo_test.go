package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDemo runs the demo as `make demo` does, and looks for what it promises.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts servers")
	}
	t.Parallel()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	demo := exec.CommandContext(t.Context(), filepath.Join(root, "scripts", "demo.sh"))
	demo.Env = append(os.Environ(), "SUTLER_BIN="+filepath.Dir(path), "TMPDIR="+t.TempDir())
	out, err := demo.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	for _, want := range []string{"✓ NATS_URL", "agrees with what was stored", "two providers, one app, one invoice"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the demo does not say %q:\n%s", want, out)
		}
	}
	if strings.Contains(string(out), "\x1b") {
		t.Error("there are colors where there is no terminal")
	}
}
