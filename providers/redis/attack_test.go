package redis_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	client "github.com/redis/go-redis/v9"

	"github.com/sutlerhq/sutler/providers/redis"
)

// words makes a command of a line; "”" is an empty word, and "~" in a word a space.
func words(line string) (args []any) {
	for _, w := range strings.Fields(line) {
		args = append(args, strings.NewReplacer("''", "", "~", " ").Replace(w))
	}
	return args
}

// On a shared server a tenant neither sees a neighbour's names, values, channels or connections, nor stops or slows what is the neighbour's, by any
// command; each on a connection of its own, and inside of a transaction, too.
func TestNeighboursOnASharedServer(t *testing.T) {
	h, ctx := shared(t), t.Context()
	_, mine, a, _ := instance(t, h, "ins_mine")
	_, theirs, b, _ := instance(t, h, "ins_theirs")
	if err := errors.Join(a.Put(ctx, "weights", "1"), a.RPush(ctx, a.Prefix+"list", "secret", "other").Err(), b.Put(ctx, "secret", "hunter2")); err != nil {
		t.Fatal(err)
	}
	me, them := fmt.Sprint(mine["username"]), fmt.Sprint(theirs["username"])
	for _, line := range []string{
		"CLIENT LIST", "CLIENT LIST TYPE normal", "CLIENT LIST ID 1 2 3 4 5 6 7 8 9", "CLIENT KILL USER THEM", "CLIENT KILL TYPE normal SKIPME yes", "CLIENT KILL ID 1", "CLIENT PAUSE 1", "CLIENT UNPAUSE",
		"CLIENT UNBLOCK 1", "CLIENT NO-EVICT on", "CLIENT TRACKING on", "CLIENT TRACKING on BCAST PREFIX ''", "CLIENT TRACKING on REDIRECT 1", "CLIENT TRACKINGINFO", "CLIENT CACHING yes", "CLIENT GETREDIR",
		"ACL LIST", "ACL USERS", "ACL GETUSER ME", "ACL SETUSER ME ~*", "ACL SETUSER THEM off", "ACL DELUSER THEM", "ACL LOG", "ACL SAVE", "ACL LOAD", "ACL DRYRUN THEM GET x",
		"MONITOR", "PUBSUB CHANNELS", "PUBSUB NUMSUB OTHERchannel", "PUBSUB NUMPAT", "PUBSUB SHARDCHANNELS", "PSUBSCRIBE *", "PSUBSCRIBE OTHER*", "PSUBSCRIBE [t]*", "SSUBSCRIBE OTHERx", "SUBSCRIBE __redis__:invalidate", "PUBLISH OTHERx x", "SPUBLISH OTHERx x",
		"KEYS *", "KEYS OWN*", "SCAN 0", "SCAN 0 MATCH OWN*", "RANDOMKEY", "DBSIZE", "SELECT 0", "SELECT 1", "SWAPDB 0 1", "MOVE OWNweights 1", "INFO", "INFO keyspace", "MEMORY STATS", "MEMORY DOCTOR", "LATENCY HISTORY command", "SLOWLOG GET",
		"SORT OWNlist BY OTHER*", "SORT OWNlist BY nosort GET OTHER*", "SORT OWNlist GET t*", "SORT OWNlist BY nosort STORE OTHERx", "SORT_RO OWNlist BY nosort GET OTHER*", "SORT OWNlist GET *->field",
		"EVAL return~redis.call('GET','OTHERsecret') 0", "EVAL return~redis.call('GET',KEYS[1]) 1 OTHERsecret", "EVAL return~1 0", "EVAL_RO return~1 0", "EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0", "SCRIPT LOAD return~1", "SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "SCRIPT FLUSH", "SCRIPT KILL", "SCRIPT DEBUG YES",
		"FUNCTION LOAD #!lua~name=x", "FUNCTION LIST", "FUNCTION DUMP", "FUNCTION FLUSH", "FUNCTION DELETE x", "FUNCTION STATS", "FUNCTION KILL", "FCALL x 0", "FCALL_RO x 0",
		"OBJECT FREQ OTHERsecret", "OBJECT IDLETIME OTHERsecret", "OBJECT REFCOUNT OTHERsecret", "MEMORY USAGE OTHERsecret", "DEBUG OBJECT OTHERsecret", "DUMP OTHERsecret", "RESTORE OTHERx 0 x", "RESTORE OWNx 0 x", "MIGRATE 127.0.0.1 1 OWNweights 0 10", "MIGRATE 127.0.0.1 1 '' 0 10 KEYS OTHERsecret",
		"TOUCH OTHERsecret", "UNLINK OTHERsecret", "EXPIRETIME OTHERsecret", "GETEX OTHERsecret", "LCS OWNweights OTHERsecret", "BITOP OR OWNx OTHERsecret", "SUNIONSTORE OWNx OTHERsecret", "ZUNION 1 OTHERsecret", "ZDIFFSTORE OWNx 1 OTHERsecret", "PFMERGE OWNx OTHERsecret", "PFCOUNT OTHERsecret", "GEOSEARCHSTORE OWNx OTHERsecret FROMLONLAT 0 0 BYRADIUS 1 km ASC",
		"GEORADIUS OWNlist 0 0 1 km STORE OTHERx", "SMOVE OTHERsecret OWNx y", "LMOVE OTHERsecret OWNx LEFT LEFT", "BLMOVE OTHERsecret OWNx LEFT LEFT 1", "BRPOPLPUSH OTHERsecret OWNx 1", "BLPOP OTHERsecret 1", "LMPOP 1 OTHERsecret LEFT", "BZMPOP 1 1 OTHERsecret MIN", "XREADGROUP GROUP g c STREAMS OTHERs >", "XGROUP CREATE OTHERs g $ MKSTREAM", "XINFO STREAM OTHERs", "RENAMENX OTHERsecret OWNx", "MSETNX OTHERnew x", "MGET OWNweights OTHERsecret", "EXISTS OWNweights OTHERsecret", "COPY OTHERsecret OWNx",
		"SAVE", "BGSAVE SCHEDULE", "LASTSAVE", "ROLE", "REPLICAOF NO ONE", "PSYNC ? -1", "REPLCONF listening-port 1", "PFSELFTEST", "PFDEBUG GETREG OWNx", "FLUSHALL", "FLUSHDB", "SHUTDOWN NOSAVE", "FAILOVER", "CLUSTER INFO", "MODULE LIST", "CONFIG GET *", "LOLWUT VERSION 5 200 200 200",
	} {
		if open := tried(ctx, t, mine, strings.NewReplacer("OWN", a.Prefix, "OTHER", b.Prefix, "THEM", them, "ME", me).Replace(line)); open != "" {
			t.Errorf("%s: %s", line, open)
		}
	}
	if got, err := b.Get(ctx, "secret"); err != nil || got != "hunter2" {
		t.Errorf("the neighbour reads %q: %v", got, err)
	}
}

// tried tells how a command got through, alone or in a transaction; "" when it was denied.
func tried(ctx context.Context, t *testing.T, credentials map[string]any, line string) string {
	t.Helper()
	for _, in := range []string{"alone", "in a transaction"} {
		s, err := login(ctx, credentials)
		if err != nil {
			t.Fatal(err)
		}
		a := s.(*redis.App)
		if in != "alone" {
			if err := a.Do(ctx, "MULTI").Err(); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		answer, err := a.Do(ctx, words(line)...).Result()
		cancel()
		s.Close()
		if err == nil || errors.Is(err, client.Nil) {
			return fmt.Sprintf("%s: %.200v", in, answer)
		}
		if text := err.Error(); !strings.HasPrefix(text, "NOPERM") && !strings.HasPrefix(text, "ERR unknown") && !strings.Contains(text, "not allowed") && !strings.Contains(text, "denied") {
			return in + ": " + text
		}
	}
	return ""
}
