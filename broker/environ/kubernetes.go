package environ

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// secret is a Secret manifest with the whole environment. JSON strings are YAML strings, so no quoting rule of YAML is needed.
func secret(app string, variables []Variable) ([]byte, error) {
	var buf bytes.Buffer
	fmt.Fprintf(&buf, "apiVersion: v1\nkind: Secret\nmetadata:\n  name: %q\ntype: Opaque\nstringData:\n", label(app+"-environment"))
	for _, v := range variables {
		if err := entry(&buf, v); err != nil {
			return nil, err
		}
	}
	return buf.Bytes(), nil
}

// secrets is a Secret per binding with the well-known entries of servicebinding.io.
func secrets(bindings []Binding) ([]byte, error) {
	var buf bytes.Buffer
	for n, b := range bindings {
		if n > 0 {
			buf.WriteString("---\n")
		}
		fmt.Fprintf(&buf, "apiVersion: v1\nkind: Secret\nmetadata:\n  name: %q\ntype: servicebinding.io/%s\nstringData:\n", label(b.InstanceName+"-"+b.Alias), label(b.Kind))
		provider := b.Provider
		if provider == "" {
			provider = b.Offering
		}
		for _, e := range append([]Variable{{"type", b.Kind}, {"provider", provider}}, b.entries()...) {
			if err := entry(&buf, e); err != nil {
				return nil, err
			}
		}
	}
	return buf.Bytes(), nil
}

// entries are the credentials by the names that files may have; type and provider are ours to say.
func (b Binding) entries() []Variable {
	var out []Variable
	for k, v := range b.Credentials {
		value, ok := scalar(v)
		name := label(k)
		if ok && name != "type" && name != "provider" {
			out = append(out, Variable{name, value})
		}
	}
	slices.SortFunc(out, func(x, y Variable) int { return strings.Compare(x.Name+"\x00"+x.Value, y.Name+"\x00"+y.Value) })
	return slices.CompactFunc(out, func(x, y Variable) bool { return x.Name == y.Name })
}

func entry(buf *bytes.Buffer, v Variable) error {
	text, err := compact(v.Value)
	fmt.Fprintf(buf, "  %s: %s\n", v.Name, text)
	return err
}

// label gives the nearest lower-case name of letters, digits, dots and hyphens, at most 63 long.
func label(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, s)
	s = strings.Trim(s[:min(len(s), 63)], "-.")
	if s == "" {
		return "app"
	}
	return s
}
