package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/client"
)

func TestExitCodes(t *testing.T) {
	for want, errs := range map[int][]error{
		exitOK:          {nil},
		exitError:       {errors.New("x"), fault.Internal.Errorf("x"), fault.Unprocessable.Errorf("x")},
		exitUsage:       {usagef("x"), &client.Error{Code: "invalid"}},
		exitNotFound:    {&client.Error{Code: "not_found"}, fault.Gone.Errorf("x")},
		exitNotSignedIn: {&client.Error{Code: "unauthenticated"}},
		exitRefused:     {&client.Error{Code: "forbidden"}, &client.Error{Code: "refused"}},
		exitConflict:    {&client.Error{Code: "conflict"}, &client.Error{Code: "busy"}},
		exitTimeout:     {context.DeadlineExceeded, fault.Timeout.Errorf("x")},
		exitProvider:    {&client.Error{Code: "provider_failed"}, &client.Error{Code: "unavailable"}},
		exitInterrupted: {context.Canceled},
		143:             {childExit(143)},
	} {
		for _, err := range errs {
			if got := exitCode(err); got != want {
				t.Errorf("%v ends with %d, want %d", err, got, want)
			}
		}
	}
}

func TestParameters(t *testing.T) {
	for _, c := range []struct {
		raw   string
		pairs []string
		want  string // "" means refused
	}{
		{"", nil, "null"},
		{`{"a":1}`, nil, `{"a":1}`},
		{"", []string{"size=small", "n=3", "on=true", `list=["x"]`, "eq=a=b", "empty="}, `{"empty":"","eq":"a=b","list":["x"],"n":3,"on":true,"size":"small"}`},
		{`[1]`, nil, ""},
		{"", []string{"novalue"}, ""},
		{"", []string{"=x"}, ""},
		{`{}`, []string{"a=1"}, ""},
	} {
		got, err := parameters(c.raw, c.pairs)
		if got == nil && err == nil {
			got = []byte("null")
		}
		if string(got) != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q %q: %s, %v", c.raw, c.pairs, got, err)
		}
	}
}

func TestSpan(t *testing.T) {
	for word, want := range map[string]time.Duration{"90m": 90 * time.Minute, "31d": 31 * 24 * time.Hour, "1h30m": 90 * time.Minute, "0h": 0, "-1h": 0, "xd": 0, "1.5d": 0, "d": 0, "": 0} {
		got, err := span(word)
		if got != want && err == nil || (err == nil) != (want > 0) {
			t.Errorf("%q: %v, %v", word, got, err)
		}
	}
}

func TestWordsForPeople(t *testing.T) {
	for got, want := range map[string]string{
		quantity("1", "hour"):                "1 hour",
		quantity("194", "hour"):              "194 hours",
		quantity("0.742776849238", "months"): "0.7428 months",
		quantity("3", "GiB"):                 "3 GiB",
		quantity("2", ""):                    "2",
		quantity("50", "query"):              "50 queries",
		quantity("3", "day"):                 "3 days",
		quantity("555986.6667", "byte"):      "555987 bytes",
		quantity("1.2", "byte"):              "1 byte",
		quantity("0.25", "byte"):             "0.25 bytes",
		limits(map[string]int64{"connections": 20, "storage_bytes": 10 << 30, "payload_bytes": 1500}): "connections 20\npayload 1500 B\nstorage 10 GiB",
		lasting(31 * 24 * time.Hour): "31 days",
		lasting(36 * time.Hour):      "1 day 12h",
		lasting(90 * time.Minute):    "1h30m",
		lasting(10 * time.Second):    "10s",
		lasting(0):                   "0s",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// An app's environment replaces ours, and our token stays with us.
func TestEnvironmentOfAChild(t *testing.T) {
	got := environment([]string{"PATH=/bin", "DATABASE_URL=old", "SUTLER_TOKEN=sut_x", "A=b=c"}, map[string]string{"DATABASE_URL": "new", "B": "2"})
	if want := "PATH=/bin A=b=c B=2 DATABASE_URL=new"; strings.Join(got, " ") != want {
		t.Errorf("%v, want %s", got, want)
	}
}

// Every command explains itself: a short line, and no two flags that mean the same.
func TestEveryCommandExplainsItself(t *testing.T) {
	root := newRoot(terminal{in: strings.NewReader(""), out: &bytes.Buffer{}, err: &bytes.Buffer{}, env: func(string) string { return "" }})
	var names []string
	for queue := root.Commands(); len(queue) > 0; queue = queue[1:] {
		c := queue[0]
		queue = append(queue, c.Commands()...)
		names = append(names, c.CommandPath())
		if c.Short == "" || strings.HasSuffix(c.Short, ".") && c.Parent() != root {
			t.Errorf("%q says %q", c.CommandPath(), c.Short)
		}
	}
	all := strings.Join(names, "\n") + "\n"
	for _, want := range []string{
		"marketplace", "create", "instances", "info", "bind", "unbind", "who-has", "open", "destroy", "env", "run", "usage", "costs", "invoices", "invoice show",
		"invoice preview", "invoice verify", "org create", "project create", "app create", "member set", "token create", "token revoke", "login",
		"logout", "whoami", "platform create", "platform delete", "operations", "audit list", "audit verify", "provider key", "dev clock show",
		"dev clock advance", "version",
	} {
		if !strings.Contains(all, "sutler "+want+"\n") {
			t.Errorf("there is no %q", want)
		}
	}
}
