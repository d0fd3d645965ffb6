package main

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

// interrupt asks for a create or an update, which stands still in its step, and in the midst of it for the delete. No answer counts: the process dies.
func (l *lane) interrupt(t *testing.T, p *process, c crashCase) {
	t.Helper()
	method, state := http.MethodPut, "creating"
	_, plan, _ := strings.Cut(c.want, ":")
	if c.verb == "overtake" {
		method, state, plan = http.MethodPatch, "updating", otherPlan(l.instance.Plan)
	}
	path, body := l.request(t, method, plan)
	begun := make(chan struct{})
	go func() {
		defer close(begun)
		for status := http.StatusServiceUnavailable; status == http.StatusServiceUnavailable && t.Context().Err() == nil; {
			status, _ = askOSB(t.Context(), l.site, l.platform, method, path, body) // the provider of a fresh process may not have been asked yet
		}
	}()
	id := ""
	p.await(t, state+" instance", func() bool {
		list, err := l.client().Instances(t.Context(), l.place())
		if err == nil && len(list) == 1 && list[0].State == state {
			id = list[0].ID
		}
		return id != ""
	})
	_, _ = l.client().DestroyInstance(t.Context(), id)
	<-begun
}

// followRotation waits until the new binding is the app's and the old one has been revoked.
func (l *lane) followRotation(t *testing.T, p *process) {
	t.Helper()
	old := l.binding
	l.await(t, p, func() error {
		list, err := l.client().Bindings(t.Context(), l.place(), l.instance.ID, "")
		if err != nil || len(list) != 1 || list[0].ID == old.ID {
			return errors.Join(err, errors.New("the rotation has not come to its end"))
		}
		if list[0].State == "ready" {
			l.binding, err = l.client().Credentials(t.Context(), list[0].ID)
		}
		return not(err, list[0].State == "ready", list[0].State+" "+list[0].Note)
	})
	l.ended = old.Credentials
}
