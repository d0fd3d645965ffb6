package broker

import (
	"context"
	"encoding/json"
	"io"
	"sync/atomic"

	"github.com/sutlerhq/sutler/internal/failpoint"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// moveTries is how often the data of a move are copied before it is given up: apps wait meanwhile.
const moveTries = 3

// waits tells what a new instance that is to be filled from another one has to wait for: that one is not yet suspended, or its backup is not made
// by which the data come. Empty: nothing.
func (b *Broker) waits(ctx context.Context, target string) (string, error) {
	m, found, err := b.findMove(ctx, "ended_at = 0 AND target = ?", target)
	switch {
	case err != nil:
		return "", err
	case !found || m.State == moveUndoing || m.State == moveFailing:
		return "", fault.Refused.Errorf("The move that it was made for has ended.")
	case m.State != moveCopying:
		return "It is made; the old instance is being suspended.", nil
	case m.Backup == "":
		return "", nil
	}
	row, _, err := b.findBackup(ctx, m.Backup)
	switch {
	case err != nil || row.State == backupReady:
		return "", err
	case row.State == backupCreating:
		return "It is made; the old instance's data are being copied out at its node.", nil
	}
	return "", fault.Refused.Errorf("The old instance's data could not be copied out (%s). %s", row.State, row.Note)
}

// fillMoved copies the old instance's data into the new one, and compares what both hold.
func (b *Broker) fillMoved(ctx context.Context, p *providers.Provider, told providers.Instance, from string) error {
	m, _, err := b.findMove(ctx, "ended_at = 0 AND target = ?", told.ID)
	if err != nil {
		return err
	}
	err = b.copyOver(ctx, m, p, told, from)
	if err == nil || ctx.Err() != nil {
		return err
	}
	var tries int64
	why := fault.Of(err).Text
	e := b.DB.Tx(ctx, func(ctx context.Context) (err error) { tries, err = b.missedMove(ctx, m.ID, why); return err })
	if e != nil {
		return e
	}
	b.Log.Warn("move", "id", m.ID, "tries", tries, "err", err)
	if tries >= moveTries {
		return fault.Refused.Wrap(err, "The data could not be copied, in %d tries. %s", tries, why)
	}
	return err
}

func (b *Broker) copyOver(ctx context.Context, m moveRow, p *providers.Provider, told providers.Instance, from string) error {
	origin, err := b.originOf(ctx, m, from)
	if err != nil {
		return err
	}
	before, err := origin.count(ctx)
	if err != nil {
		return err
	}
	if err := failpoint.Hit("broker", "move", "counted"); err != nil {
		return err
	}
	var bytes int64
	stop := b.showCopied(ctx, func(ctx context.Context) error { return b.saveMoveBytes(ctx, m.ID, atomic.LoadInt64(&bytes)) })
	defer stop()
	stream, err := origin.open(ctx)
	if err != nil {
		return err
	}
	err = poured(counted{stream, &bytes}, func(from io.Reader) error { return p.Restore(ctx, told, from) })
	_ = stream.Close()
	if err != nil {
		return err
	}
	if err := failpoint.Hit("broker", "move", "streamed"); err != nil {
		return err
	}
	got, err := p.Count(ctx, told)
	if err != nil {
		return err
	}
	after, err := origin.count(ctx)
	if err != nil {
		return err
	}
	if err := b.noteCounts(ctx, m.ID, atomic.LoadInt64(&bytes), after, got); err != nil {
		return err
	}
	if err := same(before, got, after); err != nil {
		return err
	}
	return failpoint.Hit("broker", "move", "compared")
}

func (b *Broker) noteCounts(ctx context.Context, move string, bytes int64, from, to map[string]int64) error {
	one, err := json.Marshal(from)
	if err != nil {
		return err
	}
	two, err := json.Marshal(to)
	if err != nil {
		return err
	}
	return b.DB.Tx(ctx, func(ctx context.Context) error { return b.saveMoveCounts(ctx, move, bytes, string(one), string(two)) })
}

// same refuses a copy that does not hold what it was made of. What a suspended instance holds can only shrink, by what expires: a copy that was counted
// between two counts of it lies between them.
func same(before, got, after map[string]int64) error {
	names := map[string]bool{}
	for _, m := range []map[string]int64{before, got, after} {
		for name := range m {
			names[name] = true
		}
	}
	for name := range names {
		if got[name] > before[name] || got[name] < after[name] {
			return fault.ProviderFailed.Errorf("The copy differs: of %q it holds %d, the original %d.", name, got[name], after[name])
		}
	}
	return nil
}
