package fake

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// ErrLogin is what a refused login gives.
var ErrLogin = errors.New("fake: login refused")

// change runs f on the backend alone.
func (d *Driver) change(f func(b *backend) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.backend.locked(func() error { return f(&d.backend) })
}

// edit changes one object; that there is none is Refused, for asking again cannot help.
func (d *Driver) edit(id string, f func(o *object) error) error {
	return d.change(func(b *backend) error {
		o, ok, err := b.read(id)
		if err != nil {
			return err
		}
		if !ok {
			return fault.Refused.Errorf("The backend knows no instance %s.", id)
		}
		if o.Logins == nil {
			o.Logins = map[string]login{}
		}
		if err := f(&o); err != nil {
			return err
		}
		return b.write(o)
	})
}

// Session is an open connection to the make-believe backend.
type Session struct {
	Dead    chan struct{} // closed when the backend ended it
	driver  *Driver
	binding string
	object  string
}

// Put keeps a value under a key of the session's instance.
func (s *Session) Put(key, value string) error {
	return s.use(func(o *object) {
		if o.Data == nil {
			o.Data = map[string]string{}
		}
		o.Data[key] = value
	})
}

// Get gives the value under a key of the session's instance, "" when there is none.
func (s *Session) Get(key string) (value string, err error) {
	err = s.use(func(o *object) { value = o.Data[key] })
	return value, err
}

// Keys lists the keys that the session can see.
func (s *Session) Keys() (keys []string, err error) {
	err = s.use(func(o *object) { keys = slices.Sorted(maps.Keys(o.Data)) })
	return keys, err
}

// Close ends the session from the app's side.
func (s *Session) Close() {
	s.driver.mu.Lock()
	defer s.driver.mu.Unlock()
	list := s.driver.sessions[s.binding]
	s.driver.sessions[s.binding] = slices.DeleteFunc(list, func(other *Session) bool { return other == s })
}

func (s *Session) use(f func(o *object)) error {
	select {
	case <-s.Dead:
		return ErrLogin
	default:
	}
	return s.driver.edit(s.object, func(o *object) error { o.Requests++; f(o); return nil })
}

// Connect logs in with a binding's credentials, or gives ErrLogin.
func (d *Driver) Connect(credentials map[string]any) (*Session, error) {
	var s *Session
	err := d.change(func(b *backend) error {
		list, err := b.list()
		for _, o := range list {
			for id, l := range o.Logins {
				if !o.Suspended && l.Username == credentials["username"] && l.Password == credentials["password"] {
					s = &Session{Dead: make(chan struct{}), driver: d, binding: id, object: o.ID}
					d.sessions[id] = append(d.sessions[id], s)
				}
			}
		}
		return err
	})
	if err == nil && s == nil {
		err = ErrLogin
	}
	return s, err
}

// kill ends a binding's sessions. The caller holds the lock.
func (d *Driver) kill(binding string) {
	for _, s := range d.sessions[binding] {
		close(s.Dead)
	}
	delete(d.sessions, binding)
}

// Forget removes a login and leaves its sessions open, as a backend does whose driver is careless.
func (d *Driver) Forget(instance, binding string) error {
	return d.edit(instance, func(o *object) error { delete(o.Logins, binding); return nil })
}

// Kick ends a login's sessions and leaves the login.
func (d *Driver) Kick(binding string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kill(binding)
}

// Use counts n requests of an instance, as if its app had made them.
func (d *Driver) Use(instance string, n int64) error {
	return d.edit(instance, func(o *object) error { o.Requests += n; return nil })
}

// Restart begins the counters again from zero, in a new epoch, as a restarted server does.
func (d *Driver) Restart() error {
	return d.change(func(b *backend) error {
		list, err := b.list()
		for _, o := range list {
			o.Requests, o.Epoch = 0, o.Epoch+1
			err = errors.Join(err, b.write(o))
		}
		return err
	})
}

// Destroy removes an object behind the market's back.
func (d *Driver) Destroy(instance string) error {
	return d.change(func(b *backend) error { return b.remove(instance) })
}

// Exceed makes an instance pass limits from now on; none lets it be within its plan again.
func (d *Driver) Exceed(instance string, limits ...providers.Excess) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over == nil {
		d.over = map[string][]providers.Excess{}
	}
	d.over[instance] = limits
}

// Made tells how often an object was made for an instance since the fake began: more than once is a driver's or a broker's mistake.
func (d *Driver) Made(instance string) (n int) {
	_ = d.change(func(b *backend) error { n = b.count("made", instance); return nil }) // an unreadable folder counts as none
	return n
}

// Leftovers lists everything at the backend, as "instance ID" and "binding ID".
func (d *Driver) Leftovers() ([]string, error) {
	var names []string
	err := d.change(func(b *backend) error {
		list, err := b.list()
		for _, o := range list {
			names = append(names, fmt.Sprintf("instance %s", o.ID))
			for id := range o.Logins {
				names = append(names, fmt.Sprintf("binding %s", id))
			}
		}
		return err
	})
	slices.SortFunc(names, strings.Compare)
	return names, err
}
