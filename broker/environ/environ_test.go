package environ

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// bindings has what is awkward in values: quotes, dollars, new lines, numbers, parts that are no scalars.
func bindings() []Binding {
	return []Binding{
		{
			Alias: "DATABASE", Kind: "postgresql", Offering: "postgresql", Plan: "small", Provider: "pg-eu", InstanceName: "orders", InstanceID: "ins_1", BindingID: "bnd_1",
			Tags: []string{"sql"},
			Credentials: map[string]any{
				"uri": "postgres://u:p%27@h:5432/d?a=1&b=2", "host": "h", "port": json.Number("5432"), "username": "u", "password": `p'"$\` + "`x", "database": "d",
				"ca": "-----BEGIN\nEND-----\n", "tls": true, "hosts": []any{"h", "i"},
			},
		},
		{
			Alias: "NATS", Kind: "nats", Offering: "nats", Plan: "free", InstanceName: "bus", InstanceID: "ins_2", BindingID: "bnd_2",
			Credentials: map[string]any{"uri": "nats://h:4222", "port": float64(4222)},
		},
	}
}

func TestVariablesAreOrderedAndNamedAfterTheAlias(t *testing.T) {
	got, err := Variables(bindings())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, v := range got {
		names = append(names, v.Name)
	}
	want := "DATABASE_URL DATABASE_HOST DATABASE_PORT DATABASE_USERNAME DATABASE_PASSWORD DATABASE_DATABASE DATABASE_CA DATABASE_TLS NATS_URL NATS_PORT VCAP_SERVICES"
	if strings.Join(names, " ") != want {
		t.Fatalf("got %v", names)
	}
	if got[2].Value != "5432" || got[9].Value != "4222" || got[7].Value != "true" {
		t.Fatalf("numbers and truths: %v %v %v", got[2], got[9], got[7])
	}
}

func TestTheEarlierBindingKeepsAName(t *testing.T) {
	got, err := Variables([]Binding{
		{Alias: "A", Credentials: map[string]any{"b_c": "first"}},
		{Alias: "A_B", Credentials: map[string]any{"c": "second"}},
	})
	if err != nil || len(got) != 2 || got[0] != (Variable{"A_B_C", "first"}) {
		t.Fatal(got, err)
	}
}

func TestVCAPHasWhatLibrariesLookFor(t *testing.T) {
	raw, err := VCAP(bindings())
	if err != nil {
		t.Fatal(err)
	}
	var all map[string][]map[string]any
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	pg := all["postgresql"][0]
	for k, want := range map[string]any{
		"name": "orders", "label": "postgresql", "plan": "small", "instance_guid": "ins_1", "binding_guid": "bnd_1", "syslog_drain_url": nil, "binding_name": nil,
	} {
		if v, there := pg[k]; !there || v != want {
			t.Errorf("%s: %v, want %v", k, v, want)
		}
	}
	if port := pg["credentials"].(map[string]any)["port"]; port != 5432.0 {
		t.Errorf("port: %v", port)
	}
	if tags := all["nats"][0]["tags"]; tags == nil {
		t.Error("tags must be a list")
	}
}

// Each format's golden file is the manual of that format; SUTLER_UPDATE=1 writes them anew.
func TestRenderGolden(t *testing.T) {
	for _, f := range Formats() {
		t.Run(string(f), func(t *testing.T) {
			list := bindings()
			if f == Compose { // whose reader cannot be told a backslash before a quote
				list[0].Credentials["password"] = `p'"$` + "`x"
			}
			got, err := Render(f, "guest_book", list)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", string(f)+".golden")
			if os.Getenv("SUTLER_UPDATE") != "" {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil || string(got) != string(want) {
				t.Errorf("%v\ngot\n%s\nwant\n%s", err, got, want)
			}
		})
	}
}

func TestRenderRefuses(t *testing.T) {
	nul := []Binding{{Alias: "A", Credentials: map[string]any{"password": "hidden\x00"}}}
	slash := []Binding{{Alias: "A", Credentials: map[string]any{"password": `hidden\`}}}
	for _, c := range []struct {
		name     string
		f        Format
		bindings []Binding
		says     string
	}{
		{"an unknown format", "toml", nil, `no format "toml"`},
		{"a NUL", Shell, nul, "A_PASSWORD"},
		{"what compose cannot read", Compose, slash, "A_PASSWORD"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Render(c.f, "app", c.bindings)
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hidden") {
				t.Fatalf("got %v", err)
			}
		})
	}
}
