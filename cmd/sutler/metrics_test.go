package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/sutlerhq/sutler/web/client"
)

// alerts gives the expressions of deploy/alerts.yaml.
func alerts(t *testing.T) (list []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "deploy/alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.UnmarshalWithOptions(text, &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if _, err := time.ParseDuration(r.For); err != nil || r.Alert == "" || r.Labels["severity"] == "" || r.Annotations["summary"] == "" {
				t.Errorf("%+v is no rule", r)
			}
			list = append(list, r.Expr)
		}
	}
	return list
}

// panels gives the expressions of deploy/dashboard.json.
func panels(t *testing.T) (list []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "deploy/dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			list = append(list, target.Expr)
		}
	}
	return list
}

// scrape reads /metrics as Prometheus does.
func scrape(t *testing.T, about devJSON) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, about.URL+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+about.Token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%d %s %v", resp.StatusCode, body, err)
	}
	return string(body)
}

var (
	namedSeries = regexp.MustCompile(`\bsutler_[a-z_]+\b`)
	shownSeries = regexp.MustCompile(`(?m)^(sutler_[a-z_]+)(\{[^}]*\})? `)
)

// nothingYet expects the series that alerts are made of at zero before anything has happened.
func nothingYet(t *testing.T, text string) {
	t.Helper()
	for _, want := range []string{
		`sutler_operations{provider="make-believe",state="in progress",verb="provision"} 0`,
		`sutler_operations{provider="make-believe",state="failed",verb="deprovision"} 0`,
		`sutler_operations_stuck{provider="make-believe"} 0`,
		`sutler_provider_errors_total{kind="unavailable",provider="make-believe",verb="bind"} 0`,
		`sutler_provider_errors_total{kind="provider_failed",provider="make-believe",verb="provision"} 0`,
		`sutler_instances_unwell{health="degraded",provider="make-believe"} 0`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("a market that has done nothing does not show %s", want)
		}
	}
}

// TestEverySeriesThatIsNamedIsThere: the alerts, the dashboard and the documentation name what a market that works really shows, all of it, and
// no label tells of a tenant.
func TestEverySeriesThatIsNamedIsThere(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	p, about := runDevMarket(t, t.TempDir(), "--with-fake")
	c := client.New(about.URL, about.Token)
	nothingYet(t, scrape(t, about))
	for _, want := range []string{"fake:sync", "fake:failing", "fake:slow"} {
		p.await(t, "order of "+want, func() bool {
			_, err := c.CreateInstance(t.Context(), client.NewInstance{Want: want, Org: about.Org, Project: about.Project})
			return err == nil
		})
	}
	var text string
	p.await(t, "a scrape with all", func() bool {
		text = scrape(t, about)
		return regexp.MustCompile(`(?m)^sutler_provider_errors_total\{.* [1-9]`).MatchString(text) &&
			strings.Contains(text, `sutler_operation_duration_seconds_count{`)
	})
	var shown []string
	for _, m := range shownSeries.FindAllStringSubmatch(text, -1) {
		shown = append(shown, m[1])
		if strings.Contains(m[2], about.Org) || strings.Contains(m[2], about.Project) || regexp.MustCompile(`(ins|org|prj|op|bnd|per)_[0-9a-z]{20}`).MatchString(m[2]) {
			t.Errorf("%s%s tells of a tenant", m[1], m[2])
		}
	}
	guide, err := os.ReadFile(filepath.Join(root, "docs/metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	for where, texts := range map[string][]string{"alerts": alerts(t), "dashboard": panels(t), "docs": {string(guide)}} {
		if len(texts) == 0 {
			t.Errorf("%s: nothing is named", where)
		}
		for _, name := range namedSeries.FindAllString(strings.Join(texts, "\n"), -1) {
			if !slices.Contains(shown, name) && !slices.Contains(shown, name+"_count") {
				t.Errorf("%s: no scrape has %s", where, name)
			}
		}
	}
	for _, name := range shown {
		if base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, ""); !strings.Contains(string(guide), "`"+base+"`") {
			t.Errorf("docs/metrics.md does not tell of %s", base)
		}
	}
}
