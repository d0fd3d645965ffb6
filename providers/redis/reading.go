package redis

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"

	client "github.com/redis/go-redis/v9"

	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/latency"
)

// info is what the server says of itself.
func (s *site) info(ctx context.Context) (map[string]string, error) {
	text, err := s.Info(ctx, "server", "memory", "stats", "keyspace").Result()
	if err != nil {
		return nil, classed(err)
	}
	all := map[string]string{}
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			all[key] = value
		}
	}
	return all, nil
}

var clientUser = regexp.MustCompile(`\buser=(\S*)`)

// sessions counts the connections of each user.
func (s *site) sessions(ctx context.Context) (map[string]int, error) {
	text, err := s.ClientList(ctx).Result()
	if err != nil {
		return nil, classed(err)
	}
	count := map[string]int{}
	for _, m := range clientUser.FindAllStringSubmatch(text, -1) {
		count[m[1]]++
	}
	return count, nil
}

// Read gives memory and connections and, on a server of its own, the commands that it has done; the counter's epoch is the server's run id.
// The few commands of the market itself are among them.
func (d *Driver) Read(ctx context.Context, i providers.Instance) ([]providers.Reading, error) {
	s, err := d.site(ctx, i.ID)
	if err != nil {
		return nil, err
	}
	if err := s.made(ctx); err != nil {
		return nil, err
	}
	in, err := s.inspect(ctx)
	if err != nil {
		return nil, err
	}
	var open int64
	for _, n := range in.Sessions {
		open += int64(n)
	}
	connections := providers.Reading{Metric: "connections", Value: money.FromInt(open), Type: "gauge"}
	if s.prefix != "" {
		memory, err := s.weigh(ctx)
		return []providers.Reading{{Metric: "memory_bytes", Value: money.FromInt(memory), Type: "gauge"}, connections}, err
	}
	info, err := s.info(ctx)
	if err != nil {
		return nil, err
	}
	memory, err := strconv.ParseInt(info["used_memory"], 10, 64)
	commands, err2 := strconv.ParseInt(info["total_commands_processed"], 10, 64)
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	return []providers.Reading{
		{Metric: "memory_bytes", Value: money.FromInt(memory), Type: "gauge"},
		connections,
		{Metric: "commands", Value: money.FromInt(commands), Type: "counter", Epoch: info["run_id"]},
	}, nil
}

// weigh adds up the memory of the prefix's keys.
func (s *site) weigh(ctx context.Context) (sum int64, err error) {
	err = s.walk(ctx, s.Client, func(keys []string) error {
		answers, err := s.Pipelined(ctx, func(p client.Pipeliner) error {
			for _, k := range keys {
				p.MemoryUsage(ctx, k)
			}
			return nil
		})
		for _, a := range answers {
			if n, ok := a.(*client.IntCmd); ok {
				sum += n.Val() // 0 when the key went meanwhile
			}
		}
		if errors.Is(err, client.Nil) {
			err = nil
		}
		return err
	})
	return sum, classed(err)
}

// walk hands the instance's keys of one database to f, some at a time.
func (s *site) walk(ctx context.Context, c client.Cmdable, f func(keys []string) error) error {
	var cursor uint64
	for {
		keys, next, err := c.Scan(ctx, cursor, s.prefix+"*", 500).Result()
		if err != nil {
			return err
		}
		if len(keys) > 0 {
			if err := f(keys); err != nil {
				return err
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// Inspect tells whether the instance is there, and lists its bindings, those without a connection too.
func (d *Driver) Inspect(ctx context.Context, i providers.Instance) (providers.Inspection, error) {
	s, err := d.site(ctx, i.ID)
	if err == nil {
		err = s.made(ctx)
	}
	if errors.Is(err, errNotThere) {
		return providers.Inspection{}, nil
	}
	if err != nil {
		return providers.Inspection{}, err
	}
	return s.inspect(ctx)
}

func (s *site) inspect(ctx context.Context) (providers.Inspection, error) {
	in := providers.Inspection{Exists: true, Sessions: map[string]int{}}
	members, err := s.members(ctx)
	if err != nil {
		return in, err
	}
	open, err := s.sessions(ctx)
	for _, m := range members {
		in.Sessions[m.binding] = open[m.user]
	}
	return in, err
}

// Probe asks the shared server for something small; of servers of one's own, that their folder can be used is all that is common to them.
func (d *Driver) Probe(ctx context.Context) error {
	if d.settings.Servers != nil {
		_, err := os.Stat(d.settings.Servers.Dir())
		return err
	}
	s, err := d.sharedSite("")
	if err != nil {
		return err
	}
	return classed(s.Ping(ctx).Err())
}

// Target is the address that apps are given. An instance that has a server of its own cannot be measured before it is there, and another
// customer's is not shown to anybody: that is fault.Unprocessable. Where the server speaks TLS the connection alone is measured.
func (d *Driver) Target(ctx context.Context, i providers.Instance) (latency.Target, error) {
	if i.ID == "" && d.settings.Servers != nil {
		return latency.Target{}, fault.Unprocessable.Errorf("Each Redis instance has a server of its own, so there is nothing to measure before it is made.")
	}
	s, err := d.site(ctx, i.ID)
	if err != nil {
		return latency.Target{}, fmt.Errorf("target: %w", err)
	}
	n := s.reached(providers.Network{})
	t := latency.Target{Address: n.Address, Protocol: "redis"}
	if n.Encrypted() {
		t.Protocol = "tcp"
	}
	return t, nil
}
