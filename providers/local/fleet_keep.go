package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
)

// keeper sees to it that one claimed server runs: it adopts the process that is there or starts one, and again when that ends.
type keeper struct {
	fleet  *Fleet
	name   string
	cancel context.CancelFunc
	hard   atomic.Bool // when let go, the server is left for whoever lets it go
	ended  chan struct{}

	mu      sync.Mutex
	err     error         // why the server does not answer; nil when it does
	changed chan struct{} // closed when err changes
	known   chan struct{} // closed when err was first found out
	once    sync.Once
}

func (k *keeper) set(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.err = err
	k.once.Do(func() { close(k.known) })
	close(k.changed)
	k.changed = make(chan struct{})
}

// await waits until the server answers. When ctx ends first it says why it does not.
func (k *keeper) await(ctx context.Context) error {
	for {
		k.mu.Lock()
		err, changed := k.err, k.changed
		k.mu.Unlock()
		if err == nil {
			return nil
		}
		select {
		case <-changed:
		case <-k.ended:
			return fault.Unavailable.Errorf("The server was let go.")
		case <-ctx.Done():
			return err
		}
	}
}

// first waits for the first thing that becomes known of a keeper that is new: that its server answers, or why it does not.
func (k *keeper) first(ctx context.Context) error {
	select {
	case <-k.known:
	case <-ctx.Done():
		return fault.Unavailable.Wrap(ctx.Err(), "The server is still starting.")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.err
}

// run keeps the server until ctx ends. An attached server ends then, a detached one goes on.
func (k *keeper) run(ctx context.Context) {
	defer close(k.ended)
	log := k.fleet.options.Log.With("server", k.name)
	pause := again
	for ctx.Err() == nil {
		began := time.Now()
		id, stop, err := k.raise(ctx)
		if err != nil {
			if ctx.Err() == nil {
				log.Error("a server could not be started", "err", err, "again_in", pause)
			}
			k.set(fault.Unavailable.Wrap(err, "The server could not be started; it is tried again: %v", err))
		} else {
			k.set(nil)
			if !id.ended(ctx) {
				k.set(fault.Unavailable.Errorf("The server was let go."))
				if stop != nil && !k.hard.Load() {
					_ = id.end(*stop)
				}
				return
			}
			log.Error("a server ended by itself", "pid", id.PID, "again_in", pause)
			k.set(fault.Unavailable.Errorf("The server ended by itself and is started again."))
		}
		if time.Since(began) > time.Minute {
			pause = again
		}
		wait := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-wait.C:
		}
		wait.Stop()
		pause = min(2*pause, longest)
	}
}

// raise adopts the server's process, or starts one, and returns when it answers. stop is how it is ended with us; nil: it is not.
func (k *keeper) raise(ctx context.Context) (id identity, stop *syscall.Signal, err error) {
	p, err := k.fleet.place(k.name)
	if err != nil {
		return id, nil, err
	}
	var run Run
	if err := read(p.file("claim"), &run); err != nil {
		return id, nil, err
	}
	if !k.fleet.options.Detached {
		stop = &run.Stop
	}
	if err := read(p.file("process"), &id); err == nil && id.alive() && k.fleet.options.Detached {
		k.fleet.options.Log.Info("a running server was adopted", "server", k.name, "pid", id.PID)
	} else {
		if err := k.fleet.evict(k.name, syscall.SIGKILL); err != nil { // what an ended server or a broken start left
			return id, nil, err
		}
		if !free(k.fleet.options.Host, p.Port) {
			return id, nil, fmt.Errorf("port %d is in use by another program, and the server's apps know it by that port", p.Port)
		}
		if err := p.unlock(k.fleet.options.Kind); err != nil {
			return id, nil, err
		}
		if id, err = k.start(p, run); err != nil {
			return id, nil, err
		}
	}
	for !speaks(k.fleet.options.Kind, p.Address) {
		switch {
		case !id.alive():
			text, _ := os.ReadFile(p.file("log")) // its end is the error; the log is a help
			return id, nil, fmt.Errorf("it ended at its start: %s (see %s)", lastLine(text), p.file("log"))
		case ctx.Err() != nil:
			if stop != nil && !k.hard.Load() {
				_ = id.end(*stop)
			}
			return id, nil, ctx.Err()
		}
		pause := time.NewTimer(beat)
		<-pause.C
	}
	return id, stop, nil
}

// start runs the program and writes down which process it became. One that starts and is not written down is found by its folder.
func (k *keeper) start(p Place, run Run) (identity, error) {
	log, err := os.OpenFile(p.file("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return identity{}, err
	}
	defer log.Close()
	program, args := limited(run.Memory, run.Program, run.Args)
	cmd := exec.CommandContext(context.Background(), program, args...) //nolint:gosec // what a driver wrote into our own folder; it outlives its start
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = p.Data, []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"}, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.credential()}
	if k.fleet.options.Detached {
		err = launch(cmd)
	} else {
		_, _, err = process(cmd, run.Stop)
	}
	if err != nil {
		return identity{}, err
	}
	id, err := identify(cmd.Process.Pid)
	if err != nil {
		text, _ := os.ReadFile(p.file("log"))
		return id, fmt.Errorf("it ended at its start: %s (see %s)", lastLine(text), p.file("log"))
	}
	return id, write(p.file("process"), id)
}

// speaks tells whether a server of the kind takes logins at an address.
func speaks(kind, address string) bool {
	if kind == "postgresql" {
		return answers(address)
	}
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second)) // a connection that refuses a deadline fails below
	if _, err := io.WriteString(conn, "PING\r\n"); err != nil {
		return false
	}
	text := make([]byte, 64)
	n, err := conn.Read(text)
	return err == nil && (text[0] == '+' || string(text[:min(n, 7)]) == "-NOAUTH" || string(text[:min(n, 4)]) == "-ERR") // "-ERR max number of clients": it is there
}

// unlock removes the lock files that a PostgreSQL server which was killed left: after a boot their process number may be anybody's, and the
// server would refuse to start for ever. Nobody runs in the folder: that was seen to before.
func (p Place) unlock(kind string) error {
	if kind != "postgresql" {
		return nil
	}
	left, err := filepath.Glob(filepath.Join(p.Data, "*", "postmaster.pid"))
	for _, file := range left {
		err = errors.Join(err, os.Remove(file))
	}
	return err
}
