package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
)

// FleetOptions say how a fleet's servers live.
type FleetOptions struct {
	Kind     string // "postgresql" or "redis"
	Detached bool   // the servers outlive this process and are adopted by its successor; else they die with it
	Host     string // address the servers listen on; 127.0.0.1
	Log      *slog.Logger
}

// Fleet runs one server process for each of its names, each in a folder of its own, on a port of its own and, where we are root, as a user of
// its own. A server that ends by itself is started again, on the same port and the same data. One process holds a fleet's folder at a time.
// It is safe for use by many goroutines.
type Fleet struct {
	options FleetOptions
	dir     string // absolute; where the folders are, see home
	shared  *syscall.Credential
	lock    *os.File
	stop    context.CancelFunc
	ctx     context.Context //nolint:containedctx // the life of the keepers, which outlive every call

	mu      sync.Mutex
	keepers map[string]*keeper
	turns   map[string]*sync.Mutex
}

// ErrHeld is wrapped when another process holds a fleet's folder.
var ErrHeld = errors.New("the folder is held by another process")

// ErrNoServer is wrapped when a fleet has no server of a name.
var ErrNoServer = errors.New("there is no such server")

var serverName = regexp.MustCompile(`^[a-z][a-z0-9]{0,62}$`)

// OpenFleet takes the folder, reaps what strayed in it, and begins to adopt or start the servers that are claimed there; it waits for none.
// Errors: ErrHeld while another process has the folder; ErrNoProgram.
func OpenFleet(dir string, o FleetOptions) (*Fleet, error) {
	o.Host, o.Log = cmp.Or(o.Host, "127.0.0.1"), cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	if err := Found(o.Kind); err != nil {
		return nil, err
	}
	cred, err := account()
	if err != nil {
		return nil, err
	}
	place, err := home(dir, cred)
	if err != nil {
		return nil, err
	}
	if cred != nil { // ours again: the servers' users may pass through, and write only in their own folders
		if err := errors.Join(os.Chown(place, 0, 0), os.Chmod(place, 0o711)); err != nil {
			return nil, err
		}
	}
	if place, err = filepath.EvalSymlinks(place); err != nil { // /proc shows it that way
		return nil, err
	}
	f := &Fleet{options: o, dir: place, shared: cred, keepers: map[string]*keeper{}, turns: map[string]*sync.Mutex{}}
	if f.lock, err = hold(filepath.Join(place, "lock")); err != nil {
		return nil, err
	}
	f.ctx, f.stop = context.WithCancel(context.Background())
	if err := f.Scan(); err != nil {
		f.Close()
		return nil, err
	}
	for _, name := range f.Names() {
		f.keep(name)
	}
	return f, nil
}

func hold(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil { //nolint:gosec // a descriptor fits
		return nil, errors.Join(fmt.Errorf("%s: %w", path, ErrHeld), file.Close())
	}
	return file, nil
}

// Close lets the folder go. Attached servers are stopped; detached ones go on.
func (f *Fleet) Close() {
	f.stop()
	f.mu.Lock()
	list := f.keepers
	f.keepers = map[string]*keeper{}
	f.mu.Unlock()
	for _, k := range list {
		<-k.ended
	}
	_ = f.lock.Close() // which ends the lock
}

// turn makes calls for one name follow each other.
func (f *Fleet) turn(name string) func() {
	f.mu.Lock()
	t, ok := f.turns[name]
	if !ok {
		t = &sync.Mutex{}
		f.turns[name] = t
	}
	f.mu.Unlock()
	t.Lock()
	return t.Unlock
}

// Run is what a server is started with. It is kept in the folder, so that the server can be started without asking anybody: it holds no secret.
type Run struct {
	Program string         `json:"program"` // path
	Args    []string       `json:"args"`    // what follows the program's name
	Stop    syscall.Signal `json:"stop"`    // asks it to stop in an orderly way
	Memory  uint64         `json:"memory"`  // bytes of address space that each of its processes may have; 0: as many as there are
}

// Make claims a name, lets prepare fill the folder, starts the server and returns when it answers. For a name that is there already nothing
// is prepared again: it waits for the server. A prepare that was broken off is asked again.
func (f *Fleet) Make(ctx context.Context, name string, prepare func(Place) (Run, error)) (Place, error) {
	if !serverName.MatchString(name) {
		return Place{}, fmt.Errorf("%q is no name for a server", name)
	}
	done := f.turn(name)
	p, err := f.place(name)
	if errors.Is(err, ErrNoServer) {
		p, err = f.found(name, prepare)
	}
	done()
	if err != nil {
		return Place{}, err
	}
	return p, f.keep(name).await(ctx)
}

func (f *Fleet) found(name string, prepare func(Place) (Run, error)) (Place, error) {
	p, err := f.newPlace(name)
	if err != nil {
		return Place{}, err
	}
	run, err := prepare(p)
	if err != nil {
		return Place{}, err
	}
	if err := p.give(); err != nil {
		return Place{}, err
	}
	return p, write(p.file("claim"), run)
}

// Change keeps another way to start the server and puts its memory limit into force now. Its arguments count from its next start.
func (f *Fleet) Change(name string, change func(*Run)) error {
	defer f.turn(name)()
	p, err := f.place(name)
	if err != nil {
		return err
	}
	var run Run
	if err := read(p.file("claim"), &run); err != nil {
		return err
	}
	change(&run)
	if err := write(p.file("claim"), run); err != nil {
		return err
	}
	var id identity
	if read(p.file("process"), &id) == nil && id.alive() {
		return limitMemory(id.PID, run.Memory, p.credential())
	}
	return nil
}

// Server gives the place of a server that answers; fault.Unavailable while it does not, ErrNoServer when there is none.
func (f *Fleet) Server(ctx context.Context, name string) (Place, error) {
	p, err := f.place(name)
	if err != nil {
		return Place{}, err
	}
	return p, f.keep(name).await(ctx)
}

// Restart ends the server's process; its keeper starts it again. edit may change the folder's files while nothing runs.
func (f *Fleet) Restart(ctx context.Context, name string, edit func(Place) error) error {
	if err := f.cycle(name, syscall.SIGKILL, edit); err != nil {
		return err
	}
	return f.keep(name).await(ctx)
}

// Renew is Restart for a server that shall end in an orderly way: it is asked to by the signal that its Run names. One that does not start
// at its first try is an error, and is tried again all the same.
func (f *Fleet) Renew(ctx context.Context, name string) error {
	var run Run
	if err := read(filepath.Join(f.dir, name, "claim"), &run); err != nil {
		return err
	}
	if err := f.cycle(name, run.Stop, nil); err != nil {
		return err
	}
	return f.keep(name).first(ctx)
}

// cycle ends a server's keeper and its process.
func (f *Fleet) cycle(name string, how syscall.Signal, edit func(Place) error) error {
	defer f.turn(name)()
	p, err := f.place(name)
	if err == nil {
		f.drop(name)
		err = f.evict(name, how)
	}
	if err == nil && edit != nil {
		err = errors.Join(edit(p), p.give())
	}
	return err
}

// Remove ends the server and removes its folder. What is not there is removed already.
func (f *Fleet) Remove(name string) error {
	if !serverName.MatchString(name) {
		return nil
	}
	defer f.turn(name)()
	f.drop(name)
	dir := filepath.Join(f.dir, name)
	if err := os.Remove(filepath.Join(dir, "claim")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := f.evict(name, syscall.SIGKILL); err != nil { // its data go: an orderly end would only take time
		return err
	}
	return os.RemoveAll(dir)
}

// drop ends a name's keeper, not its server.
func (f *Fleet) drop(name string) {
	f.mu.Lock()
	k := f.keepers[name]
	delete(f.keepers, name)
	f.mu.Unlock()
	if k != nil {
		k.hard.Store(true)
		k.cancel()
		<-k.ended
	}
}

// keep gives the name's keeper, a new one when there is none.
func (f *Fleet) keep(name string) *keeper {
	f.mu.Lock()
	defer f.mu.Unlock()
	k, ok := f.keepers[name]
	if !ok {
		ctx, cancel := context.WithCancel(f.ctx)
		k = &keeper{fleet: f, name: name, cancel: cancel, ended: make(chan struct{}), changed: make(chan struct{}), known: make(chan struct{})}
		k.err = fault.Unavailable.Errorf("The server is still starting.")
		f.keepers[name] = k
		go k.run(ctx)
	}
	return k
}

// longest is the longest pause before a server that keeps ending is started again.
const longest = 30 * time.Second

// About gives the place of a claimed server, whether it runs or not; ErrNoServer when there is none.
func (f *Fleet) About(name string) (Place, error) { return f.place(name) }
