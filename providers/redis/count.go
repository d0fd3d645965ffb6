package redis

import (
	"context"
	"errors"
	"hash/maphash"
	"strconv"

	"github.com/sutlerhq/sutler/providers"
)

// Count counts the keys of each database that holds any. Keys that have expired are not counted, whether the server has removed them or not: of
// two counts of an instance that nobody writes to the later is never the greater. DBSIZE would tell the expired ones, too, so a copy that rightly
// leaves them out would look short. It takes a walk over all keys, and 8 bytes of memory and a map's share for each.
func (d *Driver) Count(ctx context.Context, i providers.Instance) (map[string]int64, error) {
	s, err := d.site(ctx, i.ID)
	if err != nil {
		return nil, err
	}
	if err := s.made(ctx); err != nil {
		return nil, err
	}
	databases, err := s.databases(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]int64{}
	for _, n := range databases {
		count, err := s.count(ctx, n)
		if err != nil {
			return nil, classed(err)
		}
		if count > 0 {
			all["db"+strconv.Itoa(n)] = count
		}
	}
	return all, nil
}

// count counts what a walk shows: that leaves out what has expired, and may show a key twice while the server's table grows or shrinks. Sums of keys
// stand for the keys, since millions of names would take much memory: that two of ten million have the same is one chance in 300,000.
func (s *site) count(ctx context.Context, database int) (int64, error) {
	c, err := s.in(ctx, database)
	if err != nil {
		return 0, errors.Join(err, c.Close())
	}
	seed, seen := maphash.MakeSeed(), map[uint64]struct{}{}
	err = s.walk(ctx, c, func(keys []string) error {
		for _, k := range keys {
			seen[maphash.String(seed, k)] = struct{}{}
		}
		return nil
	})
	return int64(len(seen)), errors.Join(err, c.Close())
}

// Expires says that keys may have a time to live.
func (d *Driver) Expires() {}
