package redis_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"testing"
	"time"
)

func TestBackupRestoresIntoTheOtherForm(t *testing.T) {
	from, to := own(t), shared(t)
	source, _, a, _ := instance(t, from, "ins_from")
	ctx := t.Context()
	for n := range 1200 {
		if err := a.Put(ctx, fmt.Sprintf("key %d \x00\xff", n), strconv.Itoa(n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(a.RPush(ctx, "list", "a", "b").Err(), a.Expire(ctx, "list", time.Hour).Err()); err != nil {
		t.Fatal(err)
	}
	if _, err := from.Provider.Suspend(ctx, source); err != nil {
		t.Fatal(err)
	}
	var copied bytes.Buffer
	if err := from.Provider.Backup(ctx, source, &copied); err != nil {
		t.Fatal(err)
	}
	target, _, b, _ := instance(t, to, "ins_to")
	if err := to.Provider.Restore(ctx, target, bytes.NewReader(copied.Bytes())); err != nil {
		t.Fatal(err)
	}
	one, err := from.Provider.Count(ctx, source)
	two, err2 := to.Provider.Count(ctx, target)
	if err := errors.Join(err, err2); err != nil || !maps.Equal(one, two) || one["db0"] != 1201 {
		t.Errorf("%v became %v (%v)", one, two, err)
	}
	if got, err := b.Get(ctx, "key 7 \x00\xff"); err != nil || got != "7" {
		t.Errorf("%q, %v", got, err)
	}
	if ttl := b.TTL(ctx, b.Prefix+"list").Val(); ttl <= 0 || ttl > time.Hour {
		t.Errorf("the list's time to live is %s", ttl)
	}
	text := copied.Bytes()
	text[len(text)/2] ^= 1
	for what, broken := range map[string][]byte{"changed": text, "cut": text[:len(text)/3], "foreign": []byte("PGDMP")} {
		if err := to.Provider.Restore(ctx, target, bytes.NewReader(broken)); err == nil {
			t.Errorf("a %s backup was restored without a word", what)
		}
	}
}
