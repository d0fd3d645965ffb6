package s3_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/providertest"
	"github.com/sutlerhq/sutler/providers/s3"
)

func driver(s *local.Server) *s3.Driver { return s3.New(s3.Settings{Server: s3.At(place(s))}) }

func made(t testing.TB, d *s3.Driver, id string) providers.Instance {
	t.Helper()
	i := providers.Instance{
		ID: id, Params: json.RawMessage(`{}`), Plan: catalog.Plan{Name: "tight", Limits: catalog.Limits{"storage_bytes": 1000, "objects": 20}},
	}
	if p, err := d.Provision(t.Context(), i); err != nil || !p.Done {
		t.Fatalf("%+v %v", p, err)
	}
	t.Cleanup(func() {
		if _, err := d.Deprovision(context.Background(), i); err != nil {
			t.Error(err)
		}
	})
	return i
}

func bound(t testing.TB, d *s3.Driver, i providers.Instance, id string) (providers.Binding, *s3.App) {
	t.Helper()
	b := providers.Binding{ID: id, Seed: []byte("0123456789abcdef" + id)}
	g, p, err := d.Bind(t.Context(), i, b)
	if err != nil || !p.Done {
		t.Fatalf("%+v %v", p, err)
	}
	a, err := login(t.Context(), g.Credentials)
	if err != nil {
		t.Fatal(err)
	}
	return b, a.(*s3.App)
}

func TestPresignedAddressDiesWithItsKey(t *testing.T) {
	d := driver(server(t))
	i := made(t, d, "ins_presigned")
	b, a := bound(t, d, i, "bnd_presigned")
	if err := a.Put(t.Context(), "gift", "hello"); err != nil {
		t.Fatal(err)
	}
	u, err := a.PresignedGetObject(t.Context(), a.Bucket, "gift", time.Hour, nil)
	if err != nil {
		t.Fatal(err)
	}
	fetch := func() int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u.String(), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		return answer.StatusCode
	}
	if code := fetch(); code != http.StatusOK {
		t.Fatalf("status %d before", code)
	}
	if _, err := d.Unbind(t.Context(), i, b); err != nil {
		t.Fatal(err)
	}
	if code := fetch(); code < 400 {
		t.Errorf("status %d after Unbind", code)
	}
}

func TestPastThePlanOneMayReadAndDeleteOnly(t *testing.T) {
	d := driver(server(t))
	i := made(t, d, "ins_past")
	_, a := bound(t, d, i, "bnd_past")
	for name, size := range map[string]int{"big": 900, "more": 200} {
		if err := a.Put(t.Context(), name, strings.Repeat("x", size)); err != nil {
			t.Fatal(err)
		}
	}
	over, err := d.Watch(t.Context(), i)
	if err != nil || len(over) != 1 || over[0] != (providers.Excess{Limit: "storage_bytes", Allowed: 1000, Used: 1100, Held: true}) {
		t.Fatalf("%+v %v", over, err)
	}
	_, later := bound(t, d, i, "bnd_past_later") // a new key opens nothing
	for who, a := range map[string]*s3.App{"old": a, "new": later} {
		if err := a.Put(t.Context(), "one more", "x"); err == nil {
			t.Errorf("the %s key may write", who)
		}
		if got, err := a.Get(t.Context(), "more"); err != nil || len(got) != 200 {
			t.Errorf("the %s key cannot read: %v", who, err)
		}
	}
	if err := a.RemoveObject(t.Context(), a.Bucket, "big", minio.RemoveObjectOptions{}); err != nil {
		t.Fatalf("nothing can be removed: %v", err)
	}
	if over, err := d.Watch(t.Context(), i); err != nil || len(over) != 0 {
		t.Fatalf("%+v %v", over, err)
	}
	if err := a.Put(t.Context(), "one more", "x"); err != nil {
		t.Errorf("within the plan again and still frozen: %v", err)
	}
}

func TestUnfinishedUploadsCount(t *testing.T) {
	d := driver(server(t))
	i := made(t, d, "ins_parts")
	_, a := bound(t, d, i, "bnd_parts")
	core := minio.Core{Client: a.Client}
	id, err := core.NewMultipartUpload(t.Context(), a.Bucket, "big", minio.PutObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := core.PutObjectPart(t.Context(), a.Bucket, "big", id, 1, strings.NewReader(strings.Repeat("x", 1500)), 1500, minio.PutObjectPartOptions{}); err != nil {
		t.Fatal(err)
	}
	if over, err := d.Watch(t.Context(), i); err != nil || len(over) != 1 || over[0].Used != 1500 {
		t.Errorf("%+v %v", over, err)
	}
}

func TestNothingOpensASuspendedInstanceButResume(t *testing.T) {
	s := server(t)
	d := driver(s)
	i := made(t, d, "ins_shut")
	_, a := bound(t, d, i, "bnd_shut")
	if _, err := d.Suspend(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Watch(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Bind(t.Context(), i, providers.Binding{ID: "bnd_late", Seed: make([]byte, 32)}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Keys(t.Context()); err == nil {
		t.Error("watching or binding opened a suspended instance")
	}
	if _, err := d.Resume(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Keys(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRemovedByHand(t *testing.T) {
	s := server(t)
	d := driver(s)
	i := made(t, d, "ins_byhand")
	b, a := bound(t, d, i, "bnd_byhand")
	root, err := client("http://"+s.Address, s.User, s.Password)
	if err != nil {
		t.Fatal(err)
	}
	if err := root.RemoveBucket(t.Context(), a.Bucket); err != nil {
		t.Fatal(err)
	}
	if in, err := d.Inspect(t.Context(), i); err != nil || in.Exists {
		t.Errorf("%+v %v", in, err)
	}
	if _, _, err := d.Bind(t.Context(), i, b); fault.KindOf(err) != fault.Refused {
		t.Errorf("bind: %v", err)
	}
	if _, err := d.Read(t.Context(), i); fault.KindOf(err) != fault.Refused {
		t.Errorf("read: %v", err)
	}
	if p, err := d.Unbind(t.Context(), i, b); err != nil || !p.Done {
		t.Errorf("unbind: %v", err)
	}
}

func TestUnreachableServerIsUnavailable(t *testing.T) {
	d := s3.New(s3.Settings{Server: s3.At(s3.Server{Endpoint: "http://127.0.0.1:1", AccessKey: "root", Secret: "hunter2"})})
	p := providers.New(providers.Settings{Name: "s3"}, d, nil)
	_, err := p.Provision(t.Context(), providers.Instance{ID: "ins_x"})
	if fault.KindOf(err) != fault.Unavailable || strings.Contains(fmt.Sprint(err, errors.Unwrap(err)), "hunter2") {
		t.Errorf("got %v", err)
	}
	if fault.KindOf(p.Probe(t.Context())) != fault.Unavailable {
		t.Error("a probe finds a server that is not there")
	}
}

// A backup of a suspended instance, restored into another, holds every object with all that belongs to it.
func TestBackupAndRestore(t *testing.T) {
	d := driver(server(t))
	from, to := made(t, d, "ins_from"), made(t, d, "ins_to")
	_, a := bound(t, d, from, "bnd_from")
	_, b := bound(t, d, to, "bnd_to")
	big := bytes.Repeat([]byte("0123456789"), 1<<20)
	want := map[string]string{"a/b/c": "deep", "größe 🐘": "odd", `quo'te"s\`: "", "big": string(big)}
	for key, value := range want {
		_, err := a.PutObject(t.Context(), a.Bucket, key, strings.NewReader(value), int64(len(value)), minio.PutObjectOptions{
			ContentType: "text/x-test", CacheControl: "max-age=7", UserMetadata: map[string]string{"Colour": "blue"}, UserTags: map[string]string{"tag": "one"},
			DisableMultipart: true,
		})
		if err != nil {
			t.Fatalf("%q: %v", key, err)
		}
	}
	if _, err := d.Suspend(t.Context(), from); err != nil {
		t.Fatal(err)
	}
	var tar bytes.Buffer
	if err := d.Backup(t.Context(), from, &tar); err != nil {
		t.Fatal(err)
	}
	whole := bytes.Clone(tar.Bytes())
	if err := d.Restore(t.Context(), to, &tar); err != nil {
		t.Fatal(err)
	}
	counted, err := d.Count(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := d.Count(t.Context(), to); err != nil || !maps.Equal(counted, again) || counted["objects"] != int64(len(want)) {
		t.Errorf("%v became %v: %v", counted, again, err)
	}
	for key, value := range want {
		if got, err := b.Get(t.Context(), key); err != nil || got != value {
			t.Errorf("%q: %d bytes, %v", key, len(got), err)
		}
		info, err := b.StatObject(t.Context(), b.Bucket, key, minio.StatObjectOptions{})
		if err != nil || info.ContentType != "text/x-test" || info.Metadata.Get("Cache-Control") != "max-age=7" || info.UserMetadata["Colour"] != "blue" {
			t.Errorf("%q: %+v %v", key, info, err)
		}
		tags, err := b.GetObjectTagging(t.Context(), b.Bucket, key, minio.GetObjectTaggingOptions{})
		if err != nil || tags.ToMap()["tag"] != "one" {
			t.Errorf("%q: tags %v %v", key, tags, err)
		}
	}
	for name, broken := range map[string][]byte{"half": whole[:len(whole)/2], "noise": []byte(strings.Repeat("noise", 500))} {
		if err := d.Restore(t.Context(), to, bytes.NewReader(broken)); err == nil {
			t.Errorf("%s of a backup was taken for a whole one", name)
		}
	}
	if err := d.Backup(t.Context(), from, full{}); err == nil {
		t.Error("a backup that nobody took was called done")
	}
}

// full is a disk that is full.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestARestartKeepsKeysSuspensionsAndLevels(t *testing.T) {
	server(t)
	dir, err := local.Temporary("s3-restart")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	now, err := local.S3(t.Context(), dir, "secret")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = now.Stop() })
	d := driver(now)
	open, closed := made(t, d, "ins_open"), made(t, d, "ins_closed")
	_, a := bound(t, d, open, "bnd_open")
	_, b := bound(t, d, closed, "bnd_closed")
	if err := a.Put(t.Context(), "kept", "yes"); err != nil {
		t.Fatal(err)
	}
	before, err := d.Read(t.Context(), open)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Suspend(t.Context(), closed); err != nil {
		t.Fatal(err)
	}
	if err := now.Stop(); err != nil {
		t.Fatal(err)
	}
	if now, err = local.S3(t.Context(), dir, "secret"); err != nil {
		t.Fatal(err)
	}
	for who, d := range map[string]*s3.Driver{"the same process": d, "a new process": driver(now)} { // the levels are the server's: nothing is forgotten
		if after, err := d.Read(t.Context(), open); err != nil || !reflect.DeepEqual(before, after) {
			t.Errorf("%s reads %v and then %v: %v", who, before, after, err)
		}
	}
	if got, err := a.Get(t.Context(), "kept"); err != nil || got != "yes" {
		t.Errorf("%q %v", got, err)
	}
	if _, err := b.Keys(t.Context()); err == nil {
		t.Error("a restart opened a suspended instance")
	}
}

func TestHowLongItTakes(t *testing.T) {
	s := server(t)
	d := driver(s)
	root, err := client("http://"+s.Address, s.User, s.Password)
	if err != nil {
		t.Fatal(err)
	}
	var bare, provision, bind, unbind, removed time.Duration
	const rounds = 10
	took := func(into *time.Duration, f func() error) {
		t.Helper()
		began := time.Now()
		if err := f(); err != nil {
			t.Fatal(err)
		}
		*into += time.Since(began)
	}
	for n := range rounds {
		i, b := providers.Instance{ID: "ins_time" + strconv.Itoa(n)}, providers.Binding{ID: "bnd_time", Seed: make([]byte, 32)}
		took(&bare, func() error { return root.MakeBucket(t.Context(), "bare", minio.MakeBucketOptions{}) })
		if err := root.RemoveBucket(t.Context(), "bare"); err != nil {
			t.Fatal(err)
		}
		took(&provision, func() error { _, err := d.Provision(t.Context(), i); return err })
		took(&bind, func() error { _, _, err := d.Bind(t.Context(), i, b); return err })
		took(&unbind, func() error { _, err := d.Unbind(t.Context(), i, b); return err })
		took(&removed, func() error { _, err := d.Deprovision(t.Context(), i); return err })
	}
	providertest.KeepTimings(t, "s3",
		providertest.Timing{Verb: "provision", Mean: provision / rounds, Bare: "CreateBucket", Base: bare / rounds, Rounds: rounds},
		providertest.Timing{Verb: "bind", Mean: bind / rounds, Bare: "CreateBucket", Base: bare / rounds, Note: "the server has no command that does the same alone", Rounds: rounds},
		providertest.Timing{Verb: "unbind", Mean: unbind / rounds, Rounds: rounds},
		providertest.Timing{Verb: "deprovision", Mean: removed / rounds, Rounds: rounds})
}

// TestKeysAreTold: reconcile compares keys with bindings; one that is nobody's is shown under its own name.
func TestKeysAreTold(t *testing.T) {
	d := driver(server(t))
	i := made(t, d, "ins_told")
	for _, id := range []string{"bnd_told", "bnd_stranger"} {
		bound(t, d, i, id)
	}
	i.Bindings = []string{"bnd_told", "bnd_never"}
	in, err := d.Inspect(t.Context(), i)
	if _, there := in.Sessions["bnd_told"]; err != nil || !there || len(in.Sessions) != 2 {
		t.Errorf("%+v %v", in, err)
	}
	if _, there := in.Sessions["bnd_never"]; there {
		t.Error("a key that never was is told")
	}
}
