package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sutlerhq/sutler/internal/fault"
)

// Depth is the deepest nesting that is accepted.
const Depth = 64

// Numbers are limited because a short text can ask for a gigantic value.
const (
	numberBytes    = 64
	numberExponent = 308
)

// JSON checks raw: one well-formed value in UTF-8, no duplicate key in an object, nesting at most Depth, no NUL in a text, no number of more
// than 64 characters or an exponent past ±308. The fault is Invalid and names the place. It takes time linear in raw.
func JSON(raw []byte) error {
	if len(bytes.TrimSpace(raw)) == 0 {
		return fault.Invalid.Errorf("The JSON document is empty.")
	}
	if !utf8.Valid(raw) {
		return fault.Invalid.Errorf("The JSON document is not UTF-8.")
	}
	if at := tooDeep(raw); at >= 0 {
		return fault.Invalid.Errorf("The JSON document is nested more than %d deep at byte %d.", Depth, at)
	}
	var whole json.RawMessage
	if err := json.Unmarshal(raw, &whole); err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			return fault.Invalid.Wrap(err, "The JSON document is not well-formed at byte %d.", syntax.Offset)
		}
		return fault.Invalid.Wrap(err, "The JSON document is not well-formed.")
	}
	w := walker{raw: raw}
	return w.run()
}

// tooDeep gives the place of the first bracket beyond Depth, or -1. It runs before the grammar is known, so a bomb costs one look at its start.
func tooDeep(raw []byte) int {
	depth, text := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			if depth++; depth > Depth {
				return i
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return -1
}

// walker goes through a document whose grammar is known to be right.
type walker struct {
	raw   []byte
	at    int
	stack []level
}

// level is an open object or array.
type level struct {
	keys  map[string]struct{} // nil in an array
	key   string              // the member we are in
	index int                 // the element we are in
	value bool                // in an object: the key was read, its value comes
}

func (w *walker) run() error {
	for w.at < len(w.raw) {
		c := w.raw[w.at]
		w.at++
		switch {
		case c == '{':
			w.stack = append(w.stack, level{keys: map[string]struct{}{}})
		case c == '[':
			w.stack = append(w.stack, level{})
		case c == '}' || c == ']':
			w.stack = w.stack[:len(w.stack)-1]
		case c == ':':
			w.top().value = true
		case c == ',':
			w.top().value = false
			w.top().index++
		case c == '"':
			if err := w.text(); err != nil {
				return err
			}
		case c == '-' || '0' <= c && c <= '9':
			if err := w.number(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *walker) top() *level { return &w.stack[len(w.stack)-1] }

// text reads a string whose opening quote is behind us.
func (w *walker) text() error {
	start, escaped := w.at, false
	for ; w.raw[w.at] != '"'; w.at++ {
		if w.raw[w.at] == '\\' {
			escaped = true
			w.at++
		}
	}
	s := string(w.raw[start:w.at])
	w.at++
	if escaped {
		if err := json.Unmarshal(w.raw[start-1:w.at], &s); err != nil {
			return w.fault("is no text")
		}
		if strings.ContainsRune(s, 0) {
			return w.fault("holds a NUL character")
		}
		if strings.ContainsRune(s, utf8.RuneError) && loneSurrogate(w.raw[start:w.at-1]) {
			return w.fault("holds half a surrogate pair")
		}
	}
	if len(w.stack) == 0 || w.top().keys == nil || w.top().value {
		return nil
	}
	l := w.top()
	l.key = s
	if _, twice := l.keys[s]; twice {
		return w.fault("is given twice")
	}
	l.keys[s] = struct{}{}
	return nil
}

// loneSurrogate tells whether an escaped text holds a \uD800…\uDFFF that is no half of a pair.
func loneSurrogate(s []byte) bool {
	unit := func(i int) (uint64, bool) {
		if i+6 > len(s) || s[i] != '\\' || s[i+1] != 'u' {
			return 0, false
		}
		n, err := strconv.ParseUint(string(s[i+2:i+6]), 16, 16)
		return n, err == nil
	}
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			continue
		}
		n, ok := unit(i)
		if !ok {
			i++ // another escape
			continue
		}
		i += 5
		if n&0xfc00 == 0xd800 {
			if low, ok := unit(i + 1); ok && low&0xfc00 == 0xdc00 {
				i += 6
				continue
			}
		}
		if n&0xf800 == 0xd800 {
			return true
		}
	}
	return false
}

// number reads a number whose first character is behind us.
func (w *walker) number() error {
	start := w.at - 1
	for w.at < len(w.raw) && strings.IndexByte("+-.eE0123456789", w.raw[w.at]) >= 0 {
		w.at++
	}
	s := string(w.raw[start:w.at])
	if len(s) > numberBytes {
		return w.fault(fmt.Sprintf("is a number of more than %d characters", numberBytes))
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if n, err := strconv.Atoi(s[i+1:]); err != nil || n > numberExponent || n < -numberExponent {
			return w.fault("is a number with an exponent past ±308")
		}
	}
	return nil
}

// fault names the place we are at as a JSON pointer.
func (w *walker) fault(reason string) error {
	var p strings.Builder
	for _, l := range w.stack {
		if l.keys == nil {
			fmt.Fprintf(&p, "/%d", l.index)
			continue
		}
		p.WriteString("/" + pointerPart(l.key))
	}
	return fault.Invalid.Errorf("The JSON document cannot be accepted: %s %s.", place(p.String()), reason).
		WithFields(fault.Field{Path: p.String(), Reason: reason})
}

func place(pointer string) string {
	if pointer == "" {
		return "its value"
	}
	return pointer
}

// pointerPart writes a key as part of a JSON pointer, shortened: a key may be as long as a whole body.
func pointerPart(key string) string {
	if r := []rune(key); len(r) > 64 {
		key = string(r[:64]) + "…"
	}
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}
