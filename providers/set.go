package providers

import (
	"context"
	"slices"
	"sync"
)

// Set is the market's providers by name, in the configuration's order. The zero value and nil hold none.
type Set struct{ list []*Provider }

// NewSet gives a set of providers in this order; of two with one name the first counts.
func NewSet(list ...*Provider) *Set {
	s := &Set{}
	for _, p := range list {
		if _, taken := s.Get(p.Name); !taken {
			s.list = append(s.list, p)
		}
	}
	return s
}

// Get finds a provider by its name.
func (s *Set) Get(name string) (*Provider, bool) {
	if s != nil {
		for _, p := range s.list {
			if p.Name == name {
				return p, true
			}
		}
	}
	return nil, false
}

// All gives the providers in the configuration's order.
func (s *Set) All() []*Provider {
	if s == nil {
		return nil
	}
	return slices.Clone(s.list)
}

// Watch probes all providers until ctx ends, and returns when every probe has.
func (s *Set) Watch(ctx context.Context) {
	var wg sync.WaitGroup
	for _, p := range s.All() {
		wg.Go(func() { p.Watch(ctx) })
	}
	wg.Wait()
}
