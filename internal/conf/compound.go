package conf

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/sutlerhq/sutler/internal/suggest"
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
	if short := shortOf(v.Type()); !ok && short != nil && isScalar(n) {
		d.fill(n, v.FieldByIndex(short), path)
		return
	}
	if !ok {
		d.Unread = d.Unread || path == ""
		d.problem(n, path, "must be a mapping with the keys %s", strings.Join(names(v.Type()), ", "))
		return
	}
	fields := fieldsOf(v.Type())
	for _, e := range entries {
		name := e.Key.GetToken().Value
		at := join(path, name)
		index, ok := fields[name]
		if !ok {
			d.problem(e.Key, path, "unknown key %q.%s", name, meant(name, names(v.Type())))
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

// shortOf finds the field that a single value stands for where a struct is wanted: the one tagged `yaml:"name,short"`. Nil when there is none.
func shortOf(t reflect.Type) []int {
	for _, f := range reflect.VisibleFields(t) {
		if _, option, _ := strings.Cut(f.Tag.Get("yaml"), ","); option == "short" {
			return f.Index
		}
	}
	return nil
}

func isScalar(n ast.Node) bool {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode:
		return false
	}
	return true
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

// meant says which of the known keys was probably meant, or which there are.
func meant(name string, known []string) string {
	if hint := suggest.DidYouMean(name, known); hint != "" {
		return hint
	}
	return " Known here: " + strings.Join(known, ", ") + "."
}
