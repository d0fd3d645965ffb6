package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sutlerhq/sutler/providers/local"
)

// certifiedServer starts a server that a provider is certified on, in a folder that goes with the test.
func certifiedServer(t *testing.T, kind string, start func(ctx context.Context, dir string) (*local.Server, error)) *local.Server {
	t.Helper()
	if kind == "s3" {
		if err := local.InstallS3(t.Context(), filepath.Join("..", "..", ".cache", "bin")); err != nil {
			t.Fatal(err)
		}
	} else if err := local.Ensure(t.Context(), kind); err != nil {
		t.Fatal(err)
	}
	s, err := start(context.Background(), certifiedFolder(t, kind))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	return s
}

func certifiedFolder(t *testing.T, kind string) string {
	t.Helper()
	dir, err := local.Temporary("certified-" + kind)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// TestCertifyEveryDriver: each driver proves itself on a real server by the command that a vendor uses, clinging apps and trespassers included, and
// what cannot be tried is said to be not offered.
func TestCertifyEveryDriver(t *testing.T) {
	if testing.Short() {
		t.Skip("short: no servers")
	}
	nobody := []string{"counters_reset", "counters_restart"} // whoever certifies a provider neither resets nor restarts its servers
	for name, c := range map[string]struct {
		settings func(t *testing.T) string
		not      []string // offered, besides
	}{
		"mysql": {settings: func(t *testing.T) string {
			s := certifiedServer(t, "mysql", func(ctx context.Context, dir string) (*local.Server, error) {
				return local.MySQL(ctx, dir, "admin", true)
			})
			return fmt.Sprintf("{admin: %q}", s.URL())
		}},
		"redis": {settings: func(t *testing.T) string {
			if err := local.Ensure(t.Context(), "redis"); err != nil {
				t.Fatal(err)
			}
			return fmt.Sprintf("{dir: %q}", certifiedFolder(t, "redis"))
		}, not: []string{"excess_told"}},
		"rabbitmq": {settings: func(t *testing.T) string {
			s := certifiedServer(t, "rabbitmq", func(ctx context.Context, dir string) (*local.Server, error) {
				return local.RabbitMQ(ctx, dir, "admin", true)
			})
			return fmt.Sprintf("{admin: \"http://%s:%s@%s\", advertise: {default: {address: %q}}}", s.User, s.Password, s.Admin, s.Address)
		}, not: []string{"counts_agree", "backup_restores", "backup_damaged"}},
		"nats": {settings: func(t *testing.T) string {
			return fmt.Sprintf("{embedded: true, dir: %q}", t.TempDir())
		}, not: []string{"excess_told", "counts_agree", "backup_restores", "backup_damaged"}},
		"s3": {settings: func(t *testing.T) string {
			s := certifiedServer(t, "s3", func(ctx context.Context, dir string) (*local.Server, error) {
				return local.S3(ctx, dir, "secret-of-the-administrator")
			})
			return fmt.Sprintf("{endpoint: \"http://%s\", access_key: %q, secret_key: %q}", s.Address, s.User, s.Password)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			more := fmt.Sprintf("- name: mine\n  driver: %s\n  region: eu\n  settings: %s\n", name, c.settings(t))
			got, said, code := certify(t.Context(), t, more, "mine")
			if code != exitOK || !got.Passed || len(got.Left) > 0 || len(got.Notes) > 0 {
				t.Errorf("%d, failed %v, left %v, %v: %s", code, got.results("failed"), got.Left, got.Notes, said)
			}
			for _, check := range got.results("not_offered") {
				if !slices.Contains(append(c.not, append(nobody, "state_survives", "counters_reopen")...), check) {
					t.Errorf("%s is not offered", check)
				}
			}
			for _, check := range []string{"trespass_refused", "revoked_clinging", "revoked_session", "tenants_apart", "nothing_left"} {
				if !slices.Contains(got.results("passed"), check) {
					t.Errorf("%s did not run", check)
				}
			}
		})
	}
}
