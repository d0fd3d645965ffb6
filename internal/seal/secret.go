package seal

import (
	"fmt"
	"log/slog"
)

// Secret is text that shows as *** wherever it is printed, logged or marshalled. Reveal gives it.
type Secret string

// Reveal gives the text in clear. Call it only where it is handed to what needs it.
func (s Secret) Reveal() string { return string(s) }

// String hides the text.
func (Secret) String() string { return "***" }

// GoString hides the text from %#v.
func (Secret) GoString() string { return "***" }

// Format hides the text from every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("***")) }

// MarshalText hides the text from JSON, YAML and the like.
func (Secret) MarshalText() ([]byte, error) { return []byte("***"), nil }

// LogValue hides the text from slog.
func (Secret) LogValue() slog.Value { return slog.StringValue("***") }
