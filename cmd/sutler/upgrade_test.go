package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/web/client"
)

// upgrades runs `sutler upgrade` against the market, and gives its exit code, the instances it speaks of with their states, and its talk.
func (s site) upgrades(t *testing.T, args ...string) (code int, states, talk string) {
	t.Helper()
	var out, said bytes.Buffer
	env := map[string]string{"SUTLER_URL": s.url, "SUTLER_TOKEN": s.token}
	code = execute(t.Context(), append([]string{"upgrade", "--json"}, args...), terminal{in: strings.NewReader(""), out: &out, err: &said, env: func(k string) string { return env[k] }})
	var rows []upgradeRow
	if err := json.Unmarshal(out.Bytes(), &rows); err != nil {
		t.Fatalf("%v: %s %s", err, out.String(), said.String())
	}
	for _, r := range rows {
		states += fmt.Sprintf("%s %s>%s %s, ", r.Name, r.From, r.To, r.State)
	}
	return code, strings.TrimSuffix(states, ", "), said.String()
}

// TestUpgradeAll brings a market to the new maintenance version of a plan: shown before, stopped at a failure, gone on with, done.
func TestUpgradeAll(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	dir := t.TempDir()
	s := newSite(t, dbtest.SQLite(t), "first", fakeProvider(dir))
	p := s.run(t)
	for _, name := range []string{"one", "two", "three", "four"} {
		n := client.NewInstance{Want: "fake:maintained", Org: devOrg, Project: devProject, Name: name}
		if name == "three" {
			n.Params = json.RawMessage(`{"label":"stubborn"}`)
		}
		var made client.Ordered
		p.await(t, "accepted order", func() (ok bool) {
			var err error
			made, err = s.client().CreateInstance(t.Context(), n)
			return err == nil
		})
		s.awaitReady(t, p, made.ID)
	}
	if code, states, _ := s.upgrades(t, "--all"); code != exitOK || states != "" {
		t.Fatal("nothing is behind", code, states)
	}
	p.stop(t)
	s = newer(t, s, dir)
	p = s.run(t)
	all := "four 2.1.0>2.2.0 planned, one 2.1.0>2.2.0 planned, three 2.1.0>2.2.0 planned, two 2.1.0>2.2.0 planned"
	p.await(t, "new version", func() bool {
		_, states, _ := s.upgrades(t, "--all", "--dry-run")
		return states == all
	})
	code, states, talk := s.upgrades(t, "--all", "--batch", "1")
	if want := "four 2.1.0>2.2.0 upgraded, one 2.1.0>2.2.0 upgraded, three 2.1.0>2.2.0 failed, two 2.1.0>2.2.0 left"; code != exitProvider || states != want {
		t.Errorf("it ended with %d: %s, want %s", code, states, want)
	}
	if !strings.Contains(talk, "2 upgraded, 1 failed, 0 skipped, 1 left.") || !strings.Contains(talk, "stubborn") {
		t.Error(talk)
	}
	if code, states, _ := s.upgrades(t, "--all", "--max-failures", "2"); code != exitProvider || states != "three 2.1.0>2.2.0 failed, two 2.1.0>2.2.0 upgraded" {
		t.Errorf("it ended with %d: %s", code, states)
	}
	if code, states, _ := s.upgrades(t, "--all", "--dry-run", "--project", devProject, "--org", devOrg); code != exitOK || states != "three 2.1.0>2.2.0 planned" {
		t.Errorf("it ended with %d: %s", code, states)
	}
}

// newer is the market with another maintenance version of its plan.
func newer(t *testing.T, s site, dir string) site {
	t.Helper()
	port := strings.TrimPrefix(s.url, "http://127.0.0.1:")
	s.write(t, fmt.Sprintf("store: ${SUTLER_TEST_STORE}\nlisten: 127.0.0.1:%s\npublic_url: %s\nmaster_key: %s\nnode: first\nseller: {name: Test, country: DE}\nproviders:\n%s",
		port, s.url, strings.TrimSuffix(s.config, "sutler.yaml")+"master.key", strings.Replace(fakeProvider(dir), "{dir: ", "{version: 2.2.0, dir: ", 1)))
	return s
}
