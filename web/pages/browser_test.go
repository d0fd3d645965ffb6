package pages_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is one window of a headless Chromium that notes everything a page should not do.
type browser struct {
	*testing.T
	ctx  context.Context
	home string
	mu   sync.Mutex
	bad  []string
}

func newBrowser(t *testing.T, home string) *browser {
	t.Helper()
	if testing.Short() {
		t.Skip("short: no browser")
	}
	program, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "" {
			t.Skip("no chromium: apt-get install chromium")
		}
		t.Fatal(err)
	}
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.NoFirstRun)
	allocated, stop := chromedp.NewExecAllocator(context.Background(), flags...)
	t.Cleanup(stop)
	b := &browser{T: t, home: home}
	ctx, cancel := chromedp.NewContext(allocated, chromedp.WithListener(b.hear))
	t.Cleanup(cancel)
	b.ctx = ctx
	call(b, log.Enable, cdp.Empty{})
	call(b, network.Enable, network.EnableParams{})
	return b
}

// call sends one command to the browser.
func call[P, R any](b *browser, command cdp.Command[P, R], params P) R {
	b.Helper()
	r, err := chromedp.Call(b.ctx, command, params)
	if err != nil {
		b.Fatal(err)
	}
	return r
}

// hear notes errors of the console, breaches of the policy and requests to anybody else.
func (b *browser) hear(event any) {
	note := ""
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Source == log.EntrySourceSecurity {
			note = "console: " + e.Entry.Text + " " + e.Entry.URL
		}
	case *runtime.EventExceptionThrown:
		note = "script: " + e.ExceptionDetails.Text
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			note = "console: " + string(e.Type)
		}
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, b.home) {
			note = "request to " + e.Request.URL
		}
	}
	if note != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.bad = append(b.bad, note)
	}
}

// clean fails for everything that was noted but what holds one of the expected texts.
func (b *browser) clean(expected ...string) {
	b.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, note := range b.bad {
		known := false
		for _, e := range expected {
			known = known || strings.Contains(note, e)
		}
		if !known {
			b.Error(note)
		}
	}
}

// as signs somebody in by the cookie that the test's door knows.
func (b *browser) as(name string) {
	b.Helper()
	call(b, network.SetCookie, network.SetCookieParams{Name: "name", Value: name, URL: b.home})
}

func (b *browser) open(path string) {
	b.Helper()
	b.loads(chromedp.Navigate(b.home + path))
}

// click presses what the selector finds, and waits for the next page.
func (b *browser) click(selector string) {
	b.Helper()
	b.says(selector, "")
	b.loads(chromedp.Click(chromedp.CSS(selector)))
}

// loads does something that leads to another page and waits for it.
func (b *browser) loads(action chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, action); err != nil {
		b.stop("%v", err)
	}
}

// stop fails with what the page says.
func (b *browser) stop(format string, a ...any) {
	b.Helper()
	b.clean()
	b.Fatalf("%s; the page %s says:\n%s", fmt.Sprintf(format, a...), b.eval("location.href"), b.eval(`document.body.innerText`))
}

// eval gives what an expression comes to, promises included.
func (b *browser) eval(expression string) string {
	b.Helper()
	yes := true
	r := call(b, runtime.Evaluate, runtime.EvaluateParams{Expression: `(async () => String(await (` + expression + `)))()`, AwaitPromise: &yes, ReturnByValue: &yes})
	var text string
	if r.ExceptionDetails != nil || json.Unmarshal(r.Result.Value, &text) != nil {
		b.Fatalf("%s: %+v", expression, r.ExceptionDetails)
	}
	return text
}

// until waits for a condition on the page that is open.
func (b *browser) until(condition string) {
	b.Helper()
	if b.eval(`new Promise(done => {
		const end = Date.now() + 15000;
		const look = () => (`+condition+`) ? done(true) : Date.now() > end ? done(false) : setTimeout(look, 20);
		look();
	})`) != "true" {
		b.stop("never came: %s", condition)
	}
}

// says waits until what the selector finds says text.
func (b *browser) says(selector, text string) {
	b.Helper()
	b.until(fmt.Sprintf(`[...document.querySelectorAll(%q)].some(e => e.textContent.includes(%q))`, selector, text))
}

// fill types a value into a field, or chooses it.
func (b *browser) fill(selector, value string) {
	b.Helper()
	b.says(selector, "")
	b.eval(fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.value = %q; for (const n of ["input", "change"]) e.dispatchEvent(new Event(n, { bubbles: true })); })()`, selector, value))
}

// copies presses a button that copies, and looks at what it put on the clipboard.
func (b *browser) copies(selector, text string) {
	b.Helper()
	b.until(fmt.Sprintf(`document.querySelector(%q)?.checkVisibility()`, selector))
	b.eval(fmt.Sprintf(`(() => { navigator.clipboard.writeText = async text => { window.copied = text; }; document.querySelector(%q).click(); })()`, selector))
	b.until(fmt.Sprintf(`(window.copied || "").includes(%q)`, text))
	b.says(selector, "Copied")
}

// press presses keys.
func (b *browser) press(keys string) {
	b.Helper()
	if err := chromedp.Do(b.ctx, chromedp.KeyEvent(keys)); err != nil {
		b.Fatal(err)
	}
}

func (b *browser) window(width int64, scheme string) {
	b.Helper()
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 800, DeviceScaleFactor: 1, Mobile: width < 600})
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
}

// picture puts the page that is open into the folder for screenshots: wide and narrow, light and dark.
func (b *browser) picture(name string) {
	b.Helper()
	if screenshots() == "" {
		return
	}
	for _, width := range []int64{1280, 400} {
		for _, scheme := range []string{"light", "dark"} {
			b.window(width, scheme)
			b.eval(`scrollTo(0, 0)`)
			png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
			if err == nil {
				err = os.WriteFile(filepath.Join(screenshots(), fmt.Sprintf("%s-%d-%s.png", name, width, scheme)), png, 0o600)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

// keepsHead fails when a list's head leaves the window while its rows are read.
func (b *browser) keepsHead() {
	b.Helper()
	b.window(1280, "light")
	b.eval(`scrollTo(0, 700)`)
	b.until(`scrollY > 600`)
	if top := b.eval(`Math.round(document.querySelector("main th").getBoundingClientRect().top)`); top != "52" {
		b.Errorf("the list's head stands at %s, want it under the bar", top)
	}
}

// fits fails when the page is wider than a narrow window.
func (b *browser) fits() {
	b.Helper()
	b.window(400, "light")
	if over := b.eval(`document.documentElement.scrollWidth - 400`); over != "0" { // innerWidth grows with what is too wide
		b.Errorf("it is %s pixels wider than a window of 400: %s", over, b.eval(`[...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > 401).slice(0, 4).map(e => e.tagName + "." + e.className).join(" ")`))
	}
	b.window(1280, "light")
}
