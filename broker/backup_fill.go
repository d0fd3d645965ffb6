package broker

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/seal"
	"github.com/sutlerhq/sutler/internal/vault"
	"github.com/sutlerhq/sutler/providers"
)

// fill puts a copy into a new instance: from a backup, or from another instance.
func (b *Broker) fill(ctx context.Context, p *providers.Provider, told providers.Instance, source string) error {
	noun, id, _ := strings.Cut(source, "/")
	if noun == "instance" {
		return b.fillMoved(ctx, p, told, id)
	}
	id, how, _ := strings.Cut(id, "/")
	row, found, err := b.findBackup(ctx, id)
	if err != nil {
		return err
	}
	if noun != "backup" || !found || row.State != backupReady {
		return fault.Refused.Errorf("The backup that it was to be restored from is gone.")
	}
	from, err := b.openBackup(ctx, row)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	if err := poured(from, func(from io.Reader) error { return p.Restore(ctx, told, from) }); err != nil || how == uncounted {
		return err
	}
	return b.recount(ctx, p, told, row)
}

// uncounted ends the source of a restore whose order said not to compare the copy with what was counted.
const uncounted = "uncounted"

// poured lets read have a stream, and reads what read left: only its end tells whether it was whole. What the stream failed with is why read failed,
// whatever that makes of a stream that ends in the middle.
func poured(from io.Reader, read func(io.Reader) error) error {
	s := &stream{r: from}
	err := read(s)
	if err == nil {
		_, err = io.Copy(io.Discard, s)
	}
	if broke := s.broke(); broke != nil {
		return broke
	}
	return err
}

// stream remembers what it failed with. A driver that was left alone may still read it.
type stream struct {
	r   io.Reader
	mu  sync.Mutex
	err error
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.err = err
	}
	return n, err
}

func (s *stream) broke() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// openBackup gives a backup's data in clear.
func (b *Broker) openBackup(ctx context.Context, row backupRow) (io.ReadCloser, error) {
	if b.Vault == nil {
		return nil, fault.Unavailable.Errorf("This market keeps no backups any more: none are configured.")
	}
	key, err := b.Box.Open(ctx, row.Org, "backup/"+row.ID+"/key", row.StreamKey)
	if f, ok := errors.AsType[*fault.Fault](err); ok && f.Kind == fault.Internal {
		return nil, fault.Refused.Wrap(err, "The key of the backup %s does not open: it cannot be restored by this market.", row.ID)
	}
	if err != nil {
		return nil, err
	}
	kept, err := b.Vault.Read(ctx, row.ID)
	if err != nil {
		return nil, unreadable(row.ID, err)
	}
	plain, err := seal.Reader(key, "backup/"+row.ID, kept)
	if err != nil {
		_ = kept.Close()
		return nil, unreadable(row.ID, err)
	}
	return opened{plain, kept, row.ID}, nil
}

// opened is a backup that is being read.
type opened struct {
	io.Reader
	io.Closer
	id string
}

func (o opened) Read(p []byte) (int, error) {
	n, err := o.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = unreadable(o.id, err)
	}
	return n, err
}

// unreadable says what is the matter with a backup that cannot be read: what is damaged or not there stays so.
func unreadable(backup string, err error) error {
	switch {
	case errors.Is(err, seal.ErrDamaged):
		return fault.Refused.Wrap(err, "The backup %s is damaged: what is kept of it is not what was written.", backup)
	case errors.Is(err, vault.ErrAbsent):
		return fault.Refused.Wrap(err, "The backup %s is not where backups are kept any more.", backup)
	}
	return fault.Unavailable.Wrap(err, "The backup %s cannot be read from where backups are kept.", backup)
}

// recount refuses a restored instance that does not hold what was counted when its backup was made, where both can be counted.
func (b *Broker) recount(ctx context.Context, p *providers.Provider, told providers.Instance, row backupRow) error {
	if !p.Can(providers.Counts) || row.CountsBefore == "" || row.Counts == "" {
		return nil
	}
	var before, after map[string]int64
	if err := errors.Join(json.Unmarshal([]byte(row.CountsBefore), &before), json.Unmarshal([]byte(row.Counts), &after)); err != nil {
		return err
	}
	got, err := p.Count(ctx, told)
	if err != nil {
		return err
	}
	return restored(row.ID, before, got, after, p.Can(providers.Expires))
}

// restored compares what a restored instance holds with what was counted before and after its backup was made. What changed meanwhile was being written,
// so that only its whole loss is told; where things expire by themselves, fewer are no loss.
func restored(backup string, before, got, after map[string]int64, expires bool) error {
	names := map[string]bool{}
	for _, m := range []map[string]int64{before, got, after} {
		for name := range m {
			names[name] = true
		}
	}
	for name := range names {
		want, have := after[name], got[name]
		differs := have != want
		if before[name] != want {
			differs = have == 0 && min(before[name], want) > 0
		}
		if differs && (have > want || !expires) {
			return fault.Refused.Errorf("What was restored from %s differs from what it was made of: of %q it holds %d, and %d were counted. "+
				"If apps were writing while the backup was made, restore it with --uncounted, which compares nothing.", backup, name, have, want)
		}
	}
	return nil
}
