// Package audit keeps who did what: rows appended in the transaction of the deed, linked into one chain by a single leased linker.
package audit

import (
	"context"
	"time"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/seal"
	"github.com/sutlerhq/sutler/internal/tasks"
)

// Entry is one deed. It never holds a secret or a parameter's value.
type Entry struct {
	ID, Org, Project string // ID is given by Append
	At               time.Time
	Who              string // identity.Principal.Label
	Via              string // token id, session id, "claimed: …", may be empty
	Action           string // "instance.provision"
	Object           string // "instance/ins_…"
	Detail           map[string]string
	Seq              int64  // 0 until linked
	MAC              string // hex, over the previous MAC and this row
}

// Report is what Verify found.
type Report struct {
	Linked, Pending int64
	OK              bool
	FirstBad        string // id of the first row that does not fit
	Heads           int64  // signed heads checked
}

// Log is the trail. Its linker runs as a task every second and signs the head (ES256) every hour.
type Log struct{}

// New registers the linker with the engine.
func New(ctx context.Context, db *database.DB, box *seal.Box, engine *tasks.Engine) (*Log, error) {
	panic("unbuilt")
}

// Append adds a row in the caller's transaction; outside one it is an error.
func (l *Log) Append(ctx context.Context, e Entry) error { panic("unbuilt") }

// List gives the newest rows, at most limit; an empty org lists all.
func (l *Log) List(ctx context.Context, org string, limit int) ([]Entry, error) { panic("unbuilt") }

// Verify walks the chain from its beginning.
func (l *Log) Verify(ctx context.Context) (Report, error) { panic("unbuilt") }
