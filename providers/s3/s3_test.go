package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/providertest"
	"github.com/sutlerhq/sutler/providers/s3"
)

var folder string

// gateway is the one server of this package's tests; it starts with the first that asks.
var gateway = sync.OnceValues(func() (*local.Server, error) {
	if err := local.InstallS3(context.Background(), filepath.Join("..", "..", ".cache", "bin")); err != nil {
		return nil, err
	}
	dir, err := local.Temporary("s3")
	if err != nil {
		return nil, err
	}
	folder = dir
	return local.S3(context.Background(), dir, "secret-of-the-administrator")
})

func TestMain(m *testing.M) {
	code := m.Run()
	if folder != "" {
		if s, err := gateway(); err == nil {
			if err := s.Stop(); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}
		_ = os.RemoveAll(folder)
	}
	os.Exit(code)
}

func server(t testing.TB) *local.Server {
	t.Helper()
	if testing.Short() {
		t.Skip("short: no servers")
	}
	s, err := gateway()
	if errors.Is(err, local.ErrNoProgram) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func place(s *local.Server) s3.Server {
	return s3.Server{Endpoint: "http://" + s.Address, AccessKey: s.User, Secret: s.Password}
}

func client(endpoint, key, secret string) (*minio.Client, error) {
	return s3.Client(map[string]any{"endpoint": endpoint, "access_key_id": key, "secret_access_key": secret})
}

func login(ctx context.Context, c map[string]any) (providertest.Session, error) {
	a, err := s3.Login(ctx, c)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// leftovers lists the server's buckets and keys, by the server's own folder as well: what its interface does not show counts too.
func leftovers(ctx context.Context, s *local.Server, root *minio.Client) ([]string, error) {
	buckets, err := root.ListBuckets(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, b := range buckets {
		out = append(out, "bucket "+b.Name)
	}
	for _, part := range []string{"objects", "sidecar"} {
		found, err := os.ReadDir(filepath.Join(s.Dir, part))
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			out = append(out, part+"/"+f.Name())
		}
	}
	accounts, err := os.ReadFile(filepath.Join(s.Dir, "iam", "users.json"))
	if errors.Is(err, os.ErrNotExist) {
		return out, nil
	}
	for _, word := range strings.FieldsFunc(string(accounts), func(r rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz234567", r) }) {
		if len(word) == 40 && !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	return out, err
}

func harness(t *testing.T) providertest.Harness {
	t.Helper()
	s := server(t)
	open := func() *providers.Provider {
		return providers.New(providers.Settings{Name: "s3", Failures: 1000}, s3.New(s3.Settings{Server: s3.At(place(s))}), nil)
	}
	p := open()
	list, err := p.Offerings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root, err := client("http://"+s.Address, s.User, s.Password)
	if err != nil {
		t.Fatal(err)
	}
	return providertest.Harness{
		Provider: p, Plan: list[0].Plans[0], Other: list[0].Plans[1],
		Bench:     providertest.BenchOf(s3.Login, s3.Trespass, s3.Cling),
		Leftovers: func(ctx context.Context) ([]string, error) { return leftovers(ctx, s, root) },
		Overfill:  providertest.Fill(3 * (4 << 20)), Tight: providertest.Tightened(list[0].Plans[0], "storage_bytes", 4<<20),
		Reopen: func(context.Context) (*providers.Provider, error) { return open(), nil },
	}
}

func TestConformance(t *testing.T) {
	h := harness(t)
	providertest.Keep(t, "s3", providertest.Conform(t, time.Minute, func(*testing.T) providertest.Harness { return h }))
}

// The ways in that Trespass expects to be shut are open to the administrator: the attempts themselves are sound, and so is the look at what is left.
func TestTrespassAndLeftoversSee(t *testing.T) {
	s := server(t)
	h := harness(t)
	root := map[string]any{"endpoint": "http://" + s.Address, "username": s.User, "password": s.Password, "access_key_id": s.User, "secret_access_key": s.Password}
	c, err := client("http://"+s.Address, s.User, s.Password)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []string{"one", "two"} {
		if err := c.MakeBucket(t.Context(), b, minio.MakeBucketOptions{}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = c.RemoveObject(context.Background(), b, "own", minio.RemoveObjectOptions{})
			_ = c.RemoveBucket(context.Background(), b) // the server goes with the tests
		})
	}
	root["bucket"] = "one"
	if way, err := h.Trespass(t.Context(), root, map[string]any{"bucket": "two", "username": "nobody"}); way != "their keys" || err != nil {
		t.Errorf("the administrator gets in by %q: %v", way, err)
	}
	p := providers.Instance{ID: "ins_seen", Plan: h.Plan}
	if _, err := h.Provider.Provision(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = h.Provider.Deprovision(context.Background(), p) }()
	before, err := h.Leftovers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.Provider.Bind(t.Context(), p, providers.Binding{ID: "bnd_seen", Seed: bytes.Repeat([]byte("s"), 32)}); err != nil {
		t.Fatal(err)
	}
	if after, err := h.Leftovers(t.Context()); err != nil || len(after) <= len(before) {
		t.Errorf("a key leaves no trace that is seen: %v %v", after, err)
	}
}
