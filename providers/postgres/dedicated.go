package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"

	"github.com/jackc/pgx/v5"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
)

// serverName is what an instance's own server is called.
func serverName(instance string) string { return providers.Name("pg", instance) }

// ownServers are the ways to the servers of instances that have one each.
type ownServers struct {
	turns providers.Turns // by server: one at a time opens the way to it
	mu    sync.Mutex
	ways  map[string]*server
}

func (o *ownServers) find(name string) *server {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ways[name]
}

// put keeps the way to a server, nil for none, and closes the one that it had.
func (o *ownServers) put(name string, s *server) {
	o.mu.Lock()
	old := o.ways[name]
	if o.ways == nil {
		o.ways = map[string]*server{}
	}
	if delete(o.ways, name); s != nil {
		o.ways[name] = s
	}
	o.mu.Unlock()
	if old != nil {
		go old.pool.Close() // it waits for calls that still use it
	}
}

func (o *ownServers) close() {
	o.mu.Lock()
	ways := o.ways
	o.ways = nil
	o.mu.Unlock()
	for _, s := range ways {
		s.pool.Close()
	}
}

// serverOf gives the way to the server that an instance is on. A server of its own that is not there is notThere.
func (d *Driver) serverOf(ctx context.Context, instance string) (*server, error) {
	if d.settings.Servers == nil {
		return d.way.Take(ctx)
	}
	p, err := d.settings.Servers.Server(ctx, serverName(instance))
	if errors.Is(err, local.ErrNoServer) {
		return nil, notThere()
	}
	if err != nil {
		return nil, err
	}
	password, err := p.Kept("admin")
	if err != nil {
		return nil, fault.ProviderFailed.Wrap(err, "The administrator's password of a PostgreSQL server is lost.")
	}
	dsn := adminOf(p, string(password))
	done, err := d.own.turns.Take(ctx, p.Name)
	if err != nil {
		return nil, err
	}
	defer done()
	if s := d.own.find(p.Name); s != nil && s.dsn == dsn {
		return s, nil
	}
	s, err := open(ctx, dsn)
	if err == nil {
		d.own.put(p.Name, s)
	}
	return s, err
}

// adminOf is the administrator's address of a server of an instance's own.
func adminOf(p local.Place, password string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword("sutler", password), Host: p.Address, Path: "/postgres", RawQuery: "sslmode=disable"}
	return u.String()
}

// start starts the instance's own server, where it gets one. The first time it gives the administrator a password of this server alone.
func (d *Driver) start(ctx context.Context, i providers.Instance) error {
	if d.settings.Servers == nil {
		return nil
	}
	template, err := d.settings.Servers.Template(ctx)
	if err != nil {
		return err
	}
	p, err := d.settings.Servers.Make(ctx, serverName(i.ID), func(p local.Place) (local.Run, error) { return prepare(p, template, i.Plan) })
	if err != nil {
		return err
	}
	return settlePassword(ctx, p, template.Password)
}

// settlePassword changes the password that came with the template to the server's own; one that was killed meanwhile does it again.
func settlePassword(ctx context.Context, p local.Place, old string) error {
	password, err := p.Kept("admin")
	if err != nil {
		return err
	}
	if _, err := p.Kept("settled"); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	verifier, err := scram(string(password), []byte(rand.Text()))
	if err != nil {
		return err
	}
	c, err := pgx.Connect(ctx, adminOf(p, old))
	if code(err) == "28P01" { // it was changed, and the process died before it could note that
		return p.Keep("settled", nil)
	}
	if err != nil {
		return classed(err)
	}
	defer c.Close(context.WithoutCancel(ctx))
	if _, err := c.Exec(ctx, `ALTER ROLE sutler PASSWORD '`+verifier+`'`); err != nil {
		return classed(err)
	}
	return p.Keep("settled", nil)
}

// prepare fills the folder of a server: a copy of the template, and who may come in from where.
func prepare(p local.Place, template local.Template, plan catalog.Plan) (local.Run, error) {
	program, err := local.Program("postgresql")
	if err != nil {
		return local.Run{}, err
	}
	data, err := template.Copy(p, "pg")
	if err != nil {
		return local.Run{}, err
	}
	err = errors.Join(
		p.Keep("admin", []byte(rand.Text()+rand.Text())),
		os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte("host all all all scram-sha-256\n"), 0o600),
	)
	return local.Run{Program: program, Args: arguments(p, plan), Stop: syscall.SIGINT, Memory: addressSpace(plan)}, err
}

// removeServer ends the instance's server and removes its folder.
func (d *Driver) removeServer(instance string) error {
	d.own.put(serverName(instance), nil)
	return d.settings.Servers.Remove(serverName(instance))
}

// refit starts the instance's own server again when the new plan wants it to be another size. One that does not start so goes on as it was.
func (d *Driver) refit(ctx context.Context, old, next providers.Instance) error {
	if d.settings.Servers == nil {
		return nil
	}
	p, err := d.settings.Servers.About(serverName(next.ID))
	if errors.Is(err, local.ErrNoServer) {
		return notThere()
	}
	if err != nil {
		return err
	}
	if now, err := d.sizeOf(ctx, next.ID); now == size(next.Plan) && err == nil {
		return nil // one that does not answer may be one that does not start with what an update that was broken off gave it
	}
	if err := d.resize(ctx, p, next.Plan); err != nil {
		return errors.Join(err, d.resize(context.WithoutCancel(ctx), p, old.Plan))
	}
	return nil
}

// sizeOf asks the instance's own server what it was started for.
func (d *Driver) sizeOf(ctx context.Context, instance string) (now string, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	s, err := d.serverOf(ctx, instance)
	if err != nil {
		return "", err
	}
	return now, s.pool.QueryRow(ctx, `SELECT coalesce(current_setting('sutler.size', true), '')`).Scan(&now)
}

func (d *Driver) resize(ctx context.Context, p local.Place, plan catalog.Plan) error {
	ctx, cancel := context.WithTimeout(ctx, resizeTime)
	defer cancel()
	d.own.put(p.Name, nil)
	err := d.settings.Servers.Change(p.Name, func(r *local.Run) { r.Args, r.Memory = arguments(p, plan), addressSpace(plan) })
	if err != nil {
		return err
	}
	return d.settings.Servers.Renew(ctx, p.Name)
}

// ignoreGone is for questions that a server which is not there has answered.
func ignoreGone(err error) error {
	if errors.Is(err, errNotThere) {
		return nil
	}
	return err
}

// arguments are what a server of this plan is started with.
func arguments(p local.Place, plan catalog.Plan) []string {
	host, _, _ := net.SplitHostPort(p.Address) // made of the two
	args := []string{"-D", filepath.Join(p.Data, "pg"), "-p", strconv.Itoa(p.Port), "-k", "", "-c", "listen_addresses=" + host}
	for _, s := range sizes(plan) {
		args = append(args, "-c", fmt.Sprintf("%s=%v", s.name, s.value))
	}
	return append(args, "-c", "sutler.size="+size(plan))
}
