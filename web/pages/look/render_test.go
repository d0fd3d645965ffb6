package look_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/web/pages/look"
)

func render(t *testing.T, p look.Page) string {
	t.Helper()
	r, err := look.New()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := r.Render(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var inline = regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|javascript:|<script(?: [^>]*)?>[^<]|https?://[^"]*\.(?:js|css|woff)`)

// Every page shows with everything and with nothing, and holds nothing that the Content-Security-Policy would refuse.
func TestPagesRender(t *testing.T) {
	for name, pages := range map[string][]look.Page{"full": full(), "empty": empty()} {
		for _, p := range pages {
			t.Run(name+"/"+p.Template(), func(t *testing.T) {
				html := render(t, p)
				if !strings.Contains(html, "</main>") || strings.Contains(html, "ZgotmplZ") || strings.Contains(html, "<no value>") {
					t.Errorf("not whole:\n%s", html)
				}
				if bad := inline.FindString(html); bad != "" {
					t.Errorf("holds %q, which the policy refuses", bad)
				}
			})
		}
	}
}

// A hostile vendor's words stay words.
func TestVendorsWordsAreEscaped(t *testing.T) {
	evil := `"><script>alert(1)</script><img src=x onerror=alert(2)>`
	card := look.Card{URL: "/x", Kind: evil, Title: evil, Name: evil, Provider: evil, Region: evil, Line: evil, Tags: []string{evil}, Status: look.Chip{Tone: "good", Word: evil, Note: evil}}
	for _, p := range []look.Page{
		look.Market{Total: 1, Cards: []look.Card{card}, Kinds: []look.Facet{{Label: evil, URL: "?q=" + evil, On: true}}, Command: look.Command(evil)},
		look.Offering{Card: card, Docs: "javascript:alert(3)", Plans: []look.PlanBox{{Title: evil, Line: evil, Limits: []look.Limit{{Name: evil, Value: evil}}}}, Commands: []look.Command{look.Command(evil)}},
		look.Instance{Row: look.InstanceRow{Name: evil, Dashboard: "javascript:alert(4)"}, Note: evil, Steps: []look.Step{{Text: evil, Note: evil}}},
	} {
		html := render(t, p)
		for _, bad := range []string{"<script>alert", "<img src=x", `"javascript:`} {
			if strings.Contains(html, bad) {
				t.Errorf("%s lets %s through", p.Template(), bad)
			}
		}
	}
}

func TestMasksHoldNoSecret(t *testing.T) {
	html := render(t, look.App{Name: "a", Variables: []look.Variable{{Name: "DATABASE_URL", Value: "postgres://u:hunter2@h/d", Secret: true}}})
	if strings.Contains(html, "hunter2") {
		t.Error("a masked variable's value is in the page")
	}
}
