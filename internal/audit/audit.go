package audit

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"time"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
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

// Log is the trail. Its linker runs as a task every second and signs the head (ES256) every hour.
type Log struct {
	db     *database.DB
	box    *seal.Box
	engine *tasks.Engine // its logger is ours too
	key    []byte        // authenticates rows, links and the end
	seen   atomic.Int64  // the longest chain this process knows of
}

const (
	linkKind, linkEvery = "audit.link", time.Second
	signKind, signEvery = "audit.sign", time.Hour
)

// New begins the trail, once in a store's life together with its key, and registers the linker with the engine.
func New(ctx context.Context, db *database.DB, box *seal.Box, engine *tasks.Engine) (*Log, error) {
	l := &Log{db: db, box: box, engine: engine}
	if err := l.open(ctx); err != nil {
		return nil, fault.Unavailable.Wrap(err, "The audit trail could not be opened.")
	}
	tasks.Handle(engine, linkKind, func(ctx context.Context, _ struct{}) error { _, err := l.Link(ctx); return err })
	tasks.Handle(engine, signKind, func(ctx context.Context, _ struct{}) error { return l.sign(ctx) })
	if err := engine.Every(ctx, linkKind, linkEvery); err != nil {
		return nil, fault.Unavailable.Wrap(err, "The audit trail could not be set up.")
	}
	if err := engine.Every(ctx, signKind, signEvery); err != nil {
		return nil, fault.Unavailable.Wrap(err, "The audit trail could not be set up.")
	}
	return l, nil
}

// open takes the key, and makes it and the first end in one transaction: where there is a key and no end, the end was taken away. An end that does not
// fit is no reason not to start; the linker tells.
func (l *Log) open(ctx context.Context) error {
	err := l.db.Tx(ctx, func(ctx context.Context) error {
		begun, err := l.box.HasMACKey(ctx, "audit")
		if err != nil {
			return err
		}
		if l.key, err = l.box.MACKey(ctx, "audit"); err != nil || begun {
			return err
		}
		return l.begin(ctx, tip{Proof: proof(l.key, 0, "")})
	})
	if err != nil {
		return err
	}
	end, err := l.tip(ctx)
	if err == nil && end.fits(l.key) {
		l.saw(end.Seq)
	}
	return err
}

// Append adds a row in the caller's transaction; outside one it is an error. An At of zero means now, by the wall clock.
func (l *Log) Append(ctx context.Context, e Entry) error {
	if !l.db.In(ctx) {
		return fault.Internal.Errorf("The audit row %s was appended outside the transaction of the deed.", e.Action)
	}
	if e.At.IsZero() {
		e.At = time.Now()
	}
	detail, err := json.Marshal(e.Detail) // a map's keys come out sorted
	if err != nil {
		return fault.Internal.Wrap(err, "The audit row %s could not be written.", e.Action)
	}
	r := row{
		ID: ids.New("aud"), Org: e.Org, Project: e.Project, At: e.At.UnixMicro(), Who: e.Who, Via: e.Via,
		Action: e.Action, Object: e.Object, Detail: string(detail), Known: l.seen.Load(),
	}
	r.Own = own(l.key, r)
	return l.insert(ctx, r)
}

// List gives the newest rows, at most limit; an empty org lists all.
func (l *Log) List(ctx context.Context, org string, limit int) ([]Entry, error) {
	rows, err := l.newest(ctx, org, limit)
	if err != nil {
		return nil, fault.Unavailable.Wrap(err, "The audit trail could not be read.")
	}
	out := make([]Entry, len(rows))
	for i, r := range rows {
		out[i] = Entry{
			ID: r.ID, Org: r.Org, Project: r.Project, At: time.UnixMicro(r.At).UTC(), Who: r.Who, Via: r.Via,
			Action: r.Action, Object: r.Object, Seq: r.Seq, MAC: r.MAC,
		}
		if err := json.Unmarshal([]byte(r.Detail), &out[i].Detail); err != nil {
			l.engine.Log.WarnContext(ctx, "audit: a row's detail is no JSON; run `sutler audit verify`", "id", r.ID)
		}
	}
	return out, nil
}
