package strict_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/strict"
)

const plan = `{"$schema":"http://json-schema.org/draft-04/schema#","type":"object","additionalProperties":false,"required":["size"],
 "properties":{"size":{"type":"integer","minimum":1,"maximum":64},"name":{"type":"string","pattern":"^[a-z]+$","maxLength":8},
 "tier":{"enum":["gold","silver"]},"tags":{"type":"array","items":{"type":"string"},"uniqueItems":true,"maxItems":2},
 "mode":{"anyOf":[{"type":"null"},{"const":"x"}]}}}`

func TestCheckNamesEachProblemAndNoValue(t *testing.T) {
	s, err := strict.Compile(json.RawMessage(plan))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, doc string
		want      []string // path + " " + reason, in part
	}{
		{"fits", `{"size":3,"name":"abc","tier":"gold","tags":["a"]}`, nil},
		{"nothing", ``, []string{` lacks "size"`}},
		{"null", `null`, []string{` lacks "size"`}},
		{"too big", `{"size":4711}`, []string{"/size must be at most 64"}},
		{"type", `{"size":"s3cr3t"}`, []string{"/size must be of type integer"}},
		{"several", `{"size":0,"name":"S3CR3T-value","tier":"s3cr3t"}`, []string{"/name must have at most 8", "/name must match the pattern ^[a-z]+$", "/size must be at least 1", `/tier must be one of "gold", "silver"`}},
		{"unknown", `{"size":1,"sise":"s3cr3t"}`, []string{"/sise is not known; known are mode, name, size, tags, tier"}},
		{"inside", `{"size":1,"tags":["s3cr3t",4711]}`, []string{"/tags/1 must be of type string"}},
		{"twice", `{"size":1,"tags":["s3cr3t","s3cr3t"]}`, []string{"/tags must not hold the same"}},
		{"not an object", `[4711]`, []string{" must be of type object"}},
		{"duplicate key", `{"size":1,"size":2}`, []string{"/size is given twice"}},
	} {
		err := s.Check(json.RawMessage(c.doc))
		if len(c.want) == 0 {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if !errors.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got []string
		for _, f := range fault.Of(err).Fields {
			got = append(got, f.Path+" "+f.Reason)
		}
		text := strings.Join(got, "\n")
		for _, w := range c.want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: got %q, want %q", c.name, text, w)
			}
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			if all := strings.ToLower(text + e.Error()); strings.Contains(all, "s3cr3t") || strings.Contains(all, "4711") {
				t.Errorf("%s shows a value: %s", c.name, all)
			}
		}
	}
}

func TestEmptySchemaTakesNothing(t *testing.T) {
	for _, raw := range []string{"", "null"} {
		s, err := strict.Compile(json.RawMessage(raw))
		if err != nil {
			t.Fatal(err)
		}
		for _, doc := range []string{"", "{}", "null"} {
			if err := s.Check(json.RawMessage(doc)); err != nil {
				t.Errorf("%q: %v", doc, err)
			}
		}
		if err := s.Check(json.RawMessage(`{"a":1}`)); !errors.Is(err, fault.Invalid) {
			t.Error(err)
		}
	}
}

func TestCompile(t *testing.T) {
	for name, c := range map[string]struct {
		schema string
		ok     bool
	}{
		"draft 4":               {plan, true},
		"draft 6":               {`{"$schema":"http://json-schema.org/draft-06/schema#","const":1}`, true},
		"draft 7":               {`{"$schema":"http://json-schema.org/draft-07/schema#","if":true}`, true},
		"2019-09":               {`{"$schema":"https://json-schema.org/draft/2019-09/schema","type":"object"}`, true},
		"2020-12":               {`{"$schema":"https://json-schema.org/draft/2020-12/schema","prefixItems":[{}]}`, true},
		"no draft":              {`{"type":"object"}`, true},
		"own id":                {`{"$id":"https://vendor.example/plan","$defs":{"a":{"type":"string"}},"properties":{"x":{"$ref":"#/$defs/a"}}}`, true},
		"recursive":             {`{"properties":{"child":{"$ref":"#"}}}`, true},
		"reference to the web":  {`{"$ref":"https://vendor.example/other.json"}`, false},
		"reference to a file":   {`{"$ref":"file:///etc/passwd"}`, false},
		"relative reference":    {`{"$id":"https://vendor.example/a","$ref":"b"}`, false},
		"unknown draft":         {`{"$schema":"https://vendor.example/schema"}`, false},
		"reference to nothing":  {`{"$ref":"#/$defs/none"}`, false},
		"wrong type of keyword": {`{"type":7}`, false},
		"wrong pattern":         {`{"pattern":"("}`, false},
		"no JSON":               {`{"type":`, false},
		"a huge number":         {`{"maximum":1e1000000000}`, false},
	} {
		_, err := strict.Compile(json.RawMessage(c.schema))
		if c.ok != (err == nil) || err != nil && !errors.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A schema that refers to itself without end must not hang or crash the market.
func TestCircularReferenceEnds(t *testing.T) {
	s, err := strict.Compile(json.RawMessage(`{"allOf":[{"$ref":"#"}]}`))
	if err == nil {
		err = s.Check(json.RawMessage(`{}`))
	}
	if !errors.Is(err, fault.Invalid) {
		t.Error(err)
	}
}
