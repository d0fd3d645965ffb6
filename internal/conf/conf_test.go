package conf_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/conf"
)

type word string

func (w *word) UnmarshalText(b []byte) error {
	if len(b) > 5 {
		return errors.New("too long a word")
	}
	*w = word(b)
	return nil
}

type part struct {
	Name   string
	Price  word
	Limits map[string]int64
	Later  conf.Raw
}

type whole struct {
	Listen string
	Wait   time.Duration
	On     bool
	Count  int
	Tags   []string
	Schema json.RawMessage
	TLS    *part `yaml:"tls"`
	Parts  []part
}

func TestReadFills(t *testing.T) {
	var w whole
	d := conf.Read([]byte("listen: ':8080'\nwait: 2m\non: true\ncount: 7\ntags: [a, b]\nschema: {type: object, n: 1}\ntls: {name: x}\n"+
		"parts:\n- name: one\n  price: 0.10\n  limits: {bytes: 1_000}\n  later: {listen: y}\n"), &w)
	if d.Err() != nil {
		t.Fatal(d.Err())
	}
	want := whole{
		Listen: ":8080", Wait: 2 * time.Minute, On: true, Count: 7, Tags: []string{"a", "b"},
		Schema: json.RawMessage(`{"n":1,"type":"object"}`), TLS: &part{Name: "x"},
		Parts: []part{{Name: "one", Price: "0.10", Limits: map[string]int64{"bytes": 1000}}},
	}
	var later whole
	w.Parts[0].Later.Into(d, &later)
	if later.Listen != "y" {
		t.Errorf("the part read later is %+v", later)
	}
	w.Parts[0].Later = conf.Raw{}
	if !reflect.DeepEqual(w, want) {
		t.Errorf("got  %+v\nwant %+v", w, want)
	}
	if got := d.Line("parts[0].limits"); got != 11 {
		t.Errorf("line of parts[0].limits = %d, want 11", got)
	}
	if got := d.Line("parts[0].nowhere.deep"); got != 9 {
		t.Errorf("line of the nearest part = %d, want 9", got)
	}
}

func TestReadSaysEverythingThatIsWrong(t *testing.T) {
	var w whole
	d := conf.Read([]byte("lisen: x\nwait: soon\non: maybe\ncount: many\ntags: a\nparts:\n- nam: one\n  price: tooolong\n- 3\n"), &w)
	want := []string{
		`line 1: unknown key "lisen". Did you mean "listen"?`,
		`line 2: wait: must be a duration such as 30s or 2m, not "soon"`,
		`line 3: on: must be true or false`,
		`line 4: count: must be a whole number, not "many"`,
		`line 5: tags: must be a list`,
		`line 7: parts[0]: unknown key "nam". Did you mean "name"?`,
		`line 8: parts[0].price: too long a word`,
		`line 9: parts[1]: must be a mapping with the keys name, price, limits, later`,
	}
	if got := d.Err().Error(); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

func TestReadRefusesWhatIsNoYAML(t *testing.T) {
	for name, text := range map[string]string{"open bracket": "tags: [a", "tab": "parts:\n\t- x", "twice the same key": "listen: a\nlisten: b\n"} {
		t.Run(name, func(t *testing.T) {
			var w whole
			if d := conf.Read([]byte(text), &w); len(d.Problems) != 1 || d.Problems[0].Line == 0 {
				t.Errorf("problems: %v", d.Problems)
			}
		})
	}
}

func TestReadEndsWithAliasesThatHoldThemselves(t *testing.T) {
	var w struct{ Parts [][][][][][]string }
	if d := conf.Read([]byte("parts: &a [*a, *a, *a, *a, *a, *a, *a, *a]"), &w); d.Err() == nil {
		t.Error("no problem was found")
	}
}

func TestSecret(t *testing.T) {
	t.Setenv("SUTLER_TEST_PASSWORD", "hush")
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"closed": 0o600, "open": 0o644} {
		if err := os.WriteFile(dir+"/"+name, []byte("from "+name+"\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string]struct{ value, problem, warning string }{
		"${SUTLER_TEST_PASSWORD}":                {value: "hush"},
		"postgres://u:${SUTLER_TEST_PASSWORD}@h": {value: "postgres://u:hush@h"},
		"${SUTLER_TEST_NOT_SET}":                 {problem: "SUTLER_TEST_NOT_SET is not set"},
		"${unended":                              {problem: "not closed"},
		"file:" + dir + "/closed":                {value: "from closed"},
		"file:" + dir + "/open":                  {value: "from open", warning: "may be read by others"},
		"file:" + dir + "/none":                  {problem: "cannot be read"},
		"postgres://user@host/db":                {value: "postgres://user@host/db"},
		"postgres://user:swordfish@host/db":      {value: "postgres://user:swordfish@host/db", warning: "in clear"},
		"swordfish":                              {value: "swordfish", warning: "in clear"},
	} {
		var w struct{ Key conf.Secret }
		d := conf.Read([]byte("key: '"+text+"'"), &w)
		if w.Key.Reveal() != want.value || !strings.Contains(d.Problems.Error(), want.problem) || (want.problem == "") != (d.Err() == nil) ||
			!strings.Contains(d.Warnings.Error(), want.warning) || (want.warning == "") != (len(d.Warnings) == 0) {
			t.Errorf("%s: %q, problems %v, warnings %v", text, w.Key.Reveal(), d.Problems, d.Warnings)
		}
		if shown := fmt.Sprintf("%v %+v %#v %s %v", w, w, w, d.Problems, d.Warnings); strings.Contains(shown, "hush") || strings.Contains(shown, "swordfish") || strings.Contains(shown, "from ") {
			t.Errorf("%s is shown: %s", text, shown)
		}
	}
}

func TestNetworksAreRefusedInOurWords(t *testing.T) {
	var w struct{ Egress []netip.Prefix }
	if got := conf.Read([]byte("egress: [banana]"), &w).Problems.Error(); got != `line 1: egress[0]: must be a network such as 10.0.0.0/8, not "banana"` {
		t.Error(got)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("listen: x\nparts: [{name: &a b}, *a]\n")
	f.Add("tls: *nobody")
	f.Fuzz(func(t *testing.T, text string) {
		var w whole
		_ = conf.Read([]byte(text), &w).Err()
	})
}
