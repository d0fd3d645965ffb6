package providertest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/fake"
	"github.com/sutlerhq/sutler/providers/latency"
)

// More broken drivers: those that copy, count, watch and list wrongly.
type (
	cutter  struct{ *fake.Driver }
	loser   struct{ *fake.Driver }
	mover   struct{ *fake.Driver }
	dropper struct{ *fake.Driver }
	content struct{ *fake.Driver }
	guesser struct{ *fake.Driver }
	blind   struct{ *fake.Driver }
	alarmed struct{ *fake.Driver }
	hider   struct{ *fake.Driver }
	polite  struct{ *fake.Driver }
	astray  struct{ *fake.Driver }
	mute    struct{ *fake.Driver }
	stale   struct{ *fake.Driver }

	swallower struct{ *fake.Driver }
)

// cutter looks at the beginning of a seed only.
func (d cutter) Bind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Grant, providers.Progress, error) {
	b.Seed = b.Seed[:min(len(b.Seed), 20)]
	return d.Driver.Bind(ctx, i, b)
}

// loser leaves something out of every backup.
func (d loser) Backup(ctx context.Context, i providers.Instance, to io.Writer) error {
	var all bytes.Buffer
	if err := d.Driver.Backup(ctx, i, &all); err != nil {
		return err
	}
	data := map[string]string{}
	if err := json.Unmarshal(all.Bytes(), &data); err != nil {
		return err
	}
	delete(data, "long")
	return json.NewEncoder(to).Encode(data)
}

// mover takes the data away from where it copies them.
func (d mover) Backup(ctx context.Context, i providers.Instance, to io.Writer) error {
	if err := d.Driver.Backup(ctx, i, to); err != nil {
		return err
	}
	if err := d.Destroy(i.ID); err != nil {
		return err
	}
	_, err := d.Provision(ctx, i)
	return err
}

// dropper reads a backup and keeps nothing of it.
func (d dropper) Restore(_ context.Context, _ providers.Instance, from io.Reader) error {
	_, err := io.Copy(io.Discard, from)
	return err
}

// swallower takes an error of the stream for its end, once it has read something.
func (d swallower) Restore(ctx context.Context, i providers.Instance, from io.Reader) error {
	first := make([]byte, 1)
	if _, err := io.ReadFull(from, first); err != nil {
		return err
	}
	rest, broke := io.ReadAll(from)
	if broke == nil {
		return d.Driver.Restore(ctx, i, io.MultiReader(bytes.NewReader(first), bytes.NewReader(rest)))
	}
	return ctx.Err()
}

// content makes do with what there is of a backup that was cut off.
func (d content) Restore(ctx context.Context, i providers.Instance, from io.Reader) error {
	err := d.Driver.Restore(ctx, i, from)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// guesser counts what it likes.
func (guesser) Count(context.Context, providers.Instance) (map[string]int64, error) {
	return map[string]int64{"keys": 7}, nil
}

// blind sees no excess.
func (blind) Watch(context.Context, providers.Instance) ([]providers.Excess, error) { return nil, nil }

// alarmed sees it everywhere.
func (alarmed) Watch(context.Context, providers.Instance) ([]providers.Excess, error) {
	return []providers.Excess{{Limit: "connections", Allowed: 10, Used: 11}}, nil
}

// hider shows nothing that it made.
func (hider) List(context.Context) ([]string, error) { return nil, nil }

func (hider) Inspect(context.Context, providers.Instance) (providers.Inspection, error) {
	return providers.Inspection{}, nil
}

// mute says of every binding that it is not there.
func (d mute) Inspect(ctx context.Context, i providers.Instance) (providers.Inspection, error) {
	in, err := d.Driver.Inspect(ctx, i)
	in.Sessions = map[string]int{}
	return in, err
}

// stale says of every binding that it was asked about that it is there.
func (d stale) Inspect(ctx context.Context, i providers.Instance) (providers.Inspection, error) {
	in, err := d.Driver.Inspect(ctx, i)
	for _, id := range i.Bindings {
		in.Sessions[id] = 0
	}
	return in, err
}

// polite takes a login away only while its password is the one that it gave.
func (d polite) Unbind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Progress, error) {
	password, err := providers.Password(b.Seed, "fake password") // what Bind made of the seed
	if err != nil {
		return providers.Progress{}, err
	}
	s, err := d.Connect(map[string]any{"username": providers.Name("u", b.ID), "password": password})
	if err != nil {
		return providers.Progress{Done: true}, nil //nolint:nilerr // what is broken about it: it takes a refusal for "it is gone already"
	}
	s.Close()
	return d.Driver.Unbind(ctx, i, b)
}

// astray says to probe a place where nothing listens.
func (astray) Target(context.Context, providers.Instance) (latency.Target, error) {
	return latency.Target{Address: "127.0.0.1:1", Protocol: "tcp"}, nil
}
