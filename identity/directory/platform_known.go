package directory

import (
	"sync"
	"time"
)

// keptFor is how long a platform that has shown its password is not looked up again. A platform asks many times a second while it waits for
// something; so long, at most, it goes on after its password was ended in another process.
const keptFor = 2 * time.Second

// known are the platforms that have shown their passwords lately, by name. The zero value is ready.
type known struct {
	mu   sync.Mutex
	era  int // of the latest change in this process: what was read before it is not kept after it
	rows map[string]keptRow
}

type keptRow struct {
	platformRow
	until time.Time
}

// find gives a platform that has been looked up a moment ago.
func (k *known) find(name string) (platformRow, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	r, ok := k.rows[name]
	return r.platformRow, ok && time.Now().Before(r.until)
}

// begin is called before a row is read that will be kept.
func (k *known) begin() (era int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.era
}

// keep keeps a row, unless one was changed since its reading began.
func (k *known) keep(r platformRow, era int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.era != era {
		return
	}
	if k.rows == nil {
		k.rows = map[string]keptRow{}
	}
	k.rows[r.Name] = keptRow{r, time.Now().Add(keptFor)}
}

// forget ends all that is known.
func (k *known) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.era++
	clear(k.rows)
}
