package providertest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Folder is the environment variable that names the folder where `make providers` collects what the drivers' tests found.
const Folder = "SUTLER_PROVIDERS"

// Mark is how one check went, in a Record.
type Mark struct {
	Name       string
	Passed     bool
	NotOffered string `json:",omitempty"`
}

// Record is what a driver's tests found: a column of docs/providers.md, and its rows in the tables of durations there.
type Record struct {
	Column  string // the driver, and the form of it: "redis, shared"
	Marks   []Mark
	Revoked []time.Duration // lives of open connections after Unbind had returned
	Timings []Timing
}

// Timing compares what one verb takes with the server's bare command that does the same.
type Timing struct {
	Verb string        // provision, bind, unbind
	Mean time.Duration // of Rounds
	Bare string        // the server's own command; empty: there is none
	Base time.Duration // what that takes
	Note string        // what else is to be known

	Rounds int
}

// Keep writes how the checks went for the documents, when they are being made.
func Keep[T Tester[T]](t T, column string, list []Result) {
	t.Helper()
	r := Record{Column: column}
	for _, one := range list {
		r.Marks = append(r.Marks, Mark{Name: one.Name, Passed: one.Passed(), NotOffered: one.NotOffered})
		r.Revoked = append(r.Revoked, one.Revoked...)
	}
	r.keep(t.Error, "checks")
}

// KeepTimings writes how long a driver's verbs take for the documents, when they are being made.
func KeepTimings[T Tester[T]](t T, driver string, list ...Timing) {
	t.Helper()
	for _, one := range list {
		if one.Base > 0 {
			t.Log(fmt.Sprintf("%s: %s; %s: %s (%.1f)", one.Verb, one.Mean, one.Bare, one.Base, float64(one.Mean)/float64(one.Base)))
		} else {
			t.Log(fmt.Sprintf("%s: %s", one.Verb, one.Mean))
		}
	}
	Record{Column: driver, Timings: list}.keep(t.Error, "timings")
}

func (r Record) keep(complain func(...any), what string) {
	dir := os.Getenv(Folder)
	if dir == "" {
		return
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, FileOf(r.Column, what)), append(text, '\n'), 0o600)
	}
	if err != nil {
		complain(err)
	}
}

// FileOf is the file in Folder that holds a column's "checks" or "timings".
func FileOf(column, what string) string {
	return strings.NewReplacer(" ", "-", ",", "").Replace(column) + "." + what + ".json"
}
