package broker

import (
	"context"
	"encoding/json"
	"io"
	"sync/atomic"
	"time"

	"github.com/sutlerhq/sutler/internal/failpoint"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/seal"
	"github.com/sutlerhq/sutler/internal/tasks"
	"github.com/sutlerhq/sutler/providers"
)

// backupWork names a backup that wants to go on.
type backupWork struct{ Backup string }

// How often a backup is tried, how long it rests between tries, and how often it shows how far it is.
const (
	backupTries = 3
	backupPause = 2 * time.Second
	copyShown   = time.Second
)

func (b *Broker) wakeBackup(ctx context.Context, r backupRow) error {
	node, err := b.nodeOf(ctx, r.Instance)
	if err != nil {
		return err
	}
	return b.Tasks.Enqueue(ctx, "backup", "backup/"+r.ID, backupWork{r.ID}, node)
}

// workBackup makes or removes one backup. A killed process's copy is begun again from its start: the vault keeps nothing half.
func (b *Broker) workBackup(ctx context.Context, w backupWork) error {
	row, found, err := b.findBackup(ctx, w.Backup)
	if err != nil || !found {
		return err
	}
	if b.elsewhere(row.Provider) { // its node was not known when this was asked for, or is another one now
		return b.DB.Tx(ctx, func(ctx context.Context) error { return b.wakeBackup(ctx, row) })
	}
	if b.Vault == nil && (row.State == backupCreating || row.State == backupDeleting) {
		return fault.Unavailable.Errorf("This market keeps no backups any more; %s waits until a place for them is configured again.", row.ID)
	}
	switch row.State {
	case backupCreating:
		return b.makeBackup(ctx, row)
	case backupDeleting:
		if err := b.ask(ctx, func(ctx context.Context) error { return b.Vault.Remove(ctx, row.ID) }); err != nil {
			return err
		}
		return b.endBackup(ctx, row, backupDeleting, func(r *backupRow) { r.State, r.StreamKey = backupGone, "" })
	}
	return nil
}

func (b *Broker) makeBackup(ctx context.Context, row backupRow) error {
	bytes, before, counts, err := b.copyOut(ctx, row)
	if ctx.Err() != nil {
		return ctx.Err() // handed over to the next process
	}
	return b.endBackup(ctx, row, backupCreating, func(r *backupRow) {
		r.Attempts++
		switch {
		case err == nil:
			r.State, r.Bytes, r.CountsBefore, r.Counts, r.Note = backupReady, bytes, before, counts, ""
		case r.Attempts >= backupTries || definite(err):
			r.State, r.Note = backupFailed, fault.Of(err).Text
		default:
			r.Note = fault.Of(err).Text + " It is tried again."
		}
	})
}

// endBackup writes what became of a step, unless the backup's state is another one by now; the task comes again when work is left.
func (b *Broker) endBackup(ctx context.Context, row backupRow, from string, change func(*backupRow)) error {
	left := false
	err := b.DB.Tx(ctx, func(ctx context.Context) (err error) {
		if err := tasks.Hold(ctx); err != nil {
			return err
		}
		if row, _, err = b.findBackup(ctx, row.ID); err != nil {
			return err
		}
		if row.State == from {
			change(&row)
			if row.State != backupCreating {
				row.EndedAt = b.Clock.Now().UnixMicro()
			}
			err = b.saveBackup(ctx, row)
		}
		if err == nil && from == backupCreating {
			err = failpoint.Hit("broker", "backup", "settling")
			b.DB.AfterCommit(ctx, func() { failpoint.Pass("broker", "backup", "settled") })
		}
		left = row.State == backupCreating || row.State == backupDeleting
		return err
	})
	if err == nil && left {
		return tasks.Snooze(backupPause)
	}
	return err
}

// copyOut streams an instance's data, sealed, into the vault, and counts what the instance holds before and after it.
func (b *Broker) copyOut(ctx context.Context, row backupRow) (bytes int64, before, after string, err error) {
	p, told, err := b.reach(ctx, row.Instance)
	if err != nil {
		return 0, "", "", err
	}
	key, err := b.Box.Open(ctx, row.Org, "backup/"+row.ID+"/key", row.StreamKey)
	if err != nil {
		return 0, "", "", err
	}
	before = b.counts(ctx, p, told)
	stop := b.showCopied(ctx, func(ctx context.Context) error { return b.saveBackupBytes(ctx, row.ID, atomic.LoadInt64(&bytes)) })
	defer stop()
	err = b.ask(ctx, func(ctx context.Context) error {
		if err := failpoint.Hit("broker", "backup", "calling"); err != nil {
			return err
		}
		plain := piped(ctx, func(ctx context.Context, to io.Writer) error {
			if err := p.Backup(ctx, told, to); err != nil {
				return err
			}
			return failpoint.Hit("broker", "backup", "streamed")
		})
		defer func() { _ = plain.Close() }()
		sealed := piped(ctx, func(_ context.Context, to io.Writer) error { return sealTo(key, row.ID, plain, to) })
		defer func() { _ = sealed.Close() }()
		if _, err := b.Vault.Write(ctx, row.ID, counted{sealed, &bytes}); err != nil {
			return err
		}
		return failpoint.Hit("broker", "backup", "called")
	})
	if err != nil {
		return 0, "", "", err
	}
	return atomic.LoadInt64(&bytes), before, b.counts(ctx, p, told), nil
}

func sealTo(key []byte, backup string, from io.Reader, to io.Writer) error {
	w, err := seal.Writer(key, "backup/"+backup, to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, from); err != nil {
		return err
	}
	return w.Close()
}

// counts is what an instance holds, as JSON; empty when its provider cannot count.
func (b *Broker) counts(ctx context.Context, p *providers.Provider, told providers.Instance) string {
	if !p.Can(providers.Counts) {
		return ""
	}
	held, err := p.Count(ctx, told)
	if err != nil {
		return ""
	}
	text, err := json.Marshal(held)
	if err != nil {
		return ""
	}
	return string(text)
}

// reach finds an instance's provider, and what it is told of the instance.
func (b *Broker) reach(ctx context.Context, instance string) (*providers.Provider, providers.Instance, error) {
	r, found, err := b.findInstance(ctx, "id = ?", instance)
	if err != nil {
		return nil, providers.Instance{}, err
	}
	if !found || r.State == Gone {
		return nil, providers.Instance{}, fault.Refused.Errorf("The instance is gone.")
	}
	p, ok := b.Providers.Get(r.Provider)
	if !ok {
		return nil, providers.Instance{}, fault.Unavailable.Errorf("The provider %s is not configured any more.", r.Provider)
	}
	_, plan, err := b.Plan(ctx, r.PlanID)
	if err != nil {
		return nil, providers.Instance{}, err
	}
	told, err := b.told(ctx, r, plan)
	return p, told, err
}

// showCopied writes down how far a copy is, every second, until stop.
func (b *Broker) showCopied(ctx context.Context, save func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(copyShown)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := b.DB.Tx(ctx, save); err != nil && ctx.Err() == nil {
				b.Log.Debug("how far a copy is was not saved", "err", err) // only the display is late
			}
		}
	}()
	return func() { cancel(); <-ended }
}

// counted counts what is read.
type counted struct {
	io.Reader
	n *int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	atomic.AddInt64(c.n, int64(n))
	return n, err
}

// piped gives what write writes as a stream to read. Closing it ends the writing.
func piped(ctx context.Context, write func(context.Context, io.Writer) error) *io.PipeReader {
	r, w := io.Pipe()
	go func() { _ = w.CloseWithError(write(ctx, w)) }() // nil ends the stream well
	return r
}
