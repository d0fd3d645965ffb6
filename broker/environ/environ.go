package environ

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Binding is one binding of an app with its credentials in clear.
type Binding struct {
	Alias        string // prefix of its variables, such as DATABASE
	Kind         string
	Offering     string
	Plan         string
	Provider     string
	InstanceName string
	InstanceID   string
	BindingID    string
	Tags         []string
	Credentials  map[string]any // "uri" and its parts
}

// Variable is one variable of an environment. Its value is a secret.
type Variable struct{ Name, Value string }

// customary are the parts that come first, in the order in which people read them; all others follow by name.
func customary() []string {
	return []string{"uri", "host", "port", "username", "password", "database"}
}

// Variables gives an app's environment: for each binding ALIAS_URL and its parts, in the order given, then VCAP_SERVICES.
// When two bindings would give one name, the earlier keeps it. Parts that are neither text, number nor truth are in VCAP_SERVICES alone.
func Variables(bindings []Binding) ([]Variable, error) {
	var out []Variable
	taken := map[string]bool{}
	for _, b := range bindings {
		for _, v := range b.variables() {
			if !taken[v.Name] {
				taken[v.Name] = true
				out = append(out, v)
			}
		}
	}
	services, err := VCAP(bindings)
	if err != nil {
		return nil, err
	}
	return append(out, Variable{"VCAP_SERVICES", string(services)}), nil
}

func (b Binding) variables() []Variable {
	var keys, others []string
	for _, k := range customary() {
		if _, ok := b.Credentials[k]; ok {
			keys = append(keys, k)
		}
	}
	for k := range b.Credentials {
		if !slices.Contains(keys, k) {
			others = append(others, k)
		}
	}
	slices.Sort(others)
	var out []Variable
	for _, k := range append(keys, others...) {
		value, ok := scalar(b.Credentials[k])
		if !ok {
			continue
		}
		if k == "uri" {
			k = "url"
		}
		out = append(out, Variable{Name(b.Alias + "_" + k), value})
	}
	return out
}

// Name gives the variable's name nearest to s: upper-case letters, digits and underscores, not beginning with a digit.
func Name(s string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, s)
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "_" + name
	}
	return name
}

// scalar gives a value as text; false for what is not one value.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case json.Number, int, int32, int64, uint16, uint32, uint64:
		return fmt.Sprint(v), true
	}
	return "", false
}
