package broker

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/tasks"
	"github.com/sutlerhq/sutler/providers"
)

// kindCount is the task by which a node counts what a moved instance of its holds, for the node that has the copy.
const kindCount = "move.count"

// apart tells whether no process may call both providers: the first one is at a node, the second at another one or at none. Data then go from
// one to the other by way of the vault, as a backup does.
func (b *Broker) apart(from, to string) bool {
	p, ok := b.Providers.Get(from)
	q, there := b.Providers.Get(to)
	return ok && there && p.Node != "" && p.Node != q.Node
}

// bridged refuses a move between nodes when there is nowhere for its data to go by.
func (b *Broker) bridged(from, to string) error {
	if b.Vault != nil || !b.apart(from, to) {
		return nil
	}
	return fault.Unprocessable.Errorf("%s and %s are at different nodes of the market: data go from one to the other by way of the place where backups are kept, and this market has none.", from, to).
		WithHint("Its operator names a folder or a bucket that every node reaches in the configuration: backups.")
}

// sendOut begins a backup of the old instance, for the new one to be filled from. Only with both instances held.
func (b *Broker) sendOut(ctx context.Context, s *scene) error {
	if !b.apart(s.old.Provider, s.new.Provider) {
		return nil
	}
	row, err := b.newBackup(ctx, itself, s.old)
	s.move.Backup = row.ID
	return err
}

// tidy removes the backup that a move's data went by, once nobody needs it.
func (b *Broker) tidy(ctx context.Context, m moveRow) error {
	if m.Backup == "" {
		return nil
	}
	row, found, err := b.findBackup(ctx, m.Backup)
	if err != nil || !found || row.State == backupDeleting || row.State == backupGone {
		return err
	}
	return b.dropBackup(ctx, itself, row)
}

// origin is where a move's data come from.
type origin struct {
	count func(ctx context.Context) (map[string]int64, error)
	open  func(ctx context.Context) (io.ReadCloser, error)
}

// originOf is the old instance itself, or, when it is at another node, its backup and that node's word.
func (b *Broker) originOf(ctx context.Context, m moveRow, from string) (o origin, err error) {
	p, old, err := b.reach(ctx, from)
	if err != nil {
		return o, err
	}
	o.count = func(ctx context.Context) (map[string]int64, error) { return b.countThere(ctx, m.ID, p, old) }
	if m.Backup == "" {
		o.open = func(ctx context.Context) (io.ReadCloser, error) {
			return piped(ctx, func(ctx context.Context, to io.Writer) error { return p.Backup(ctx, old, to) }), nil
		}
		return o, nil
	}
	row, _, err := b.findBackup(ctx, m.Backup)
	o.open = func(ctx context.Context) (io.ReadCloser, error) { return b.openBackup(ctx, row) }
	return o, err
}

// countThere counts what the old instance holds; when only another node may ask its provider, that one does, and is waited for while it lives.
func (b *Broker) countThere(ctx context.Context, move string, p *providers.Provider, old providers.Instance) (map[string]int64, error) {
	if !p.Away {
		return p.Count(ctx, old)
	}
	key := kindCount + "/" + move
	err := b.DB.Tx(ctx, func(ctx context.Context) error {
		if err := b.Tasks.Enqueue(ctx, kindCount, key, moveWork{move}, p.Node); err != nil {
			return err
		}
		return b.saveOriginCounts(ctx, move, "")
	})
	for err == nil {
		var pending bool
		if pending, err = b.Tasks.Pending(ctx, key); err != nil || !pending {
			break
		}
		if !answers(p) {
			return nil, fault.Unavailable.Errorf("%s is %s. %s", p.Name, p.Status(), p.Why())
		}
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-time.After(otherProcesses):
		}
	}
	if err != nil {
		return nil, err
	}
	m, _, err := b.findMove(ctx, "id = ?", move)
	if err == nil && m.CountsFrom == "" {
		err = fault.ProviderFailed.Errorf("%s could not count what the old instance holds.", p.Name)
	}
	if err != nil {
		return nil, err
	}
	held := map[string]int64{}
	return held, json.Unmarshal([]byte(m.CountsFrom), &held)
}

// workCount counts what the old instance of a move holds, at its node.
func (b *Broker) workCount(ctx context.Context, w moveWork) error {
	m, found, err := b.findMove(ctx, "id = ? AND state = ?", w.Move, moveCopying)
	if err != nil || !found {
		return err
	}
	p, old, err := b.reach(ctx, m.Instance)
	if err != nil {
		return err
	}
	if p.Away { // it was given to another node meanwhile
		return b.DB.Tx(ctx, func(ctx context.Context) error {
			return b.Tasks.Enqueue(ctx, kindCount, kindCount+"/"+m.ID, w, p.Node)
		})
	}
	held, err := p.Count(ctx, old)
	if err != nil {
		return err
	}
	text, err := json.Marshal(held)
	if err != nil {
		return err
	}
	return b.DB.Tx(ctx, func(ctx context.Context) error {
		if err := tasks.Hold(ctx); err != nil {
			return err
		}
		return b.saveOriginCounts(ctx, m.ID, string(text))
	})
}
