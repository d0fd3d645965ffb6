package vault_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/sutlerhq/sutler/internal/vault"
	"github.com/sutlerhq/sutler/providers/local"
)

func TestABucketKeepsThings(t *testing.T) {
	if testing.Short() {
		t.Skip("short: no servers")
	}
	if err := local.InstallS3(t.Context(), filepath.Join("..", "..", ".cache", "bin")); err != nil {
		t.Fatal(err)
	}
	dir, err := local.Temporary("vault")
	if err != nil {
		t.Fatal(err)
	}
	server, err := local.S3(t.Context(), dir, "secret-of-the-administrator")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	admin, err := minio.New(server.Address, &minio.Options{Creds: credentials.NewStaticV4(server.User, server.Password, "")})
	if err != nil {
		t.Fatal(err)
	}
	if err := admin.MakeBucket(context.Background(), "market-backups", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	v, err := vault.Bucket{Endpoint: server.Address, Plain: true, Name: "market-backups", Prefix: "eu/", AccessKey: server.User, SecretKey: server.Password}.Open()
	if err != nil {
		t.Fatal(err)
	}
	vault.Holds(t, v)
	stranger, err := vault.Bucket{Endpoint: server.Address, Plain: true, Name: "market-backups", AccessKey: server.User, SecretKey: "wrong"}.Open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stranger.Write(t.Context(), "bak_1", strings.NewReader("x")); err == nil || strings.Contains(err.Error(), "wrong") {
		t.Error("a wrong key wrote, or was told:", err)
	}
	if r, err := stranger.Read(t.Context(), "bak_1"); err == nil || errors.Is(err, vault.ErrAbsent) {
		t.Error("a wrong key reads, or finds nothing there:", r, err)
	}
}
