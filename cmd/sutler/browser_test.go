package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// window is a headless Chromium that notes errors of its console and requests to anybody but the market.
type window struct {
	*testing.T
	ctx context.Context
	url string
	mu  sync.Mutex
	bad []string
}

func newWindow(t *testing.T, url string) *window {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "" {
			t.Skip("no chromium: apt-get install chromium")
		}
		t.Fatal(err)
	}
	w := &window{T: t, url: url}
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.NoFirstRun)
	allocated, stop := chromedp.NewExecAllocator(context.Background(), flags...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocated, chromedp.WithListener(w.hear))
	t.Cleanup(cancel)
	w.ctx = ctx
	if _, err = chromedp.Call(ctx, log.Enable, cdp.Empty{}); err == nil {
		_, err = chromedp.Call(ctx, network.Enable, network.EnableParams{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *window) hear(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			w.bad = append(w.bad, e.Entry.Text+" "+e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, w.url) {
			w.bad = append(w.bad, "request to "+e.Request.URL)
		}
	}
}

// goes does something that leads to another page, and gives that page's address and what it says.
func (w *window) goes(action chromedp.Action[chromedp.Void]) (at, text string) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 20*time.Second)
	defer cancel()
	_, err := chromedp.RunResponse(ctx, action)
	if err == nil {
		at, err = chromedp.Run(ctx, chromedp.Location())
	}
	if err == nil {
		text, err = chromedp.Run(ctx, chromedp.Text(chromedp.CSS("main")))
	}
	if err != nil {
		w.Fatalf("%v at %s: %v", err, at, w.bad)
	}
	return strings.TrimPrefix(at, w.url), text
}

func (w *window) fill(selector, text string) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 20*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.SetValue(chromedp.CSS(selector), text)); err != nil {
		w.Fatal(err)
	}
}

// TestSigningInWithABrowser goes the way of somebody who comes for the first time: what is this, who am I, what is on sale, buy, sign out.
func TestSigningInWithABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	_, about := runDevMarket(t, filepath.Join(t.TempDir(), "market"), "--with-fake")
	ada := about.People[slices.IndexFunc(about.People, func(p demoPerson) bool { return p.Email == "ada@example.com" })]
	w := newWindow(t, about.URL)
	if at, text := w.goes(chromedp.Navigate(about.URL + "/")); at != "/signin" || !strings.Contains(text, "open marketplace") {
		t.Fatalf("a stranger comes to %s:\n%s", at, text)
	}
	if at, text := w.goes(chromedp.Click(chromedp.CSS(".btn.main"))); !strings.HasPrefix(at, "/oidc/login") {
		t.Fatalf("Sign in leads to %s:\n%s", at, text)
	}
	w.fill("#email", ada.Email)
	w.fill("#password", ada.Password)
	if at, text := w.goes(chromedp.Click(chromedp.CSS("button.main"))); !strings.HasPrefix(at, "/o/acme/") || !strings.Contains(text, "Marketplace") {
		t.Fatalf("signed in, one comes to %s:\n%s", at, text)
	}
	w.goes(chromedp.Navigate(about.URL + "/o/acme/shop/marketplace/fake/new?plan=sync&name=trial"))
	if at, text := w.goes(chromedp.Click(chromedp.CSS("form.two button.main"))); !strings.HasPrefix(at, "/o/acme/shop/instances/trial") {
		t.Fatalf("creating leads to %s:\n%s", at, text)
	}
	w.goes(chromedp.Navigate(about.URL + "/account"))
	if at, text := w.goes(chromedp.Steps(chromedp.Click(chromedp.CSS(".me-menu summary")), chromedp.Click(chromedp.CSS(".me-menu button")))); strings.HasPrefix(at, "/account") {
		t.Fatalf("signing out leads to %s:\n%s", at, text)
	}
	if at, text := w.goes(chromedp.Navigate(about.URL + "/o/acme/shop/instances")); strings.HasPrefix(at, "/o/") {
		t.Fatalf("signed out, one still sees %s:\n%s", at, text)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, note := range w.bad {
		t.Error(note)
	}
}
