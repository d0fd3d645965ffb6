package redis

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
)

// reserve are the connections beyond the plan's that the market itself may need.
const reserve = 8

// Provision starts the instance's server, or marks its prefix as taken. What is made it leaves alone.
func (d *Driver) Provision(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	defer d.turn(i.ID)()
	var s *site
	var err error
	if d.settings.Servers != nil {
		var p local.Place
		if p, err = d.settings.Servers.Make(ctx, nameOf(i.ID), func(p local.Place) (local.Run, error) { return prepare(p, i.Plan) }); err == nil {
			s, err = d.ownSite(ctx, i.ID, p)
		}
	} else {
		s, err = d.site(ctx, i.ID)
	}
	if err != nil {
		return providers.Progress{}, err
	}
	if err = s.made(ctx); errors.Is(err, errNotThere) {
		if err = s.Do(ctx, "ACL", "SETUSER", s.madeMark(), "reset").Err(); err == nil {
			err = s.save(ctx)
		}
	}
	return providers.Progress{Done: err == nil}, classed(err)
}

// prepare fills the folder of a server: its configuration, and the market's own user.
func prepare(p local.Place, plan catalog.Plan) (local.Run, error) {
	program, err := local.Program("redis")
	if err != nil {
		return local.Run{}, err
	}
	password := rand.Text() + rand.Text()
	sum := sha256.Sum256([]byte(password))
	host, _, err := net.SplitHostPort(p.Address)
	if err != nil {
		return local.Run{}, err
	}
	conf := fmt.Sprintf(`bind %s
port %d
dir "%s"
aclfile "%s"
protected-mode no
appendonly yes
appendfsync everysec
save ""
maxmemory %d
maxmemory-policy noeviction
maxmemory-clients 25%%
maxclients %d
busy-reply-threshold 500
enable-debug-command no
enable-module-command no
enable-protected-configs no
sanitize-dump-payload clients
`, host, p.Port, p.Data, filepath.Join(p.Data, "users.acl"), plan.Limits["memory_bytes"], clients(plan))
	users := "user default off resetpass resetkeys resetchannels -@all\nuser " + admin + " on #" + hex.EncodeToString(sum[:]) + " ~* &* +@all\n"
	err = errors.Join(
		p.Keep("admin", []byte(password)),
		os.WriteFile(filepath.Join(p.Data, "redis.conf"), []byte(conf), 0o600),
		os.WriteFile(filepath.Join(p.Data, "users.acl"), []byte(users), 0o600),
	)
	return local.Run{Program: program, Args: []string{filepath.Join(p.Data, "redis.conf")}, Stop: syscall.SIGTERM, Memory: addressSpace(plan)}, err
}

// clients is how many connections the server takes; a plan without a limit has Redis's own.
func clients(p catalog.Plan) int64 {
	if n := p.Limits["connections"]; n > 0 {
		return n + reserve
	}
	return 10_000
}

// addressSpace is what the process may map: Redis holds maxmemory by itself, and needs more for fragments, buffers and its program. This is
// the wall behind it.
func addressSpace(p catalog.Plan) uint64 {
	n := p.Limits["memory_bytes"]
	if n <= 0 {
		return 0
	}
	return uint64(2*n) + 512<<20
}

// Deprovision ends the server and removes its folder, or removes all that begins with the prefix.
func (d *Driver) Deprovision(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	defer d.turn(i.ID)()
	if d.settings.Servers != nil {
		if p, err := d.settings.Servers.About(nameOf(i.ID)); err == nil {
			d.forget(p.Address)
		}
		err := d.settings.Servers.Remove(nameOf(i.ID))
		return providers.Progress{Done: err == nil}, err
	}
	s, err := d.site(ctx, i.ID)
	if err != nil {
		return providers.Progress{}, err
	}
	members, err := s.members(ctx)
	if err != nil {
		return providers.Progress{}, err
	}
	gone := []any{"ACL", "DELUSER", s.madeMark(), s.shutMark()}
	for _, m := range members {
		gone = append(gone, m.user)
	}
	if err := s.Do(ctx, gone...).Err(); err != nil {
		return providers.Progress{}, classed(err)
	}
	err = s.walk(ctx, s.Client, func(keys []string) error { return s.Unlink(ctx, keys...).Err() })
	if err == nil {
		err = s.save(ctx)
	}
	return providers.Progress{Done: err == nil}, classed(err)
}

// Update puts another plan's limits into force while the server runs.
func (d *Driver) Update(ctx context.Context, _, next providers.Instance) (providers.Progress, error) {
	defer d.turn(next.ID)()
	s, err := d.site(ctx, next.ID)
	if err == nil {
		err = s.made(ctx)
	}
	if err != nil || s.prefix != "" {
		return providers.Progress{Done: err == nil}, err
	}
	info, err := s.info(ctx)
	if err != nil {
		return providers.Progress{}, err
	}
	limit := next.Plan.Limits["memory_bytes"]
	if used, _ := strconv.ParseInt(info["used_memory"], 10, 64); limit > 0 && used > limit {
		return providers.Progress{}, fault.Refused.Errorf("The instance holds %d bytes, and the plan %q has %d.", used, next.Plan.Name, limit).WithHint("Remove keys, or choose a larger plan.")
	}
	if err := d.settings.Servers.Change(s.place.Name, func(r *local.Run) { r.Memory = addressSpace(next.Plan) }); err != nil {
		return providers.Progress{}, err
	}
	if err := s.Do(ctx, "CONFIG", "SET", "maxmemory", limit, "maxclients", clients(next.Plan), "sanitize-dump-payload", "clients").Err(); err != nil {
		return providers.Progress{}, classed(err)
	}
	err = s.Do(ctx, "CONFIG", "REWRITE").Err()
	return providers.Progress{Done: err == nil}, classed(err)
}

// Suspend shuts all logins of the instance and ends their connections. The data stay.
func (d *Driver) Suspend(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	return d.gate(ctx, i, func(s *site, members []member) error {
		if err := s.Do(ctx, "ACL", "SETUSER", s.shutMark(), "reset").Err(); err != nil {
			return err
		}
		for _, m := range members {
			if err := s.Do(ctx, "ACL", "SETUSER", m.user, "off").Err(); err != nil {
				return err
			}
			if err := s.Do(ctx, "CLIENT", "KILL", "USER", m.user).Err(); err != nil && !strings.Contains(err.Error(), "No such user") {
				return err
			}
		}
		return nil
	})
}

// Resume opens the logins again.
func (d *Driver) Resume(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	return d.gate(ctx, i, func(s *site, members []member) error {
		if err := s.Do(ctx, "ACL", "DELUSER", s.shutMark()).Err(); err != nil {
			return err
		}
		for _, m := range members {
			if err := s.Do(ctx, "ACL", "SETUSER", m.user, "on").Err(); err != nil {
				return err
			}
		}
		return nil
	})
}

func (d *Driver) gate(ctx context.Context, i providers.Instance, change func(*site, []member) error) (providers.Progress, error) {
	defer d.turn(i.ID)()
	s, err := d.site(ctx, i.ID)
	if err != nil {
		return providers.Progress{}, err
	}
	if err := s.made(ctx); err != nil {
		return providers.Progress{}, err
	}
	members, err := s.members(ctx)
	if err == nil {
		err = change(s, members)
	}
	if err == nil {
		err = s.save(ctx)
	}
	return providers.Progress{Done: err == nil}, classed(err)
}
