// Package conf reads YAML strictly into structs: every problem at once, each with its line, unknown keys with the likely right one,
// and values kept exact (numbers reach their types as they were written). It knows no configuration of its own.
package conf

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Problem is one thing that is wrong, and where.
type Problem struct {
	Line int    // from 1; 0 when it has no place
	Path string // "providers[0].region", empty at the top
	Text string // what is wrong, and what to do
}

// String is the problem as one line for people.
func (p Problem) String() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", p.Line)
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	return b.String() + p.Text
}

// Problems are everything that is wrong, in the order of lines. As an error it prints one a line.
type Problems []Problem

// Error lists the problems, one a line.
func (p Problems) Error() string {
	s := make([]string, len(p))
	for i, q := range p {
		s[i] = q.String()
	}
	return strings.Join(s, "\n")
}

// Document is YAML that was read, with the lines of its parts, so that rules checked later can name them too.
type Document struct {
	lines    map[string]int
	anchors  map[string]ast.Node
	parts    int
	Unread   bool     // it is no YAML, or no mapping: nothing was filled
	Problems Problems // so far; Add appends
	Warnings Problems // what works and is unwise
}

// Read fills into (a pointer to a struct) from data. What it could not read is in Problems; the rest is filled.
// Fields are named by their `yaml` tag, or by their name in lower case.
func Read(data []byte, into any) *Document {
	d := &Document{lines: map[string]int{}, anchors: map[string]ast.Node{}}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		d.Unread = true
		line := 0
		var at yaml.Error
		if errors.As(err, &at) && at.GetToken() != nil {
			line = at.GetToken().Position.Line
		}
		text, _, _ := strings.Cut(yaml.FormatError(err, false, false), "\n")
		d.Problems = append(d.Problems, Problem{Line: line, Text: "not well-formed YAML: " + text})
		return d
	}
	if len(file.Docs) > 1 {
		d.Problems = append(d.Problems, Problem{Text: "one document is read; the file has several"})
	}
	if len(file.Docs) > 0 && file.Docs[0].Body != nil {
		d.fill(file.Docs[0].Body, pointer(into), "")
	}
	d.sort()
	return d
}

// Add notes a problem found by a rule; its line is that of path, or of the nearest part around it.
func (d *Document) Add(path, format string, a ...any) {
	d.Problems = append(d.Problems, Problem{Line: d.Line(path), Path: path, Text: fmt.Sprintf(format, a...)})
	d.sort()
}

// Warn notes what works and is unwise.
func (d *Document) Warn(path, format string, a ...any) {
	d.Warnings = append(d.Warnings, Problem{Line: d.Line(path), Path: path, Text: fmt.Sprintf(format, a...)})
}

// Line gives the line of a part, or of the nearest part around it that has one; 0 for what is missing at the top.
func (d *Document) Line(path string) int {
	for {
		if path == "" {
			return 0
		}
		if n, ok := d.lines[path]; ok {
			return n
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
}

// Has tells whether the document says anything at path.
func (d *Document) Has(path string) bool { _, ok := d.lines[path]; return ok }

// Err is nil when nothing is wrong, else Problems.
func (d *Document) Err() error {
	if len(d.Problems) == 0 {
		return nil
	}
	return d.Problems
}

func (d *Document) sort() {
	slices.SortStableFunc(d.Problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
}

func (d *Document) problem(n ast.Node, path, format string, a ...any) {
	d.Problems = append(d.Problems, Problem{Line: lineOf(n), Path: path, Text: fmt.Sprintf(format, a...)})
}

func lineOf(n ast.Node) int {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
		n = m.Values[0].Key
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}
