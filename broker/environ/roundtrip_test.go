package environ

import (
	"os/exec"
	"strings"
	"testing"
)

func TestARealShellReadsTheEnvironment(t *testing.T) {
	text, err := Render(Shell, "app", bindings())
	if err != nil {
		t.Fatal(err)
	}
	want := bindings()[0].Credentials["password"].(string)
	if got := fromShell(t, string(text), "DATABASE_PASSWORD"); got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
}

// fromShell lets sh read text and print one variable.
func fromShell(t *testing.T, text, name string) string {
	t.Helper()
	out, err := exec.Command("sh", "-c", text+"\nprintf %s \"$"+name+"\"").Output()
	if err != nil {
		t.Fatalf("sh: %v", err)
	}
	return string(out)
}

// fromDotenv reads one line as the readers of .env files do: single quotes are literal, double quotes know \n \r \" \\ \$.
func fromDotenv(line string) (string, bool) {
	_, v, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
	if len(v) < 2 || v[0] != v[len(v)-1] || strings.Contains(v, "\n") {
		return "", false
	}
	body := v[1 : len(v)-1]
	if v[0] == '\'' {
		return body, !strings.Contains(body, "'")
	}
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\$`, "$", `\n`, "\n", `\r`, "\r").Replace(body), true
}

func seeds(f *testing.F) {
	for _, s := range []string{"", "plain", "it's", `"$HOME"`, "a\nb\r\n", `\`, `\n`, "`id`", "# x", "é🦆", `\\'$(x)`} {
		f.Add(s)
	}
}

func FuzzShellRoundTrip(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, value string) {
		text, err := Render(Shell, "app", []Binding{{Alias: "A", Credentials: map[string]any{"v": value}}})
		if err != nil {
			return // not text
		}
		if got := fromShell(t, string(text), "A_V"); got != value {
			t.Fatalf("got %q, want %q", got, value)
		}
	})
}

func FuzzDotenvRoundTrip(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, value string) {
		line, err := dotenv(Variable{"A", value})
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := fromDotenv(line); !ok || got != value {
			t.Fatalf("got %q (%v), want %q, line %s", got, ok, value, line)
		}
	})
}
