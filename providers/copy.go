package providers

import (
	"context"
	"io"
	"time"
)

// Backup writes the instance's data to a stream. It takes as long as the data take: the deadline is Settings.Copying, and the breaker,
// which is for short calls, neither counts nor stops it.
func (p *Provider) Backup(ctx context.Context, i Instance, to io.Writer) error {
	b, ok := p.driver.(Backuper)
	if !ok {
		return p.lacks(BacksUp)
	}
	return p.copy(ctx, "backup", i.ID, func(ctx context.Context) error { return b.Backup(ctx, i, to) })
}

// Restore reads a stream that Backup of any provider of the same kind wrote into an instance that was just made.
func (p *Provider) Restore(ctx context.Context, i Instance, from io.Reader) error {
	b, ok := p.driver.(Backuper)
	if !ok {
		return p.lacks(BacksUp)
	}
	return p.copy(ctx, "restore", i.ID, func(ctx context.Context) error { return b.Restore(ctx, i, from) })
}

// Count counts what the instance holds, by whatever its kind divides it into. It takes as long as a copy may.
func (p *Provider) Count(ctx context.Context, i Instance) (n map[string]int64, err error) {
	c, ok := p.driver.(Counter)
	if !ok {
		return nil, p.lacks(Counts)
	}
	err = p.copy(ctx, "count", i.ID, func(ctx context.Context) (err error) { n, err = c.Count(ctx, i); return err })
	return n, err
}

func (p *Provider) copy(ctx context.Context, verb, subject string, f func(context.Context) error) error {
	if p.Away {
		return p.notHere()
	}
	began := time.Now()
	_, err := bounded(ctx, p.Copying, func(ctx context.Context) (struct{}, error) { return struct{}{}, f(ctx) })
	err = p.class(ctx, verb, err)
	p.report(ctx, verb, subject, began, err)
	return err
}
