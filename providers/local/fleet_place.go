package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Place is where one server of a fleet lives. Its folder is ours alone; below it Data belongs to the server.
type Place struct {
	Name    string
	Dir     string // ours: claim, process, port, user, log, and what a driver keeps here
	Data    string // the server's own folder and its working folder
	Port    int
	Address string // host:port
	UID     int    // the user it runs as; -1: ours

	gid  uint32
	root bool
}

func (p Place) file(name string) string { return filepath.Join(p.Dir, name) }

// Keep writes a small file of the driver into the server's folder, whole or not at all. Only we can read it.
func (p Place) Keep(name string, text []byte) error {
	file := p.file("kept-" + name)
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// Kept reads what Keep wrote.
func (p Place) Kept(name string) ([]byte, error) { return os.ReadFile(p.file("kept-" + name)) }

// credential is whom the server's process runs as; nil: as we do.
func (p Place) credential() *syscall.Credential {
	if !p.root {
		return nil
	}
	return &syscall.Credential{Uid: uint32(p.UID), Gid: p.gid} //nolint:gosec // made from a uint32
}

// give gives everything below Data to the server's user.
func (p Place) give() error {
	if !p.root {
		return nil
	}
	return filepath.WalkDir(p.Data, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, p.UID, int(p.gid))
	})
}

// firstUser is the least number of the users that servers run as: far above those of people, of containers and of what hands numbers out by
// itself. The port that a server had first is added.
const firstUser = 1_900_000_000

// newPlace makes the folder of a name anew; what an earlier try left there goes.
func (f *Fleet) newPlace(name string) (Place, error) {
	dir := filepath.Join(f.dir, name)
	if err := os.RemoveAll(dir); err != nil {
		return Place{}, err
	}
	port, err := f.freshPort()
	if err != nil {
		return Place{}, err
	}
	if err := os.Mkdir(dir, 0o711); err != nil {
		return Place{}, err
	}
	uid := uint32(os.Getuid()) //nolint:gosec // not negative on the systems that we run on
	if f.shared != nil {
		if uid = firstUser + uint32(port); !mapped(uid) { //nolint:gosec // a port fits
			uid = f.shared.Uid
		}
	}
	for file, n := range map[string]int{"port": port, "user": int(uid)} {
		if err := os.WriteFile(filepath.Join(dir, file), fmt.Appendln(nil, n), 0o600); err != nil {
			return Place{}, err
		}
	}
	p, err := f.about(name)
	if err != nil {
		return Place{}, err
	}
	return p, errors.Join(os.Mkdir(p.Data, 0o700), p.give())
}

// freshPort is a free port that no other server of the fleet has, running or not.
func (f *Fleet) freshPort() (int, error) {
	for range 100 {
		port, err := FreePort()
		if err != nil {
			return 0, err
		}
		taken := false
		kept, _ := filepath.Glob(filepath.Join(f.dir, "*", "port")) // the pattern is well-formed
		for _, file := range kept {
			n, err := number(file)
			taken = taken || err == nil && n == port
		}
		if !taken {
			return port, nil
		}
	}
	return 0, errors.New("no free port was found")
}

func number(file string) (int, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// place gives a claimed name's place, or ErrNoServer.
func (f *Fleet) place(name string) (Place, error) {
	if !serverName.MatchString(name) {
		return Place{}, fmt.Errorf("%s: %w", name, ErrNoServer)
	}
	if _, err := os.Stat(filepath.Join(f.dir, name, "claim")); errors.Is(err, os.ErrNotExist) {
		return Place{}, fmt.Errorf("%s: %w", name, ErrNoServer)
	}
	return f.about(name)
}

func (f *Fleet) about(name string) (Place, error) {
	dir := filepath.Join(f.dir, name)
	port, err := number(filepath.Join(dir, "port"))
	if err != nil {
		return Place{}, err
	}
	uid, err := number(filepath.Join(dir, "user"))
	if err != nil {
		return Place{}, err
	}
	p := Place{Name: name, Dir: dir, Data: filepath.Join(dir, "data"), Port: port, Address: net.JoinHostPort(f.options.Host, strconv.Itoa(port)), UID: uid}
	if f.shared != nil {
		p.root, p.gid = true, f.shared.Gid
	}
	return p, nil
}

// Names lists the claimed servers.
func (f *Fleet) Names() []string {
	claims, _ := filepath.Glob(filepath.Join(f.dir, "*", "claim")) // the pattern is well-formed
	var list []string
	for _, c := range claims {
		list = append(list, filepath.Base(filepath.Dir(c)))
	}
	return list
}

// Dir is where the servers' folders are.
func (f *Fleet) Dir() string { return f.dir }

func write(file string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

func read(file string, v any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}
