// Command guestbook is an app that knows nothing of Sutler: it looks at its environment, and in every PostgreSQL, Redis and NATS it
// finds there it leaves an entry and reads it back; of other backends it says that it leaves them alone. It fails when one of them does not answer, or when there is none.
//
//	sutler run --app guestbook -- guestbook
package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// sign leaves an entry in the backend at address, reads it back and says what it found.
type sign func(ctx context.Context, address, entry string) (found string, err error)

// books are the backends the guestbook can write in, by the scheme of their address.
func books() map[string]sign {
	return map[string]sign{"postgres": signPostgres, "postgresql": signPostgres, "nats": signNATS, "tls": signNATS, "redis": signRedis}
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	os.Exit(run(ctx, os.Environ(), os.Stdout))
}

// run signs every backend of the environment and gives the exit code.
func run(ctx context.Context, environ []string, out io.Writer) int {
	entry := "signed at " + time.Now().UTC().Format("15:04:05.000")
	found, failed := 0, 0
	for _, name := range backends(environ) {
		found++
		address := value(environ, name)
		scheme, _, _ := strings.Cut(address, "://")
		start := time.Now()
		what, err := books()[scheme](ctx, address, entry)
		if err != nil {
			failed++
			fmt.Fprintf(out, "✗ %-18s %s: %s\n", name, place(address), clean(err, address))
			continue
		}
		fmt.Fprintf(out, "✓ %-18s %s: %s (%s)\n", name, place(address), what, time.Since(start).Round(time.Millisecond))
	}
	for _, name := range strangers(environ) {
		address := value(environ, name)
		scheme, _, _ := strings.Cut(address, "://")
		fmt.Fprintf(out, "– %-18s %s: left alone, the guestbook does not speak %s\n", name, place(address), scheme)
	}
	if found == 0 {
		fmt.Fprintln(out, "The environment names no backend: no variable ends in _URL with an address such as postgres://, redis:// or nats://.")
	}
	if found == 0 || failed > 0 {
		return 1
	}
	return 0
}

// backends lists the variables that name a backend we know, in the order of their names.
func backends(environ []string) []string {
	return urls(environ, func(scheme string) bool { return books()[scheme] != nil })
}

// strangers lists those that name a backend which we do not speak to. Pages of the web are none.
func strangers(environ []string) []string {
	return urls(environ, func(scheme string) bool { return books()[scheme] == nil && scheme != "http" && scheme != "https" })
}

func urls(environ []string, fits func(scheme string) bool) (names []string) {
	for _, e := range environ {
		name, address, _ := strings.Cut(e, "=")
		scheme, _, ok := strings.Cut(address, "://")
		if ok && strings.HasSuffix(name, "_URL") && fits(scheme) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func value(environ []string, name string) (last string) {
	for _, e := range environ {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			last = v
		}
	}
	return last
}

// place is an address without what is secret in it.
func place(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "(an address that is none)"
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// clean keeps the password out of an error's text.
func clean(err error, address string) string {
	text := err.Error()
	if u, bad := url.Parse(address); bad == nil && u.User != nil {
		if p, ok := u.User.Password(); ok && p != "" {
			text = strings.ReplaceAll(text, p, "***")
		}
	}
	return text
}
