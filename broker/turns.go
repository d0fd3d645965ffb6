package broker

import (
	"slices"
	"sync"
	"time"
)

// turns shares this process's workers among providers: one that is slow holds up nobody but itself. A provider may hold as many workers as are free
// beside, so one slow one gets half of them, two get a third each, and a worker is always left for the next one.
type turns struct {
	mu      sync.Mutex
	all     int // workers
	taken   map[string]int
	waiting map[string][]string // by provider: instances, in the order of their asking
}

func newTurns(workers int) *turns {
	return &turns{all: workers, taken: map[string]int{}, waiting: map[string][]string{}}
}

// take gives an instance's work a worker of its provider's share, or notes that it waits and says when to ask again, should nobody call it before.
func (t *turns) take(provider, instance string) (again time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	free := t.all
	for _, n := range t.taken {
		free -= n
	}
	queue := t.waiting[provider]
	at := slices.Index(queue, instance)
	if mine := t.taken[provider]; mine == 0 || mine < free {
		t.taken[provider]++
		if at >= 0 {
			t.waiting[provider] = slices.Delete(queue, at, at+1)
		}
		return 0, true
	}
	if at < 0 {
		t.waiting[provider] = append(queue, instance)
	}
	return max(patienceOfTurns, time.Duration(len(t.waiting[provider]))*10*time.Millisecond), false
}

// patienceOfTurns is how long work that waits for its turn sleeps when it is not called: by another process, or when the call was lost.
const patienceOfTurns = 5 * time.Second

// give takes a worker back and names the instance whose turn it is.
func (t *turns) give(provider string) (next string, any bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken[provider]--; t.taken[provider] == 0 {
		delete(t.taken, provider)
	}
	queue := t.waiting[provider]
	if len(queue) == 0 {
		delete(t.waiting, provider)
		return "", false
	}
	t.waiting[provider] = queue[1:]
	return queue[0], true
}
