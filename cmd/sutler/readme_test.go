package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadmeTour runs the tour of README.md line by line, as it is written, against a market of its own.
func TestReadmeTour(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	built, err := program()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	if err := os.Symlink(filepath.Dir(built), filepath.Join(home, "bin")); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(home, "market")
	runDevMarket(t, data)
	ran := 0
	for _, line := range tour(t) {
		c := exec.CommandContext(t.Context(), "/bin/sh", "-c", line)
		c.Dir, c.Env = home, append(os.Environ(), "SUTLER_DEV="+data, "NO_COLOR=1")
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("$ %s\n%s%v", line, out, err)
		}
		if len(out) == 0 {
			t.Errorf("$ %s\nsays nothing to a newcomer", line)
		}
		ran++
	}
	if ran < 15 {
		t.Errorf("only %d lines of the tour were found: is it still there?", ran)
	}
}

// tour gives the commands of README.md's tour that talk to the running market.
func tour(t *testing.T) []string {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(readme), "## A tour")
	text, _, _ = strings.Cut(text, "\n## ")
	var lines []string
	for line := range strings.Lines(text) {
		command := strings.TrimSpace(line)
		if strings.HasPrefix(line, "    bin/sutler ") && !strings.HasPrefix(command, "bin/sutler dev &") {
			lines = append(lines, command)
		}
	}
	return lines
}
