package main

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sutlerhq/sutler/providers/local"
)

// The command line is a program of its own within the scripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"sutler": func() { os.Exit(sutler()) }})
}

// TestScripts runs testdata/script: each is a page of the manual that is tried against a `sutler dev` of its own.
func TestScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts servers")
	}
	if err := local.InstallS3(t.Context(), filepath.Join("..", "..", ".cache", "bin")); err != nil {
		t.Log(err) // the scripts ask whether it is there
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("XDG_CONFIG_HOME", filepath.Join(e.WorkDir, "config"))
			e.Setenv("SUTLER_NO_KEYRING", "1")
			e.Setenv("NO_COLOR", "1")
			e.Defer(func() { sweep(e.WorkDir) })
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"ready": ready, "keep": keep, "exits": exits, "signin": signIn, "report": report,
		},
	})
}

// sweep removes what servers keep outside of dir: as root, they live where another user may enter, and a file "location" says where.
func sweep(dir string) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "location" {
			place, _ := os.ReadFile(path)
			if away := strings.TrimSpace(string(place)); strings.HasPrefix(away, "/var/tmp/sutler-") {
				_ = os.RemoveAll(away)
			}
		}
		return nil
	})
}

// ready FILE… waits until the files are there: dev.json says that the market answers.
func ready(ts *testscript.TestScript, neg bool, files []string) {
	deadline := time.Now().Add(60 * time.Second)
	for _, file := range files {
		for {
			if _, err := os.Stat(ts.MkAbs(file)); err == nil {
				break
			}
			if time.Now().After(deadline) {
				ts.Fatalf("%s is not there", file)
			}
			time.Sleep(20 * time.Millisecond) // another process makes it: there is nothing to be woken by
		}
	}
}

// keep NAME [FIELD…] puts what the last command wrote, or a field of its JSON, into a variable.
func keep(ts *testscript.TestScript, neg bool, args []string) {
	text := ts.ReadFile("stdout")
	if len(args) > 1 {
		var v any
		ts.Check(json.Unmarshal([]byte(text), &v))
		for _, field := range args[1:] {
			if list, ok := v.([]any); ok && len(list) > 0 {
				v = list[0]
			}
			object, ok := v.(map[string]any)
			if !ok {
				ts.Fatalf("%q is no object", text)
			}
			v = object[field]
		}
		text, _ = v.(string)
	}
	if text = strings.TrimSpace(text); text == "" {
		ts.Fatalf("nothing to keep")
	}
	ts.Setenv(args[0], text)
}

// exits CODE COMMAND… runs a command that ends with this code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := "0"
	if err != nil {
		code = regexp.MustCompile(`\d+$`).FindString(err.Error())
	}
	if code != args[0] {
		ts.Fatalf("%v ended with %s (%v), not with %s", args[1:], code, err, args[0])
	}
}

// signIn FILE EMAIL PASSWORD does what a browser and its person do with the address that `sutler login` wrote to FILE.
func signIn(ts *testscript.TestScript, neg bool, args []string) {
	var page string
	for deadline := time.Now().Add(20 * time.Second); page == ""; time.Sleep(20 * time.Millisecond) {
		raw, _ := os.ReadFile(ts.MkAbs(args[0]))
		page = regexp.MustCompile(`http://\S+/authorize\S+`).FindString(string(raw))
		if time.Now().After(deadline) {
			ts.Fatalf("no address to sign in at: %s", raw)
		}
	}
	jar, err := cookiejar.New(nil)
	ts.Check(err)
	browser := &http.Client{Jar: jar, Timeout: 20 * time.Second}
	form, at := visit(ts, browser, page)
	id := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(form)
	if id == nil {
		ts.Fatalf("no form to sign in with: %s", form)
	}
	at.Path, at.RawQuery = "/oidc/login", ""
	req, err := http.NewRequest(http.MethodPost, at.String(), strings.NewReader(url.Values{"id": {id[1]}, "email": {args[1]}, "password": {args[2]}}.Encode()))
	ts.Check(err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", at.Scheme+"://"+at.Host)
	resp, err := browser.Do(req)
	ts.Check(err)
	defer func() { _ = resp.Body.Close() }()
	last, _ := io.ReadAll(resp.Body)
	if !strings.Contains(string(last), "You are signed in") {
		ts.Fatalf("not signed in: %d %s", resp.StatusCode, last)
	}
}

func visit(ts *testscript.TestScript, browser *http.Client, page string) (string, *url.URL) {
	resp, err := browser.Get(page)
	ts.Check(err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	return string(body), resp.Request.URL
}

// report STATUS URL KEY EVENT sends a CloudEvent as a provider does, and writes the answer as standard output.
func report(ts *testscript.TestScript, neg bool, args []string) {
	req, err := http.NewRequest(http.MethodPost, args[1]+"/usage/events", strings.NewReader(args[3]))
	ts.Check(err)
	req.Header.Set("Content-Type", "application/cloudevents+json")
	req.Header.Set("Authorization", "Bearer "+args[2])
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	_, err = ts.Stdout().Write(body)
	ts.Check(err)
	if fmt.Sprint(resp.StatusCode) != args[0] {
		ts.Fatalf("%d %s, want %s", resp.StatusCode, body, args[0])
	}
}
