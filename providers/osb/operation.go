package osb

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// last is what the upstream says of an operation.
type last struct {
	State       string `json:"state"` // "in progress", succeeded, failed
	Description string `json:"description"`
}

// The states of an upstream's operation; lost is ours: the upstream does not know it, or does not know the thing any more.
const (
	running   = "in progress"
	succeeded = "succeeded"
	broke     = "failed"
	lost      = "lost"
)

// poll asks how far the upstream is. An error says nothing about the operation: it is asked again.
func (d *Driver) poll(ctx context.Context, t item, s *state) (l last, wait time.Duration, err error) {
	q := t.query()
	if s.Operation != "" {
		q.Set("operation", s.Operation)
	}
	a := d.ask(ctx, request{method: http.MethodGet, path: t.path + "/last_operation", query: q})
	wait = d.wait(a)
	switch {
	case a.err != nil:
		return l, wait, unanswered(a.err)
	case a.status == http.StatusNotFound || a.status == http.StatusGone:
		return last{State: lost}, wait, nil
	case a.status == http.StatusOK && a.object(&l) && (l.State == running || l.State == succeeded || l.State == broke):
		if l.Description != "" {
			l.Description = repeatable(l.Description, t.secrets)
		}
		return l, wait, nil
	case a.status == http.StatusOK:
		return l, wait, malformed(a.status)
	case a.status >= 500 || a.status/100 == 2:
		return l, wait, failed(t, a)
	}
	return l, wait, fault.Unavailable.Wrap(refused(t, a), "The upstream does not say how far it is (%d).", a.status)
}

// wait is how long to leave the upstream alone after an answer.
func (d *Driver) wait(a answer) time.Duration {
	if w := a.retryAfter(); w > 0 {
		return w
	}
	return d.settings.Poll
}

func (t item) query() url.Values { return url.Values{"service_id": {t.service}, "plan_id": {t.plan}} }

// follow goes on with the making of something. Done is true when it is there.
func (d *Driver) follow(ctx context.Context, t item, s *state) (providers.Progress, error) {
	l, wait, err := d.poll(ctx, t, s)
	if err != nil {
		return providers.Progress{RetryAfter: wait}, err
	}
	switch l.State {
	case running:
		return providers.Progress{RetryAfter: wait, Note: l.Description}, nil
	case succeeded:
		s.idle()
		return providers.Progress{Done: true, Note: l.Description}, nil
	}
	s.idle()
	s.Orphan = true
	if l.State == lost {
		return providers.Progress{}, fault.ProviderFailed.Errorf("The upstream has forgotten the %s that it was making.", t.noun)
	}
	return providers.Progress{}, fault.Refused.Errorf("The upstream could not make the %s. It says: %s", t.noun, l.Description)
}

// remove deletes the thing at the upstream, or goes on deleting it. Done is true when it is gone; what never was is gone, too.
func (d *Driver) remove(ctx context.Context, t item, s *state) (providers.Progress, error) {
	if s.Verb == removing {
		l, wait, err := d.poll(ctx, t, s)
		switch {
		case err != nil:
			return providers.Progress{RetryAfter: wait}, err
		case l.State == running:
			return providers.Progress{RetryAfter: wait, Note: l.Description}, nil
		case l.State == succeeded:
			s.idle()
			return providers.Progress{Done: true}, nil
		case l.State == broke:
			s.idle() // asked to delete again by the next call
			return providers.Progress{RetryAfter: wait}, fault.ProviderFailed.Errorf("The upstream could not remove the %s. It says: %s", t.noun, l.Description)
		}
		s.idle() // it does not know it any more: the answer to another DELETE is what counts
	}
	q := t.query()
	q.Set("accepts_incomplete", "true")
	return d.removed(t, s, d.ask(ctx, request{method: http.MethodDelete, path: t.path, query: q}))
}

func (d *Driver) removed(t item, s *state, a answer) (providers.Progress, error) {
	var accepted struct {
		Operation string `json:"operation"`
	}
	wait := providers.Progress{RetryAfter: a.retryAfter()}
	switch {
	case a.err != nil:
		return wait, unanswered(a.err)
	case a.status == http.StatusGone || a.status == http.StatusOK && a.object(&accepted):
		s.idle()
		return providers.Progress{Done: true}, nil
	case a.status == http.StatusAccepted && a.object(&accepted):
		s.idle()
		s.Verb, s.Operation = removing, accepted.Operation
		return providers.Progress{RetryAfter: d.wait(a), Note: "the upstream is removing it"}, nil
	case a.status/100 == 2:
		return wait, malformed(a.status)
	case a.status >= 500:
		return wait, failed(t, a)
	}
	err := refused(t, a)
	if k := fault.KindOf(err); k == fault.Refused || k == fault.Invalid { // a delete is never given up
		err = fault.ProviderFailed.Wrap(err, "The upstream does not remove the %s (%d).%s", t.noun, a.status, a.says(t))
	}
	return wait, err
}

// clean deletes what an earlier request may have left. Done is true when nothing is left.
func (d *Driver) clean(ctx context.Context, t item, s *state) (providers.Progress, error) {
	p, err := d.remove(ctx, t, s)
	if err != nil || !p.Done {
		p.Note = "what a broken request may have left is removed first"
		return p, err
	}
	s.Orphan, s.Late, s.Made, s.Refused = false, false, false, false
	return p, nil
}
