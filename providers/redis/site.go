package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	client "github.com/redis/go-redis/v9"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
)

// admin is the name of the market's own user on servers that it runs.
const admin = "sutler"

// site is an instance on its server, seen by the administrator.
type site struct {
	*client.Client
	d        *Driver
	instance string
	place    local.Place // of a server of its own
	prefix   string      // of the keys; empty on a server of its own
	address  string      // host:port as we reach it

	encrypted bool // we reach it with TLS
}

// site goes to the instance's server. Errors: errNotThere (by errors.Is) when a server of its own is not there; fault.Unavailable.
func (d *Driver) site(ctx context.Context, instance string) (*site, error) {
	if d.settings.Servers == nil {
		return d.sharedSite(instance)
	}
	p, err := d.settings.Servers.Server(ctx, nameOf(instance))
	if errors.Is(err, local.ErrNoServer) {
		return nil, notThere()
	}
	if err != nil {
		return nil, err
	}
	return d.ownSite(ctx, instance, p)
}

func (d *Driver) ownSite(ctx context.Context, instance string, p local.Place) (*site, error) {
	password, err := p.Kept("admin")
	if err != nil {
		return nil, fault.ProviderFailed.Wrap(err, "The administrator's password of a Redis server is lost.")
	}
	s := &site{d: d, instance: instance, place: p, address: p.Address, Client: d.client(&client.Options{Addr: p.Address, Username: admin, Password: string(password)})}
	return s, s.enter(ctx)
}

func (d *Driver) sharedSite(instance string) (*site, error) {
	address, err := d.settings.Shared()
	if err != nil {
		return nil, err
	}
	o, err := client.ParseURL(address)
	if err != nil {
		return nil, fault.ProviderFailed.Errorf("The administrator's address of the Redis server is malformed.")
	}
	s := &site{d: d, instance: instance, prefix: prefixOf(instance), address: o.Addr, encrypted: o.TLSConfig != nil}
	if s.encrypted {
		if o.TLSConfig.RootCAs, err = providers.Roots(d.settings.CA); err != nil {
			return nil, err
		}
	}
	s.Client = d.client(o)
	return s, nil
}

// client gives the way to a server. One connection stands for as long as we run: when an app takes all others, we are in already.
func (d *Driver) client(o *client.Options) *client.Client {
	d.mu.Lock()
	defer d.mu.Unlock()
	c, ok := d.clients[o.Addr]
	if ok && c.Options().Password == o.Password {
		return c
	}
	if ok {
		_ = c.Close() // another server got the port
	}
	o.Protocol, o.DisableIdentity, o.PoolSize, o.MinIdleConns, o.ConnMaxIdleTime, o.MaxRetries = 2, true, 4, 1, -1, 1
	o.DialTimeout, o.ContextTimeoutEnabled = 5*time.Second, true
	c = client.NewClient(o)
	d.clients[o.Addr] = c
	return c
}

func (d *Driver) forget(address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c, ok := d.clients[address]; ok {
		_ = c.Close()
		delete(d.clients, address)
	}
}

// enter makes sure that the administrator can speak: past a script that does not end, and past an app that took every connection.
func (s *site) enter(ctx context.Context) error {
	err := s.Ping(ctx).Err()
	if err != nil && strings.HasPrefix(err.Error(), "BUSY") {
		err = s.endScript(ctx)
	}
	if err != nil && full(s.place.Address) {
		err = s.makeRoom(ctx)
	}
	if err != nil {
		return classed(err)
	}
	return s.reopen(ctx)
}

// endScript ends a script or function that runs too long; one that has written already goes with its process, which starts again with the
// data it had written down.
func (s *site) endScript(ctx context.Context) error {
	for _, kill := range [][]any{{"SCRIPT", "KILL"}, {"FUNCTION", "KILL"}} {
		if err := s.Do(ctx, kill...).Err(); err != nil && strings.HasPrefix(err.Error(), "UNKILLABLE") {
			if err := s.d.settings.Servers.Restart(ctx, s.place.Name, nil); err != nil {
				return err
			}
		}
	}
	for { // the script hears of it at its next step
		err := s.Ping(ctx).Err()
		if err == nil || ctx.Err() != nil || !strings.HasPrefix(err.Error(), "BUSY") {
			return err
		}
	}
}

// full tells whether the server turns connections away because it has as many as it may. It says so, and hangs up before it was asked.
func full(address string) bool {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second)) // a connection that refuses a deadline fails below
	_, _ = conn.Write([]byte("PING\r\n"))             // a server that is full may not hear it
	text := make([]byte, 64)
	n, _ := conn.Read(text) // nothing read is another answer
	return strings.Contains(string(text[:n]), "max number of clients")
}

func (s *site) aclFile() string { return filepath.Join(s.place.Data, "users.acl") }

// makeRoom starts the server again with all logins shut, so that the administrator gets a connection. reopen opens them.
func (s *site) makeRoom(ctx context.Context) error {
	err := s.d.settings.Servers.Restart(ctx, s.place.Name, func(p local.Place) error {
		text, err := os.ReadFile(s.aclFile())
		if err != nil {
			return err
		}
		var shut []string
		lines := strings.Split(string(text), "\n")
		for n, line := range lines {
			if f := strings.Fields(line); len(f) > 2 && bindingUser.MatchString(f[1]) && f[2] == "on" {
				lines[n], shut = strings.Replace(line, " on ", " off ", 1), append(shut, f[1])
			}
		}
		if old, err := p.Kept("shut"); err == nil {
			shut = append(shut, strings.Fields(string(old))...)
		}
		if err := p.Keep("shut", []byte(strings.Join(shut, "\n"))); err != nil {
			return err
		}
		return os.WriteFile(s.aclFile(), []byte(strings.Join(lines, "\n")), 0o600)
	})
	if err != nil {
		return err
	}
	for { // the apps' knocking is turned away one after the other
		err := s.Ping(ctx).Err()
		if err == nil || ctx.Err() != nil || !full(s.place.Address) {
			return err
		}
	}
}

// reopen opens the logins that makeRoom shut, but for those that were removed since.
func (s *site) reopen(ctx context.Context) error {
	shut, err := s.place.Kept("shut")
	if errors.Is(err, os.ErrNotExist) || len(shut) == 0 && err == nil {
		return nil
	}
	if err != nil {
		return err
	}
	members, err := s.members(ctx)
	if err != nil {
		return err
	}
	for _, m := range members {
		if strings.Contains(string(shut), m.user) {
			if err := s.Do(ctx, "ACL", "SETUSER", m.user, "on").Err(); err != nil {
				return classed(err)
			}
		}
	}
	if err := s.save(ctx); err != nil {
		return err
	}
	return s.place.Keep("shut", nil)
}

// save writes the users down, so that a restart of the server knows them.
func (s *site) save(ctx context.Context) error {
	err := s.Do(ctx, "ACL", "SAVE").Err()
	if err != nil && strings.Contains(err.Error(), "not configured to use an ACL file") {
		return fault.Refused.Errorf("The shared Redis server keeps its users nowhere.").WithHint("Give it an aclfile: after a restart it would know no login any more.")
	}
	return classed(err)
}

// reached is how apps reach the server in a network; on servers of their own the network tells the host and the server the port.
func (s *site) reached(asked providers.Network) providers.Network {
	settings := s.d.settings
	mode := "disable"
	if s.encrypted {
		mode = "verify-full" // clients check whom they speak to
	}
	n := asked.Or(settings.Networks[providers.DefaultNetwork]).Or(providers.Network{Address: settings.Advertised, TLS: mode, CA: settings.CA})
	switch {
	case n.Address == "":
		n.Address = s.address
	case settings.Servers != nil:
		_, port, _ := net.SplitHostPort(s.address) // made of the two
		n.Address = net.JoinHostPort(n.Address, port)
	}
	return n
}

// classed tells what passes by itself from what does not.
func classed(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, passing := range []string{"LOADING", "BUSY", "MISCONF", "ERR max number of clients"} {
		if strings.HasPrefix(text, passing) {
			return fault.Unavailable.Wrap(err, "The Redis server takes no commands now.")
		}
	}
	for refused, why := range map[string]string{
		"NOPERM": "refuses its administrator a command that it needs", "WRONGPASS": "does not let the administrator in: the user or the password is wrong",
		"NOAUTH": "does not let the administrator in: it asks for a password, and none is set",
	} {
		if strings.HasPrefix(text, refused) {
			return fault.ProviderFailed.Wrap(fmt.Errorf("redis: %s", refused), "The Redis server %s.", why)
		}
	}
	return err
}
