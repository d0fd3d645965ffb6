package redis_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	client "github.com/redis/go-redis/v9"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/providertest"
	"github.com/sutlerhq/sutler/providers/redis"
)

// fleet is a folder of real servers that end with the test.
func fleet(t testing.TB) *local.Fleet {
	t.Helper()
	if testing.Short() {
		t.Skip("short: no servers")
	}
	if err := local.Ensure(t.Context(), "redis"); err != nil {
		t.Fatal(err)
	}
	dir, err := local.Temporary("redis")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	f, err := local.OpenFleet(dir, local.FleetOptions{Kind: "redis"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// sharedServer is a server given by its address, with users in a file.
func sharedServer(t testing.TB) string {
	t.Helper()
	f := fleet(t)
	p, err := f.Make(t.Context(), "shared", func(p local.Place) (local.Run, error) {
		program, err := local.Program("redis")
		sum := sha256.Sum256([]byte("admin"))
		users := filepath.Join(p.Data, "users.acl")
		err = errors.Join(err, os.WriteFile(users, fmt.Appendf(nil, "user default off\nuser admin on #%x ~* &* +@all\n", sum), 0o600))
		return local.Run{Program: program, Args: []string{"--port", strconv.Itoa(p.Port), "--bind", "127.0.0.1", "--aclfile", users, "--save", ""}, Stop: syscall.SIGTERM}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return "redis://admin:admin@" + p.Address
}

func login(ctx context.Context, credentials map[string]any) (providertest.Session, error) {
	a, err := redis.Login(ctx, credentials)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// forbidden are commands that change the server, make it connect elsewhere, or look at what is not the tenant's.
var forbidden = []string{
	"CONFIG GET *", "CONFIG SET maxmemory 0", "CONFIG REWRITE", "ACL LIST", "ACL USERS", "ACL SETUSER x on", "ACL GETUSER sutler", "ACL LOG", "DEBUG SLEEP 0", "DEBUG JMAP",
	"MODULE LOAD /tmp/x.so", "MODULE LIST", "REPLICAOF 127.0.0.1 1", "SLAVEOF 127.0.0.1 1", "MIGRATE 127.0.0.1 1 k 0 10", "SHUTDOWN", "SAVE", "BGSAVE", "BGREWRITEAOF", "MONITOR",
	"SYNC", "PSYNC ? -1", "CLIENT KILL TYPE normal", "CLIENT LIST", "CLIENT PAUSE 1", "FAILOVER", "CLUSTER MEET 127.0.0.1 1", "LATENCY DOCTOR", "SLOWLOG GET", "SWAPDB 0 1", "COMMAND LOG",
}

// forbiddenShared are those that show or harm a neighbour besides.
var forbiddenShared = []string{
	"KEYS *", "SCAN 0", "RANDOMKEY", "DBSIZE", "SELECT 1", "FLUSHALL", "FLUSHDB", "MOVE %[1]sx 1", "COPY %[1]sx %[1]sy DB 1", "PUBSUB CHANNELS", "CLIENT TRACKING ON BCAST", "EVAL return 0",
	"SCRIPT FLUSH", "FUNCTION FLUSH", "FUNCTION LIST", "INFO", "SORT %[1]sx BY *", "GET %[2]ssecret", "SET %[2]ssecret x", "DEL %[2]ssecret", "EXISTS %[2]ssecret", "TYPE %[2]ssecret", "DUMP %[2]ssecret",
	"SUBSCRIBE %[2]schannel", "PSUBSCRIBE *", "PUBLISH %[2]schannel x", "RENAME %[2]ssecret %[1]smine", "COPY %[2]ssecret %[1]smine", "RENAME %[1]smine %[2]sx", "GETDEL %[2]ssecret",
	"OBJECT ENCODING %[2]ssecret", "MEMORY USAGE %[2]ssecret", "SUBSCRIBE __keyevent@0__:set", "XREAD STREAMS %[2]ss 0", "WATCH %[2]ssecret",
}

func trespass(ctx context.Context, mine, theirs map[string]any) error {
	mixed := maps.Clone(mine)
	if mine["prefix"] == nil { // one's own login at the other's server
		mixed["uri"] = strings.Replace(mine["uri"].(string), fmt.Sprint(mine["port"]), fmt.Sprint(theirs["port"]), 1)
		if s, err := login(ctx, mixed); err == nil {
			s.Close()
			return nil
		}
	}
	list := slices.Clone(forbidden)
	if mine["prefix"] != nil {
		list = append(list, forbiddenShared...)
	}
	for _, command := range list {
		s, err := login(ctx, mine)
		if err != nil {
			return err
		}
		if strings.Contains(command, "%") {
			command = fmt.Sprintf(command, mine["prefix"], theirs["prefix"])
			command = strings.Split(command, "%!(EXTRA")[0]
		}
		var args []any
		for _, f := range strings.Fields(command) {
			args = append(args, f)
		}
		err = s.(*redis.App).Do(ctx, args...).Err()
		s.Close()
		if err == nil || !strings.HasPrefix(err.Error(), "NOPERM") && !strings.HasPrefix(err.Error(), "ERR unknown") && !strings.Contains(err.Error(), "not allowed") {
			fmt.Fprintf(os.Stderr, "%s: %v\n", command, err)
			return nil
		}
	}
	return errors.New("refused everywhere")
}

// cling tries to keep the login by another password, and holds on to the server with a transaction and a subscription.
func cling(ctx context.Context, s providertest.Session) error {
	a := s.(*redis.App)
	if err := a.Do(ctx, "ACL", "SETUSER", "default", "on", "nopass").Err(); err == nil {
		return errors.New("an app made itself a login")
	}
	return a.Do(ctx, "WATCH", a.Prefix+"kept").Err()
}

func open(t testing.TB, s redis.Settings) *providers.Provider {
	t.Helper()
	d := redis.New(s)
	t.Cleanup(d.Close)
	return providers.New(providers.Settings{Name: "redis", Failures: 1000}, d, nil)
}

func plans(t testing.TB, p *providers.Provider) providertest.Harness {
	t.Helper()
	list, err := p.Offerings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h := providertest.Harness{Provider: p, Plan: list[0].Plans[0], Login: login, Trespass: trespass, Cling: cling}
	if len(list[0].Plans) > 1 {
		h.Other = list[0].Plans[1]
	}
	return h
}

func own(t testing.TB) providertest.Harness {
	f := fleet(t)
	settings := redis.Settings{Servers: f}
	h := plans(t, open(t, settings))
	h.Leftovers = func(context.Context) (list []string, err error) {
		entries, err := os.ReadDir(f.Dir())
		for _, e := range entries {
			list = append(list, e.Name())
		}
		return list, err
	}
	h.Reopen = func(context.Context) (*providers.Provider, error) { return open(t, settings), nil }
	h.Reset = func(ctx context.Context, i providers.Instance) error { return resetCounters(ctx, f, i.ID) }
	h.Restart = func(ctx context.Context, i providers.Instance) error {
		return f.Restart(ctx, providers.Name("rd", i.ID), nil)
	}
	return h
}

// resetCounters lets an instance's own server begin its statistics anew.
func resetCounters(ctx context.Context, f *local.Fleet, instance string) error {
	p, err := f.Server(ctx, providers.Name("rd", instance))
	if err != nil {
		return err
	}
	password, err := p.Kept("admin")
	if err != nil {
		return err
	}
	c := client.NewClient(&client.Options{Addr: p.Address, Username: "sutler", Password: string(password)})
	defer c.Close()
	return c.ConfigResetStat(ctx).Err()
}

func shared(t testing.TB) providertest.Harness {
	address := sharedServer(t)
	settings := redis.Settings{Shared: func() (string, error) { return address, nil }}
	h := plans(t, open(t, settings))
	h.Other = h.Plan
	o, err := client.ParseURL(address)
	if err != nil {
		t.Fatal(err)
	}
	admin := client.NewClient(o)
	t.Cleanup(func() { admin.Close() })
	h.Leftovers = func(ctx context.Context) ([]string, error) {
		users, err := admin.ACLList(ctx).Result()
		keys, err2 := admin.Keys(ctx, "*").Result()
		return append(users, keys...), errors.Join(err, err2)
	}
	h.Reopen = func(context.Context) (*providers.Provider, error) { return open(t, settings), nil }
	return h
}

func TestConformance(t *testing.T) {
	for name, make := range map[string]func(testing.TB) providertest.Harness{"own": own, "shared": shared} {
		t.Run(name, func(t *testing.T) {
			h := make(t)
			providertest.Keep(t, "redis, "+name, providertest.Conform(t, 2*time.Minute, func(*testing.T) providertest.Harness { return h }))
		})
	}
}

func instance(t testing.TB, h providertest.Harness, id string) (providers.Instance, map[string]any, *redis.App, providers.Binding) {
	t.Helper()
	i := providers.Instance{ID: id, Plan: h.Plan, Params: json.RawMessage(`{}`)}
	if _, err := h.Provider.Provision(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	b := providers.Binding{ID: "bnd_" + id, Seed: []byte("0123456789abcdef" + id)}
	g, _, err := h.Provider.Bind(t.Context(), i, b)
	if err != nil {
		t.Fatal(err)
	}
	s, err := login(t.Context(), g.Credentials)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return i, g.Credentials, s.(*redis.App), b
}

func TestBackupRestoresIntoTheOtherForm(t *testing.T) {
	from, to := own(t), shared(t)
	source, _, a, _ := instance(t, from, "ins_from")
	ctx := t.Context()
	for n := range 1200 {
		if err := a.Put(ctx, fmt.Sprintf("key %d \x00\xff", n), strconv.Itoa(n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(a.RPush(ctx, "list", "a", "b").Err(), a.Expire(ctx, "list", time.Hour).Err()); err != nil {
		t.Fatal(err)
	}
	if _, err := from.Provider.Suspend(ctx, source); err != nil {
		t.Fatal(err)
	}
	var copied bytes.Buffer
	if err := from.Provider.Backup(ctx, source, &copied); err != nil {
		t.Fatal(err)
	}
	target, _, b, _ := instance(t, to, "ins_to")
	if err := to.Provider.Restore(ctx, target, bytes.NewReader(copied.Bytes())); err != nil {
		t.Fatal(err)
	}
	one, err := from.Provider.Count(ctx, source)
	two, err2 := to.Provider.Count(ctx, target)
	if err := errors.Join(err, err2); err != nil || !maps.Equal(one, two) || one["db0"] != 1201 {
		t.Errorf("%v became %v (%v)", one, two, err)
	}
	if got, err := b.Get(ctx, "key 7 \x00\xff"); err != nil || got != "7" {
		t.Errorf("%q, %v", got, err)
	}
	if ttl := b.TTL(ctx, b.Prefix+"list").Val(); ttl <= 0 || ttl > time.Hour {
		t.Errorf("the list's time to live is %s", ttl)
	}
	text := copied.Bytes()
	text[len(text)/2] ^= 1
	for what, broken := range map[string][]byte{"changed": text, "cut": text[:len(text)/3], "foreign": []byte("PGDMP")} {
		if err := to.Provider.Restore(ctx, target, bytes.NewReader(broken)); err == nil {
			t.Errorf("a %s backup was restored without a word", what)
		}
	}
}

func TestLimitsAreHeld(t *testing.T) {
	h := own(t)
	i, credentials, a, b := instance(t, h, "ins_limits")
	ctx := t.Context()
	var err error
	for n := 0; err == nil && n < 100; n++ {
		err = a.Put(ctx, strconv.Itoa(n), strings.Repeat("x", 1<<20))
	}
	if err == nil || !strings.HasPrefix(err.Error(), "OOM") {
		t.Errorf("100 MiB went into 32: %v", err)
	}
	var open []providertest.Session
	defer func() {
		for _, s := range open {
			s.Close()
		}
	}()
	for err = nil; err == nil && len(open) < 100; {
		var s providertest.Session
		if s, err = login(ctx, credentials); err == nil {
			open = append(open, s)
		}
	}
	if limit := int(h.Plan.Limits["connections"]) + 8; err == nil || len(open) > limit {
		t.Errorf("%d connections were let in: %v", len(open), err)
	}
	in, err := h.Provider.Inspect(ctx, i)
	if err != nil || in.Sessions[b.ID] != len(open)+1 {
		t.Errorf("%d sessions, Inspect says %v: %v", len(open)+1, in, err)
	}
	later, err := h.Reopen(ctx) // a new process of the market finds the server full
	if err != nil {
		t.Fatal(err)
	}
	if _, err := later.Unbind(ctx, i, b); err != nil {
		t.Errorf("an app that takes all connections cannot be unbound: %v", err)
	}
	if s, err := login(ctx, credentials); err == nil {
		s.Close()
		t.Error("it logs in after Unbind")
	}
}

func TestEndlessScriptKeepsNobodyIn(t *testing.T) {
	h := own(t)
	for what, script := range map[string]string{"reads": "while true do end", "writes": "redis.call('SET','a','b') while true do end"} {
		i, credentials, a, b := instance(t, h, "ins_"+what)
		if err := a.Put(t.Context(), "kept", "yes"); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- a.Do(context.WithoutCancel(t.Context()), "EVAL", script, "0").Err() }()
		for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); { // until the script is what the server does
			s, err := login(t.Context(), credentials)
			if err != nil {
				break
			}
			s.Close()
		}
		var err error
		for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); { // asked again, as the broker does
			if _, err = h.Provider.Unbind(t.Context(), i, b); err == nil {
				break
			}
		}
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		<-ended
		if s, err := login(t.Context(), credentials); err == nil {
			s.Close()
			t.Errorf("%s: it logs in after Unbind", what)
		}
	}
}

func TestUpdateCountsAtOnceAndRefusesWhatDoesNotFit(t *testing.T) {
	h := own(t)
	i, _, a, _ := instance(t, h, "ins_update")
	next := i
	next.Plan = h.Other
	if _, err := h.Provider.Update(t.Context(), i, next); err != nil {
		t.Fatal(err)
	}
	for n := range 40 {
		if err := a.Put(t.Context(), strconv.Itoa(n), strings.Repeat("x", 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.Provider.Update(t.Context(), next, i); err == nil {
		t.Error("40 MiB were put into a plan of 32")
	}
	if err := a.Put(t.Context(), "more", strings.Repeat("x", 1<<20)); err != nil {
		t.Errorf("a refused update changed the plan: %v", err)
	}
}

func TestHowLongItTakes(t *testing.T) {
	h, ctx := own(t), t.Context()
	o, err := client.ParseURL(sharedServer(t))
	if err != nil {
		t.Fatal(err)
	}
	admin := client.NewClient(o)
	defer admin.Close()
	var took [5]time.Duration
	const rounds = 5
	for n := range rounds {
		i := providers.Instance{ID: fmt.Sprintf("ins_time_%d", n), Plan: h.Plan, Params: json.RawMessage(`{}`)}
		b := providers.Binding{ID: "bnd_" + i.ID, Seed: []byte("0123456789abcdef")}
		for v, verb := range []func() error{
			func() error { _, err := h.Provider.Provision(ctx, i); return err },
			func() error { _, _, err := h.Provider.Bind(ctx, i, b); return err },
			func() error { _, err := h.Provider.Unbind(ctx, i, b); return err },
			func() error { _, err := h.Provider.Deprovision(ctx, i); return err },
			func() error {
				return errors.Join(admin.Do(ctx, "ACL", "SETUSER", "x", "on", ">bare", "~*", "+@all").Err(), admin.Do(ctx, "ACL", "SAVE").Err())
			},
		} {
			began := time.Now()
			if err := verb(); err != nil {
				t.Fatal(err)
			}
			took[v] += time.Since(began)
		}
	}
	providertest.KeepTimings(t, "redis, own",
		providertest.Timing{Verb: "provision", Mean: took[0] / rounds, Note: "a server process until it answers; there is no command", Rounds: rounds},
		providertest.Timing{Verb: "bind", Mean: took[1] / rounds, Bare: "ACL SETUSER, ACL SAVE", Base: took[4] / rounds, Rounds: rounds},
		providertest.Timing{Verb: "unbind", Mean: took[2] / rounds, Rounds: rounds},
		providertest.Timing{Verb: "deprovision", Mean: took[3] / rounds, Rounds: rounds})
}
