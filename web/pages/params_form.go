package pages

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// raw is the field for parameters that no plain field can hold: a JSON object.
const raw = "params"

// paramPrefix stands before a parameter's name in the form, so that no parameter can be mistaken for a field of ours.
const paramPrefix = "p."

// property is the part of a JSON schema that a plain field can show.
type property struct {
	Type        any               `json:"type"`
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Default     json.RawMessage   `json:"default"`
	Enum        []json.RawMessage `json:"enum"`
	Minimum     json.Number       `json:"minimum"`
	Maximum     json.Number       `json:"maximum"`
	Pattern     string            `json:"pattern"`
}

// paramsForm is a plan's schema as a form.
type paramsForm struct {
	names    []string // of plain fields, the required ones first
	props    map[string]property
	required []string
	raw      bool // some parameters need JSON
}

// paramsFormOf reads a plan's schema for creation. An empty schema takes no parameters, one that cannot be understood takes JSON.
func paramsFormOf(schema json.RawMessage) paramsForm {
	var s struct {
		Properties map[string]json.RawMessage `json:"properties"`
		Required   []string                   `json:"required"`
		Additional any                        `json:"additionalProperties"`
	}
	if len(bytes.TrimSpace(schema)) == 0 {
		return paramsForm{}
	}
	if json.Unmarshal(schema, &s) != nil {
		return paramsForm{raw: true}
	}
	f := paramsForm{props: map[string]property{}, required: s.Required, raw: len(s.Properties) == 0 && s.Additional != false}
	for name, text := range s.Properties {
		var p property
		if json.Unmarshal(text, &p) != nil || !p.plain() {
			f.raw = true
			continue
		}
		f.props[name] = p
		f.names = append(f.names, name)
	}
	slices.SortFunc(f.names, func(a, b string) int {
		if x, y := slices.Contains(s.Required, a), slices.Contains(s.Required, b); x != y {
			return map[bool]int{true: -1, false: 1}[x]
		}
		return strings.Compare(a, b)
	})
	return f
}

func (p property) plain() bool {
	if len(p.Enum) > 0 {
		return !slices.ContainsFunc(p.Enum, func(v json.RawMessage) bool { return v[0] == '{' || v[0] == '[' })
	}
	kind, _ := p.Type.(string)
	return slices.Contains([]string{"string", "integer", "number", "boolean"}, kind)
}

// fields are the form's fields, holding what was typed and what was wrong with it.
func (f paramsForm) fields(typed url.Values, wrong map[string]string) []look.Field {
	var list []look.Field
	for _, name := range f.names {
		p := f.props[name]
		field := look.Field{
			Name: paramPrefix + name, Label: p.Title, Help: p.Description, Value: typed.Get(paramPrefix + name),
			Required: slices.Contains(f.required, name), Error: wrong[name],
		}
		if field.Label == "" {
			field.Label = look.Sentence(name)
		}
		p.input(&field)
		list = append(list, field)
	}
	if f.raw {
		list = append(list, look.Field{Name: raw, Label: "Parameters as JSON", Kind: "json", Value: typed.Get(raw), Error: wrong[raw], Placeholder: "{}"})
	}
	return list
}

// input chooses the kind of input: a list, a number or a line of text.
func (p property) input(f *look.Field) {
	kind, _ := p.Type.(string)
	options := p.Enum
	if kind == "boolean" && len(options) == 0 {
		options = []json.RawMessage{json.RawMessage("true"), json.RawMessage("false")}
	}
	if len(options) > 0 {
		f.Kind = "select"
		first := "the provider's default"
		if len(p.Default) > 0 {
			first = "default: " + text(p.Default)
		}
		if !f.Required {
			f.Options = append(f.Options, look.Choice{Label: first})
		}
		for _, o := range options {
			label := text(o)
			if kind == "boolean" {
				label = map[string]string{"true": "yes", "false": "no"}[label]
			}
			f.Options = append(f.Options, look.Choice{Value: string(o), Label: label, On: string(o) == f.Value})
		}
		return
	}
	if len(p.Default) > 0 {
		f.Placeholder = text(p.Default)
	}
	f.Pattern = p.Pattern
	if kind == "integer" || kind == "number" {
		f.Kind, f.Min, f.Max, f.Step = "number", p.Minimum.String(), p.Maximum.String(), map[string]string{"integer": "1", "number": "any"}[kind]
	}
}

// text is a JSON scalar as people read it.
func text(v json.RawMessage) string {
	var s string
	if json.Unmarshal(v, &s) == nil {
		return s
	}
	return string(v)
}

var (
	whole  = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	number = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)
)

// read makes the parameters out of what was typed. wrong names the fields that cannot be what they should be; the schema itself is
// the broker's to check.
func (f paramsForm) read(typed url.Values) (params json.RawMessage, wrong map[string]string) {
	all, wrong := map[string]json.RawMessage{}, map[string]string{}
	if s := strings.TrimSpace(typed.Get(raw)); f.raw && s != "" && json.Unmarshal([]byte(s), &all) != nil {
		wrong[raw] = "This is not a JSON object."
	}
	for _, name := range f.names {
		s := typed.Get(paramPrefix + name)
		if s == "" {
			continue
		}
		v, problem := f.props[name].value(s)
		if problem != "" {
			wrong[name] = problem
			continue
		}
		all[name] = v
	}
	if len(all) == 0 {
		return json.RawMessage("{}"), wrong
	}
	params, err := json.Marshal(all)
	if err != nil {
		wrong[raw] = "This is not a JSON object."
	}
	return params, wrong
}

func (p property) value(s string) (json.RawMessage, string) {
	kind, _ := p.Type.(string)
	switch {
	case len(p.Enum) > 0:
		if !slices.ContainsFunc(p.Enum, func(v json.RawMessage) bool { return string(v) == s }) {
			return nil, "Choose one of the list."
		}
		return json.RawMessage(s), ""
	case kind == "boolean" && s != "true" && s != "false":
		return nil, "Choose yes or no."
	case kind == "integer" && !whole.MatchString(s):
		return nil, "This must be a whole number."
	case kind == "number" && !number.MatchString(s):
		return nil, "This must be a number."
	case kind == "string":
		quoted, _ := json.Marshal(s) // a string always marshals
		return quoted, ""
	}
	return json.RawMessage(s), ""
}

// wrongFields sorts a fault's fields by the form's field they belong to; the rest are sentences for the top.
func wrongFields(err error, known ...string) (byField map[string]string, rest []string) {
	byField = map[string]string{}
	f := fault.Of(err)
	for _, one := range f.Fields {
		parts := strings.FieldsFunc(one.Path, func(r rune) bool { return r == '/' || r == '.' })
		if len(parts) > 0 && slices.Contains(known, parts[len(parts)-1]) {
			byField[parts[len(parts)-1]] = one.Reason
			continue
		}
		rest = append(rest, strings.TrimPrefix(one.Path+": "+one.Reason, ": "))
	}
	return byField, append(problems(err), rest...)
}
