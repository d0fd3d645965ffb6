package redis_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/sutlerhq/sutler/providers/providertest"
	"github.com/sutlerhq/sutler/providers/redis"
)

// forbidden are commands that change the server, make it connect elsewhere, or look at what is not the tenant's.
var forbidden = []string{
	"CONFIG GET *", "CONFIG SET maxmemory 0", "CONFIG REWRITE", "ACL LIST", "ACL USERS", "ACL SETUSER x on", "ACL GETUSER sutler", "ACL LOG", "DEBUG SLEEP 0", "DEBUG JMAP",
	"MODULE LOAD /tmp/x.so", "MODULE LIST", "REPLICAOF 127.0.0.1 1", "SLAVEOF 127.0.0.1 1", "MIGRATE 127.0.0.1 1 k 0 10", "SHUTDOWN", "SAVE", "BGSAVE", "BGREWRITEAOF", "MONITOR",
	"SYNC", "PSYNC ? -1", "CLIENT KILL TYPE normal", "CLIENT LIST", "CLIENT PAUSE 1", "FAILOVER", "CLUSTER MEET 127.0.0.1 1", "LATENCY DOCTOR", "SLOWLOG GET", "SWAPDB 0 1", "COMMAND LOG",
}

// forbiddenShared are those that show or harm a neighbour besides.
var forbiddenShared = []string{
	"KEYS *", "SCAN 0", "RANDOMKEY", "DBSIZE", "SELECT 1", "FLUSHALL", "FLUSHDB", "MOVE %[1]sx 1", "COPY %[1]sx %[1]sy DB 1", "PUBSUB CHANNELS", "CLIENT TRACKING ON BCAST", "EVAL return 0",
	"SCRIPT FLUSH", "FUNCTION FLUSH", "FUNCTION LIST", "INFO", "SORT %[1]sx BY *", "GET %[2]ssecret", "SET %[2]ssecret x", "DEL %[2]ssecret", "EXISTS %[2]ssecret", "TYPE %[2]ssecret", "DUMP %[2]ssecret",
	"SUBSCRIBE %[2]schannel", "PSUBSCRIBE *", "PUBLISH %[2]schannel x", "RENAME %[2]ssecret %[1]smine", "COPY %[2]ssecret %[1]smine", "RENAME %[1]smine %[2]sx", "GETDEL %[2]ssecret",
	"OBJECT ENCODING %[2]ssecret", "MEMORY USAGE %[2]ssecret", "SUBSCRIBE __keyevent@0__:set", "XREAD STREAMS %[2]ss 0", "WATCH %[2]ssecret",
}

func trespass(ctx context.Context, mine, theirs map[string]any) error {
	mixed := maps.Clone(mine)
	if mine["prefix"] == nil { // one's own login at the other's server
		mixed["uri"] = strings.Replace(mine["uri"].(string), fmt.Sprint(mine["port"]), fmt.Sprint(theirs["port"]), 1)
		if s, err := login(ctx, mixed); err == nil {
			s.Close()
			return nil
		}
	}
	list := slices.Clone(forbidden)
	if mine["prefix"] != nil {
		list = append(list, forbiddenShared...)
	}
	for _, command := range list {
		s, err := login(ctx, mine)
		if err != nil {
			return err
		}
		if strings.Contains(command, "%") {
			command = fmt.Sprintf(command, mine["prefix"], theirs["prefix"])
			command = strings.Split(command, "%!(EXTRA")[0]
		}
		var args []any
		for _, f := range strings.Fields(command) {
			args = append(args, f)
		}
		err = s.(*redis.App).Do(ctx, args...).Err()
		s.Close()
		if err == nil || !strings.HasPrefix(err.Error(), "NOPERM") && !strings.HasPrefix(err.Error(), "ERR unknown") && !strings.Contains(err.Error(), "not allowed") {
			fmt.Fprintf(os.Stderr, "%s: %v\n", command, err)
			return nil
		}
	}
	return errors.New("refused everywhere")
}

// cling tries to keep the login by another password, and holds on to the server with a transaction and a subscription.
func cling(ctx context.Context, s providertest.Session) error {
	a := s.(*redis.App)
	if err := a.Do(ctx, "ACL", "SETUSER", "default", "on", "nopass").Err(); err == nil {
		return errors.New("an app made itself a login")
	}
	return a.Do(ctx, "WATCH", a.Prefix+"kept").Err()
}
