package redis_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc64"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	client "github.com/redis/go-redis/v9"

	"github.com/sutlerhq/sutler/providers/redis"
)

// Keys that expire while an instance is copied, and that its server has not removed yet, are no keys that the copy lacks.
func TestACopyMayLackOnlyWhatExpired(t *testing.T) {
	f, ctx := fleet(t), t.Context()
	h := plans(t, open(t, redis.Settings{Servers: f}))
	from, _, _, _ := instance(t, h, "ins_expiring")
	admin, err := administrator(ctx, f, from.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	c := admin.Conn()
	defer c.Close()
	_, err = c.TxPipelined(ctx, func(p client.Pipeliner) error { // at one moment: what expires, and that the server removes nothing while no writes are let through
		for n := range 3000 {
			p.Set(ctx, "stays "+strconv.Itoa(n), "x", 0)
			p.Set(ctx, "goes "+strconv.Itoa(n), "x", 50*time.Millisecond)
		}
		p.Do(ctx, "SELECT", 3)
		p.Set(ctx, "goes alone", "x", 50*time.Millisecond)
		p.Do(ctx, "CLIENT", "PAUSE", 600_000, "WRITE")
		return nil
	})
	for err == nil { // the connection is in the database where that key is
		err = c.Get(ctx, "goes alone").Err()
	}
	if !errors.Is(err, client.Nil) {
		t.Fatal(err)
	}
	if n := admin.DBSize(ctx).Val(); n != 6000 {
		t.Fatalf("the server has removed what expired already: %d keys are left", n)
	}
	var copied bytes.Buffer
	if err := h.Provider.Backup(ctx, from, &copied); err != nil {
		t.Fatal(err)
	}
	to, _, _, _ := instance(t, h, "ins_expired")
	if err := h.Provider.Restore(ctx, to, &copied); err != nil {
		t.Fatal(err)
	}
	got, err := h.Provider.Count(ctx, to)
	after, err2 := h.Provider.Count(ctx, from)
	if err := errors.Join(err, err2); err != nil || !maps.Equal(got, after) || !maps.Equal(got, map[string]int64{"db0": 3000}) {
		t.Errorf("%v, and in the copy %v: %v", after, got, err)
	}
}

// A value whose inside contradicts itself, sealed as DUMP seals it, never gets into the server: reading it could bring the process down, or worse.
func TestCraftedPayloadsAreRefused(t *testing.T) {
	h, ctx := own(t), t.Context()
	_, _, a, _ := instance(t, h, "ins_crafted")
	if err := a.HSet(ctx, "honest", "field", "value", "other", "thing").Err(); err != nil {
		t.Fatal(err)
	}
	dumped, err := a.Dump(ctx, "honest").Result()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Restore(ctx, "again", 0, string(sealed([]byte(dumped)))).Err(); err != nil {
		t.Fatalf("what is honest and sealed by this test is not taken: %v", err)
	}
	crafted := []byte(dumped)
	crafted[strings.Index(dumped, "field")-1] = 0x80 | 60 // the first text is as long as 60 bytes, where the whole has fewer
	err = a.Restore(ctx, "crafted", 0, string(sealed(crafted))).Err()
	if err == nil || !strings.Contains(err.Error(), "Bad data format") {
		t.Errorf("a crafted payload: %v", err)
	}
	if err := a.Ping(ctx).Err(); err != nil {
		t.Error(err)
	}
}

// sealed puts the checksum of Redis under a payload, which ends with two bytes of version and eight of checksum.
func sealed(payload []byte) []byte {
	jones := crc64.MakeTable(0x95ac9329ac4bc9b5)
	body := payload[:len(payload)-8]
	return binary.LittleEndian.AppendUint64(bytes.Clone(body), ^crc64.Update(^uint64(0), jones, body))
}
