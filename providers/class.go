package providers

import (
	"context"
	"errors"
	"io"
	"net"
	"regexp"
	"syscall"

	"github.com/sutlerhq/sutler/internal/fault"
)

// class gives a driver's error the kind that the rest of the market acts on, and a text that is fit for a caller.
// The driver's own text stays behind as the cause, with anything that looks like a password struck out.
func (p *Provider) class(ctx context.Context, verb string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return fault.Unavailable.Wrap(context.Canceled, "The call to %s (%s) was given up.", p.Name, verb)
	}
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		return cleaned(f)
	}
	if k, ok := errors.AsType[fault.Kind](err); ok {
		return k.Wrap(scrubbed{err}, "%s could not %s (%s).", p.Name, verb, k)
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Timeout.Wrap(scrubbed{err}, "%s did not answer in time (%s).", p.Name, verb)
	case unreachable(err):
		return fault.Unavailable.Wrap(scrubbed{err}, "%s cannot be reached now (%s).", p.Name, verb)
	}
	return fault.ProviderFailed.Wrap(scrubbed{err}, "%s failed to %s.", p.Name, verb)
}

// cleaned gives f with every text scrubbed.
func cleaned(f *fault.Fault) *fault.Fault {
	c := f.Kind.Wrap(nil, "%s", scrub(f.Text))
	if cause := f.Unwrap(); cause != nil {
		c = f.Kind.Wrap(scrubbed{cause}, "%s", scrub(f.Text))
	}
	c.Hint, c.Code = scrub(f.Hint), f.Code
	return c.WithFields(f.Fields...)
}

func unreachable(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	for _, e := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// counts tells whether err speaks against the provider's health: it cannot be reached, did not answer in time, or broke in a way that nobody
// foresaw. An answer that says what was wrong with the request, or that its instance is not there or is busy, is an answer.
func counts(err error) bool {
	switch fault.KindOf(err) {
	case fault.Unavailable, fault.Timeout:
		return true
	}
	return err != nil && unclear(err)
}

// unclear tells whether err may be the provider's fault or that of one instance alone: a driver that cannot read a State fails so, and a server
// that is broken does.
func unclear(err error) bool {
	k := fault.KindOf(err)
	return k == fault.ProviderFailed || k == fault.Internal
}

// blame notes whose failure err is. What is unclear counts once for each instance between two successes, so that one instance, however often it is
// tried, does not keep the others from a provider that is well, and a provider that fails all of them is found out.
func (p *Provider) blame(instance string, err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !counts(err):
		clear(p.unclear)
	case unclear(err) && p.unclear[instance]:
		return ownFault{err}
	case unclear(err):
		p.unclear[instance] = true
	}
	return err
}

// ownFault is a failure that the breaker takes for that of one instance.
type ownFault struct{ error }

// excluded tells whether err says nothing about the provider: the caller gave up, or it is an instance's own.
func excluded(err error) bool {
	_, own := errors.AsType[ownFault](err)
	return own || errors.Is(err, context.Canceled)
}

// scrubbed is an error whose text shows no password; errors.Is and errors.As still see what it wraps.
type scrubbed struct{ err error }

func (s scrubbed) Error() string { return scrub(s.err.Error()) }
func (s scrubbed) Unwrap() error { return s.err }

var (
	userinfo = regexp.MustCompile(`(://[^\s:/@]*):[^\s]*@`)
	keyValue = regexp.MustCompile(`(?i)\b(password|passwd|secret|token|seed|jwt)("?\s*[=:]\s*"?|\s+)('(?:[^']|'')*'|"[^"]*"|[^\s,;&"']+)`)
)

// scrub strikes out what looks like a password: in addresses, in key=value text, and in SQL's PASSWORD '…'.
func scrub(s string) string {
	s = userinfo.ReplaceAllString(s, "$1:***@")
	return keyValue.ReplaceAllString(s, "$1$2***")
}
