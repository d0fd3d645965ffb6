package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/signer"

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
	return s3.Client(endpoint, key, secret)
}

func login(ctx context.Context, c map[string]any) (providertest.Session, error) {
	a, err := s3.Login(ctx, c)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// cling leaves what makes a bucket hard to remove: odd keys, an unfinished upload, an object in many parts.
func cling(ctx context.Context, s providertest.Session) error {
	a := s.(*s3.App)
	for _, key := range []string{"a/b/c", "größe 数据 🐘", `quo'te"s\`, "a/b", strings.Repeat("x", 200)} {
		if err := a.Put(ctx, key, "x"); err != nil {
			if key == "a/b" { // a file system under the server has no place for it beside a/b/c
				continue
			}
			return fmt.Errorf("%q: %w", key, err)
		}
	}
	core := minio.Core{Client: a.Client}
	id, err := core.NewMultipartUpload(ctx, a.Bucket, "unfinished", minio.PutObjectOptions{})
	if err != nil {
		return err
	}
	_, err = core.PutObjectPart(ctx, a.Bucket, "unfinished", id, 1, strings.NewReader("part"), 4, minio.PutObjectPartOptions{})
	return err
}

// trespass tries the other tenant's bucket in every way, to let others into one's own, to outlive a deprovision, and the server's administration.
func trespass(t *testing.T) func(ctx context.Context, mine, theirs map[string]any) error {
	t.Helper()
	return func(ctx context.Context, mine, theirs map[string]any) error {
		me, err := login(ctx, mine)
		if err != nil {
			return err
		}
		a := me.(*s3.App)
		if err := a.Put(ctx, "own", "x"); err != nil {
			return err
		}
		own, other := a.Bucket, theirs["bucket"].(string)
		tries := map[string]func() error{
			"list":   func() error { _, err := (&s3.App{Client: a.Client, Bucket: other}).Keys(ctx); return err },
			"read":   func() error { _, err := a.StatObject(ctx, other, "secret", minio.StatObjectOptions{}); return err },
			"write":  func() error { return (&s3.App{Client: a.Client, Bucket: other}).Put(ctx, "planted", "x") },
			"remove": func() error { return a.RemoveObject(ctx, other, "secret", minio.RemoveObjectOptions{}) },
			"uploads": func() error {
				_, err := (minio.Core{Client: a.Client}).ListMultipartUploads(ctx, other, "", "", "", "", 10)
				return err
			},
			"upload": func() error {
				_, err := (minio.Core{Client: a.Client}).NewMultipartUpload(ctx, other, "p", minio.PutObjectOptions{})
				return err
			},
			"copy out": func() error {
				_, err := a.CopyObject(ctx, minio.CopyDestOptions{Bucket: own, Object: "stolen"}, minio.CopySrcOptions{Bucket: other, Object: "secret"})
				return err
			},
			"copy in": func() error {
				_, err := a.CopyObject(ctx, minio.CopyDestOptions{Bucket: other, Object: "planted"}, minio.CopySrcOptions{Bucket: own, Object: "own"})
				return err
			},
			"exists":        func() error { ok, err := a.BucketExists(ctx, other); return seen(ok, err) },
			"their policy":  func() error { _, err := a.GetBucketPolicy(ctx, other); return err },
			"their tags":    func() error { _, err := a.GetBucketTagging(ctx, other); return err },
			"own policy":    func() error { return a.SetBucketPolicy(ctx, own, public(own)) },
			"see policy":    func() error { _, err := a.GetBucketPolicy(ctx, own); return err },
			"drop policy":   func() error { return a.SetBucketPolicy(ctx, own, "") },
			"versions":      func() error { return a.EnableVersioning(ctx, own) },
			"remove bucket": func() error { return a.RemoveBucket(ctx, own) },
			"make bucket":   func() error { return a.MakeBucket(ctx, "more-"+own, minio.MakeBucketOptions{}) },
			"lock": func() error {
				mode, days := minio.Compliance, uint(3650)
				unit := minio.Days
				return a.SetObjectLockConfig(ctx, own, &mode, &days, &unit)
			},
			"hold": func() error {
				on := minio.LegalHoldEnabled
				return a.PutObjectLegalHold(ctx, own, "own", minio.PutObjectLegalHoldOptions{Status: &on})
			},
			"bucket acl":   func() error { return raw(ctx, mine, http.MethodPut, "/"+own+"?acl", "x-amz-acl", "public-read-write") },
			"object acl":   func() error { return raw(ctx, mine, http.MethodPut, "/"+own+"/own?acl", "x-amz-acl", "public-read") },
			"ownership":    func() error { return raw(ctx, mine, http.MethodPut, "/"+own+"?ownershipControls", "", "") },
			"list users":   func() error { return raw(ctx, mine, http.MethodPatch, "/list-users", "", "") },
			"list buckets": func() error { return raw(ctx, mine, http.MethodPatch, "/list-buckets", "", "") },
			"delete user": func() error {
				return raw(ctx, mine, http.MethodPatch, "/delete-user?access="+fmt.Sprint(theirs["username"]), "", "")
			},
			"take the owner": func() error {
				return raw(ctx, mine, http.MethodPatch, "/change-bucket-owner?bucket="+other+"&owner="+fmt.Sprint(mine["username"]), "", "")
			},
			"without a key": func() error {
				return raw(ctx, map[string]any{"endpoint": mine["endpoint"]}, http.MethodGet, "/"+other+"/secret", "", "")
			},
		}
		for name, try := range tries {
			if try() == nil {
				t.Log("open: ", name)
				return nil
			}
		}
		buckets, err := a.ListBuckets(ctx)
		if err == nil && len(buckets) > 0 {
			t.Log("open: the list of buckets")
			return nil
		}
		return errors.New("refused everywhere")
	}
}

// seen makes "it is there" a way in, and "it is not" or a refusal none.
func seen(there bool, err error) error {
	if err == nil && !there {
		return errors.New("hidden")
	}
	return err
}

func public(bucket string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::` + bucket + `/*"}]}`
}

// raw makes a request with a tenant's key that the client has no word for; without a key it is not signed.
func raw(ctx context.Context, c map[string]any, method, path, header, value string) error {
	r, err := http.NewRequestWithContext(ctx, method, c["endpoint"].(string)+path, http.NoBody)
	if err != nil {
		return err
	}
	if header != "" {
		r.Header.Set(header, value)
	}
	if key, ok := c["username"].(string); ok {
		r.Header.Set("X-Amz-Content-Sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
		r = signer.SignV4(*r, key, c["password"].(string), "", "us-east-1")
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= http.StatusBadRequest {
		return errors.New(answer.Status)
	}
	return nil
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
		Login: login, Trespass: trespass(t), Cling: cling,
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
	if err := h.Trespass(t.Context(), root, map[string]any{"bucket": "two", "username": "nobody"}); err != nil {
		t.Errorf("the administrator was refused everywhere: %v", err)
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
