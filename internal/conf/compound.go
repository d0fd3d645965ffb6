package conf

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// pairs gives the entries of a mapping; the parser has its own type for a mapping of one.
func pairs(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch x := n.(type) {
	case *ast.MappingNode:
		return x.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{x}, true
	}
	return nil, false
}

func (d *Document) object(n ast.Node, v reflect.Value, path string) {
	entries, ok := pairs(n)
	if !ok {
		d.problem(n, path, "must be a mapping with the keys %s", strings.Join(names(v.Type()), ", "))
		return
	}
	fields := fieldsOf(v.Type())
	for _, e := range entries {
		name := e.Key.GetToken().Value
		at := join(path, name)
		index, ok := fields[name]
		if !ok {
			d.problem(e.Key, path, "unknown key %q%s", name, DidYouMean(name, names(v.Type())))
			continue
		}
		d.lines[at] = lineOf(e.Key)
		d.fill(e.Value, v.FieldByIndex(index), at)
	}
}

func (d *Document) list(n ast.Node, v reflect.Value, path string) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		d.problem(n, path, "must be a list")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values)))
	for i, e := range seq.Values {
		d.fill(e, v.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
}

func (d *Document) dict(n ast.Node, v reflect.Value, path string) {
	entries, ok := pairs(n)
	if !ok {
		d.problem(n, path, "must be a mapping")
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(entries)))
	for _, e := range entries {
		name := e.Key.GetToken().Value
		at := join(path, name)
		d.lines[at] = lineOf(e.Key)
		one := reflect.New(v.Type().Elem()).Elem()
		d.fill(e.Value, one, at)
		v.SetMapIndex(reflect.ValueOf(name).Convert(v.Type().Key()), one)
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// fieldsOf maps the YAML names of a struct's fields to them; embedded structs without a tag count as the struct itself.
func fieldsOf(t reflect.Type) map[string][]int {
	m := map[string][]int{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case !f.IsExported() || name == "-" || (f.Anonymous && name == ""):
		case name == "":
			m[strings.ToLower(f.Name)] = f.Index
		default:
			m[name] = f.Index
		}
	}
	return m
}

// names lists a struct's YAML names in the order of its fields.
func names(t reflect.Type) (list []string) {
	fields := fieldsOf(t)
	for _, f := range reflect.VisibleFields(t) {
		for name, index := range fields {
			if reflect.DeepEqual(index, f.Index) {
				list = append(list, name)
			}
		}
	}
	return list
}

// DidYouMean gives " (did you mean \"x\"?)" for the nearest of known, the list of what is known when nothing is near and the list is short, else nothing.
func DidYouMean(name string, known []string) string {
	best, least := "", 3
	for _, k := range known {
		if n := distance(strings.ToLower(name), strings.ToLower(k)); n < least && n < len(k) {
			best, least = k, n
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf(" (did you mean %q?)", best)
	case len(known) > 0 && len(known) <= 12:
		return " (known: " + strings.Join(known, ", ") + ")"
	}
	return ""
}

// distance counts the insertions, deletions, replacements and swaps of neighbours between two words.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
