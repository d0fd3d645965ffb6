package pages

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/sutlerhq/sutler/internal/fault"
)

const schemaText = `{"type":"object","required":["size"],"additionalProperties":false,"properties":{
	"size":{"type":"integer","minimum":1,"maximum":9,"title":"Size"}, "class":{"enum":["fast","slow"],"default":"slow"},
	"ratio":{"type":"number"}, "public":{"type":"boolean"}, "motto":{"type":"string","pattern":"^[a-z]*$"}, "nested":{"type":"object"}}}`

func TestParamsFormShowsASchema(t *testing.T) {
	fields := paramsFormOf(json.RawMessage(schemaText)).fields(url.Values{"p.size": {"3"}, "p.class": {`"fast"`}}, map[string]string{"size": "too small"})
	if len(fields) != 6 {
		t.Fatalf("%d fields: %+v", len(fields), fields)
	}
	if f := fields[0]; f.Name != "p.size" || !f.Required || f.Kind != "number" || f.Min != "1" || f.Max != "9" || f.Value != "3" || f.Error != "too small" {
		t.Errorf("size: %+v", f)
	}
	if f := fields[1]; f.Kind != "select" || len(f.Options) != 3 || f.Options[0].Label != "default: slow" || !f.Options[1].On || f.Options[1].Label != "fast" {
		t.Errorf("class: %+v", f)
	}
	if f := fields[5]; f.Name != raw || f.Kind != "json" {
		t.Errorf("nested parameters have no JSON field: %+v", f)
	}
	if n := len(paramsFormOf(nil).fields(nil, nil)); n != 0 {
		t.Errorf("no schema shows %d fields", n)
	}
	if f := paramsFormOf(json.RawMessage(`{"type":"object"}`)).fields(nil, nil); len(f) != 1 || f[0].Kind != "json" {
		t.Errorf("a free schema: %+v", f)
	}
}

func TestParamsFormReads(t *testing.T) {
	form := paramsFormOf(json.RawMessage(schemaText))
	for _, c := range []struct {
		name, typed, want string
		wrong             []string
	}{
		{"nothing", "", `{}`, nil},
		{"all", `p.size=3&p.class="fast"&p.ratio=0.5&p.public=true&p.motto=a"b&params={"nested":{"a":1}}`, `{"class":"fast","motto":"a\"b","nested":{"a":1},"public":true,"ratio":0.5,"size":3}`, nil},
		{"numbers", "p.size=3.5&p.ratio=1e9", `{}`, []string{"size", "ratio"}},
		{"leading zero", "p.size=007", `{}`, []string{"size"}},
		{"choice", `p.class="other"&p.public=maybe`, `{}`, []string{"class", "public"}},
		{"no JSON", "params=[1]", `{}`, []string{raw}},
		{"stranger", "p.other=1", `{}`, nil},
	} {
		typed, err := url.ParseQuery(c.typed)
		if err != nil {
			t.Fatal(err)
		}
		got, wrong := form.read(typed)
		if string(got) != c.want || len(wrong) != len(c.wrong) {
			t.Errorf("%s: %s, wrong %v", c.name, got, wrong)
		}
		for _, name := range c.wrong {
			if wrong[name] == "" {
				t.Errorf("%s: %s is taken", c.name, name)
			}
		}
	}
}

func TestWrongFieldsFindTheirPlace(t *testing.T) {
	err := fault.Invalid.Errorf("No.").WithHint("Try.").WithFields(fault.Field{Path: "/params/size", Reason: "too big"}, fault.Field{Path: "/other", Reason: "odd"})
	byField, rest := wrongFields(err, "size")
	if byField["size"] != "too big" || len(rest) != 3 || rest[2] != "/other: odd" {
		t.Errorf("%v %q", byField, rest)
	}
}

func FuzzParamsForm(f *testing.F) {
	f.Add([]byte(schemaText), `p.size=3&params={}`)
	f.Add([]byte(`{"properties":{"a":{"enum":[{}]},"b":{"enum":[null],"type":["string"]}}}`), `p.a=x`)
	f.Fuzz(func(t *testing.T, schema []byte, query string) {
		typed, err := url.ParseQuery(query)
		if err != nil {
			t.Skip()
		}
		form := paramsFormOf(schema)
		form.fields(typed, nil)
		if params, wrong := form.read(typed); len(wrong) == 0 && !json.Valid(params) {
			t.Errorf("%s gives %s", query, params)
		}
	})
}
