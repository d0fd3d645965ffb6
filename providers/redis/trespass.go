package redis

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"
)

// forbidden are commands that change the server, make it connect elsewhere, or look at what is not the tenant's. Each does nothing where it is let
// through: Redis asks for the right to a command before it looks at what is said with it.
func forbidden() []string {
	return []string{
		"CONFIG GET *", "CONFIG SET maxmemory none", "CONFIG REWRITE", "ACL LIST", "ACL USERS", "ACL SETUSER x nonsense", "ACL GETUSER sutler", "ACL LOG", "DEBUG SLEEP 0", "DEBUG JMAP",
		"MODULE LOAD /nowhere/x.so", "MODULE LIST", "REPLICAOF NO ONE", "SLAVEOF NO ONE", "MIGRATE 127.0.0.1 1 k 0 10", "BGSAVE NONSENSE", "BGREWRITEAOF", "SAVE", "SHUTDOWN NONSENSE", "MONITOR",
		"SYNC", "PSYNC ? -1", "CLIENT KILL ID 0", "CLIENT LIST", "CLIENT PAUSE 0", "FAILOVER ABORT", "CLUSTER MEET 127.0.0.1 1", "LATENCY DOCTOR", "SLOWLOG GET", "SWAPDB 0 0", "COMMAND LOG",
	}
}

// forbiddenShared are those that show or harm a neighbour besides: own is one's prefix, other the neighbour's.
func forbiddenShared(own, other string) []string {
	list := []string{
		"KEYS *", "SCAN 0", "RANDOMKEY", "DBSIZE", "SELECT 1", "PUBSUB CHANNELS", "CLIENT TRACKING ON BCAST", "EVAL return 0", "FLUSHALL NONSENSE", "FLUSHDB NONSENSE",
		"SCRIPT FLUSH NONSENSE", "FUNCTION FLUSH NONSENSE", "FUNCTION LIST", "INFO", "PSUBSCRIBE *", "SUBSCRIBE __keyevent@0__:set",
	}
	for _, command := range []string{"MOVE OWNx 1", "COPY OWNx OWNy DB 1", "SORT OWNx BY *", "RENAME OTHERsecret OWNmine", "COPY OTHERsecret OWNmine", "RENAME OWNmine OTHERx"} {
		list = append(list, strings.NewReplacer("OWN", own, "OTHER", other).Replace(command))
	}
	for _, command := range []string{
		"GET secret", "SET secret x", "EXISTS secret", "TYPE secret", "DUMP secret", "SUBSCRIBE channel", "PUBLISH channel x", "OBJECT ENCODING secret", "MEMORY USAGE secret",
		"XREAD STREAMS s 0", "WATCH secret", "GETDEL secret", "DEL secret",
	} {
		for _, key := range []string{" secret", " channel", " s "} {
			command = strings.Replace(command, key, " "+other+key[1:], 1)
		}
		list = append(list, command)
	}
	return list
}

// Trespass tries the server of theirs with the login of mine, or their keys where both share one, and the commands that are the operator's. It
// names the first way in, "" when there is none.
func Trespass(ctx context.Context, mine, theirs map[string]any) (way string, err error) {
	list := forbidden()
	if mine["prefix"] != nil {
		list = append(forbiddenShared(fmt.Sprint(mine["prefix"]), fmt.Sprint(theirs["prefix"])), list...)
	} else if entered, err := trespassNextDoor(ctx, mine, theirs); entered || err != nil {
		return "their server with one's own login", err
	}
	for _, command := range list {
		a, err := Login(ctx, mine) // each on a connection of its own: some of them change what a connection is
		if err != nil {
			return "", err
		}
		var args []any
		for _, word := range strings.Fields(command) {
			args = append(args, word)
		}
		err = a.Do(ctx, args...).Err()
		a.Close()
		if !refused(err) {
			return command, nil
		}
	}
	return "", nil
}

// refused tells whether the server denied a command, or has none of that name; another error is of a command that it let through.
func refused(err error) bool {
	return err != nil && (strings.HasPrefix(err.Error(), "NOPERM") || strings.HasPrefix(err.Error(), "ERR unknown") || strings.Contains(err.Error(), "not allowed"))
}

// trespassNextDoor logs in with one's own login to the other's server.
func trespassNextDoor(ctx context.Context, mine, theirs map[string]any) (entered bool, err error) {
	u, err := url.Parse(fmt.Sprint(mine["uri"]))
	if err != nil {
		return false, errors.New("the uri is malformed")
	}
	there := maps.Clone(mine)
	u.Host = fmt.Sprint(theirs["host"], ":", theirs["port"])
	there["uri"] = u.String()
	if a, err := Login(ctx, there); err == nil {
		a.Close()
		return true, nil
	}
	return false, nil
}

// Cling tries to keep the login by another one, and holds on to the server with a transaction.
func Cling(ctx context.Context, a *App) error {
	if err := a.Do(ctx, "ACL", "SETUSER", "default", "on", "nopass").Err(); err == nil {
		return errors.New("an app made itself a login")
	}
	return a.Do(ctx, "WATCH", a.Prefix+"kept").Err()
}
