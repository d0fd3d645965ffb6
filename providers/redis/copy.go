package redis

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	client "github.com/redis/go-redis/v9"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// magic begins a backup. Records follow: 'k', the database, the expiry (milliseconds since 1970; 0: none), the key and what DUMP says of it,
// numbers as unsigned varints, texts with their length before them; at the end 'e', the number of keys, and the SHA-256 of all before it.
const magic = "sutler redis backup 1\n"

// longestText bounds what a damaged backup can make us allocate: Redis's own bound for one value.
const longestText = 512 << 20

// databases lists the databases of the instance that hold keys.
func (s *site) databases(ctx context.Context) ([]int, error) {
	if s.prefix != "" {
		return []int{0}, nil
	}
	info, err := s.info(ctx)
	if err != nil {
		return nil, err
	}
	var list []int
	for _, key := range slices.Sorted(maps.Keys(info)) {
		if n, err := strconv.Atoi(strings.TrimPrefix(key, "db")); err == nil && strings.HasPrefix(key, "db") {
			list = append(list, n)
		}
	}
	return list, nil
}

// in gives one connection to a database of the server.
func (s *site) in(ctx context.Context, database int) (*client.Client, error) {
	o := *s.Options()
	o.DB, o.PoolSize, o.MinIdleConns = database, 1, 0
	c := client.NewClient(&o)
	return c, c.Ping(ctx).Err()
}

// Backup writes every key. Each is as it was at one moment; the whole is not of one moment while apps write: suspend the instance for that.
func (d *Driver) Backup(ctx context.Context, i providers.Instance, to io.Writer) error {
	s, err := d.site(ctx, i.ID)
	if err != nil {
		return err
	}
	if err := s.made(ctx); err != nil {
		return err
	}
	sum := sha256.New()
	w := bufio.NewWriter(io.MultiWriter(to, sum))
	if _, err := w.WriteString(magic); err != nil {
		return err
	}
	databases, err := s.databases(ctx)
	if err != nil {
		return err
	}
	seen := map[string]bool{} // a scan may show a key twice
	for _, n := range databases {
		if err := s.dump(ctx, n, w, seen); err != nil {
			return classed(err)
		}
	}
	end := binary.AppendUvarint([]byte{'e'}, uint64(len(seen)))
	if _, err := w.Write(end); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = to.Write(sum.Sum(nil))
	return err
}

func (s *site) dump(ctx context.Context, database int, w *bufio.Writer, seen map[string]bool) error {
	c, err := s.in(ctx, database)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	return s.walk(ctx, c, func(keys []string) error {
		for _, key := range keys {
			name := strconv.Itoa(database) + ":" + key
			if seen[name] {
				continue
			}
			var until, value *client.Cmd
			_, err := c.TxPipelined(ctx, func(p client.Pipeliner) error {
				until, value = p.Do(ctx, "PEXPIRETIME", key), p.Do(ctx, "DUMP", key)
				return nil
			})
			if errors.Is(err, client.Nil) {
				continue // it went meanwhile
			}
			if err != nil {
				return err
			}
			expires, err := until.Int64()
			if err != nil {
				return err
			}
			text, err := value.Text()
			if err != nil {
				return err
			}
			seen[name] = true
			record := binary.AppendUvarint([]byte{'k'}, uint64(database)) //nolint:gosec // not negative
			record = binary.AppendUvarint(record, uint64(max(expires, 0)))
			for _, part := range []string{strings.TrimPrefix(key, s.prefix), text} {
				record = append(binary.AppendUvarint(record, uint64(len(part))), part...)
			}
			if _, err := w.Write(record); err != nil {
				return err
			}
		}
		return nil
	})
}

// Restore reads every key of a backup into the instance. What is damaged is found at the end at the latest; what was read until then stays.
func (d *Driver) Restore(ctx context.Context, i providers.Instance, from io.Reader) error {
	s, err := d.site(ctx, i.ID)
	if err != nil {
		return err
	}
	if err := s.made(ctx); err != nil {
		return err
	}
	r := &records{r: bufio.NewReader(from), sum: sha256.New()}
	begin := make([]byte, len(magic))
	if _, err := io.ReadFull(r, begin); err != nil {
		return damaged(err)
	}
	if string(begin) != magic {
		return fault.Invalid.Errorf("This is no backup of a Redis instance.")
	}
	open := map[int]*client.Client{}
	defer func() {
		for _, c := range open {
			_ = c.Close()
		}
	}()
	for {
		k, more, err := r.next()
		if err != nil || !more {
			return err
		}
		if s.prefix != "" && k.database != 0 {
			return fault.Refused.Errorf("The backup has keys in database %d; a shared Redis has only database 0.", k.database)
		}
		if open[k.database] == nil {
			c, err := s.in(ctx, k.database)
			if err != nil {
				return classed(err)
			}
			open[k.database] = c
		}
		if k.expires > 0 && k.expires <= time.Now().UnixMilli() {
			continue
		}
		if err := open[k.database].Do(ctx, "RESTORE", s.prefix+k.key, k.expires, k.value, "REPLACE", "ABSTTL").Err(); err != nil {
			return classed(err)
		}
	}
}

// record is one key of a backup.
type record struct {
	database   int
	expires    int64
	key, value string
}

// records reads a backup and adds up what it read.
type records struct {
	r     *bufio.Reader
	sum   hash.Hash
	count uint64
}

func (r *records) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.sum.Write(p[:n])
	return n, err
}

func (r *records) ReadByte() (byte, error) {
	var b [1]byte
	_, err := io.ReadFull(r, b[:])
	return b[0], err
}

var errDamaged = errors.New("the backup is damaged or cut off")

func damaged(err error) error {
	return fault.Invalid.Wrap(errors.Join(errDamaged, err), "The backup is damaged or cut off.")
}

// next reads a key; false at the end of a whole backup.
func (r *records) next() (k record, more bool, err error) {
	kind, err := r.ReadByte()
	if err == nil && kind == 'e' {
		return k, false, r.end()
	}
	if err != nil || kind != 'k' {
		return k, false, damaged(err)
	}
	database, err := binary.ReadUvarint(r)
	expires, err2 := binary.ReadUvarint(r)
	if err := errors.Join(err, err2); err != nil || database > 1<<20 || expires > 1<<62 {
		return k, false, damaged(err)
	}
	k.database, k.expires = int(database), int64(expires)
	if k.key, err = r.text(); err == nil {
		k.value, err = r.text()
	}
	if err != nil {
		return k, false, damaged(err)
	}
	r.count++
	return k, true, nil
}

func (r *records) text() (string, error) {
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return "", err
	}
	if n > longestText {
		return "", fmt.Errorf("a text of %d bytes", n)
	}
	var b strings.Builder
	_, err = io.CopyN(&b, r, int64(n)) //nolint:gosec // bounded above
	return b.String(), err
}

func (r *records) end() error {
	count, err := binary.ReadUvarint(r)
	if err != nil || count != r.count {
		return damaged(err)
	}
	want := r.sum.Sum(nil)
	have := make([]byte, len(want))
	if _, err := io.ReadFull(r.r, have); err != nil || string(have) != string(want) {
		return damaged(err)
	}
	return nil
}
