package local_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/sutlerhq/sutler/providers/local"
)

// A process that is killed cannot clean up: while a command reads a secret, and after it, no folder may hold it.
func TestASecretIsInNoFolder(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `cat "$0" && cat "$1" && cat "$0"`)
	for _, text := range []string{"swordfish\n", "marlin\n"} {
		path, file, err := local.Secret(cmd, text)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		cmd.Args = append(cmd.Args, path)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Fatal(left, err)
	}
	if got, err := cmd.Output(); err != nil || string(got) != "swordfish\nmarlin\nswordfish\n" {
		t.Errorf("%q %v", got, err)
	}
}
