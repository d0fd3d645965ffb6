package conf

import (
	"encoding"
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Raw is a part that is read later, when it is known into what (a driver's settings).
type Raw struct {
	node ast.Node
	path string
}

// Into reads the part into a pointer to a struct; problems go to d. A part that is not there fills nothing.
func (r Raw) Into(d *Document, into any) {
	if r.node != nil {
		d.fill(r.node, pointer(into), r.path)
		d.sort()
	}
}

var (
	rawType      = reflect.TypeFor[Raw]()
	jsonType     = reflect.TypeFor[json.RawMessage]()
	durationType = reflect.TypeFor[time.Duration]()
	networkType  = reflect.TypeFor[netip.Prefix]()
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// most is how many parts a document may have: it ends aliases that hold themselves, or each other many times over.
const most = 20_000

func pointer(into any) reflect.Value { return reflect.ValueOf(into).Elem() }

// plain follows anchors, aliases and tags to the node that holds a value.
func (d *Document) plain(n ast.Node) ast.Node {
	switch x := n.(type) {
	case *ast.AnchorNode:
		d.anchors[x.Name.GetToken().Value] = x.Value
		return d.plain(x.Value)
	case *ast.AliasNode:
		if to, ok := d.anchors[x.Value.GetToken().Value]; ok {
			return d.plain(to)
		}
	case *ast.TagNode:
		return d.plain(x.Value)
	}
	return n
}

// fill puts n into v. What does not fit becomes a problem and leaves v as it was.
func (d *Document) fill(n ast.Node, v reflect.Value, path string) {
	n = d.plain(n)
	if d.parts++; d.parts > most {
		if d.parts == most+1 {
			d.problem(n, path, "the document has more than %d parts; does an alias hold itself?", most)
		}
		return
	}
	if _, seen := d.lines[path]; !seen {
		d.lines[path] = lineOf(n)
	}
	if _, null := n.(*ast.NullNode); null {
		return
	}
	switch {
	case v.Type() == rawType:
		v.Set(reflect.ValueOf(Raw{n, path}))
	case v.Type() == jsonType:
		d.json(n, v, path)
	case v.Type() == durationType:
		d.duration(n, v, path)
	case v.CanAddr() && v.Addr().Type().Implements(textType):
		d.text(n, v, path)
	default:
		d.kind(n, v, path)
	}
}

func (d *Document) kind(n ast.Node, v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		d.fill(n, p.Elem(), path)
		v.Set(p)
	case reflect.Struct:
		d.object(n, v, path)
	case reflect.Slice:
		d.list(n, v, path)
	case reflect.Map:
		d.dict(n, v, path)
	case reflect.String:
		if s, ok := d.scalar(n, path); ok {
			v.SetString(s)
		}
	case reflect.Bool:
		if b, ok := n.(*ast.BoolNode); ok {
			v.SetBool(b.Value)
		} else {
			d.problem(n, path, "must be true or false")
		}
	case reflect.Int, reflect.Int64:
		s, ok := d.scalar(n, path)
		if !ok {
			return
		}
		i, err := strconv.ParseInt(strings.ReplaceAll(s, "_", ""), 10, v.Type().Bits())
		if err != nil {
			d.problem(n, path, "must be a whole number, not %q", s)
			return
		}
		v.SetInt(i)
	default:
		panic(fmt.Sprintf("conf: a field of type %s cannot be read", v.Type()))
	}
}

// scalar gives the text of a scalar as it was written, so that 0.10 stays 0.10.
func (d *Document) scalar(n ast.Node, path string) (string, bool) {
	switch x := n.(type) {
	case *ast.StringNode:
		return x.Value, true
	case *ast.LiteralNode:
		return x.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	d.problem(n, path, "must be a single value")
	return "", false
}

func (d *Document) text(n ast.Node, v reflect.Value, path string) {
	s, ok := d.scalar(n, path)
	if !ok {
		return
	}
	if v.Type() == networkType {
		if _, err := netip.ParsePrefix(s); err != nil {
			d.problem(n, path, "must be a network such as 10.0.0.0/8, not %q", s)
			return
		}
	}
	if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s)); err != nil {
		d.problem(n, path, "%v", err)
	}
	if w, ok := v.Addr().Interface().(interface{ Warning() string }); ok && w.Warning() != "" {
		d.Warnings = append(d.Warnings, Problem{Line: lineOf(n), Path: path, Text: w.Warning()})
	}
}

func (d *Document) duration(n ast.Node, v reflect.Value, path string) {
	s, ok := d.scalar(n, path)
	if !ok {
		return
	}
	t, err := time.ParseDuration(s)
	if err != nil {
		d.problem(n, path, "must be a duration such as 30s or 2m, not %q", s)
		return
	}
	v.SetInt(int64(t))
}

// json keeps a part as JSON, for schemas and parameters. A string is taken as JSON text.
func (d *Document) json(n ast.Node, v reflect.Value, path string) {
	if s, ok := n.(*ast.StringNode); ok && json.Valid([]byte(s.Value)) {
		v.SetBytes([]byte(s.Value))
		return
	}
	var any any
	err := yaml.NodeToValue(n, &any)
	if err == nil {
		var b []byte
		if b, err = json.Marshal(any); err == nil {
			v.SetBytes(b)
			return
		}
	}
	d.problem(n, path, "cannot be written as JSON")
}
