package osb

import (
	"context"
	"errors"
	"net/http"

	"github.com/sutlerhq/sutler/internal/fault"
)

// made judges the answer to a request that makes something, by the protocol's table of what may have been left behind: s.Orphan is set for
// what must be deleted before anything else is tried. body is filled from a good answer; later tells that it is to be polled.
func (d *Driver) made(t item, s *state, a answer, body any) (later bool, err error) {
	var accepted struct {
		Operation string `json:"operation"`
	}
	switch status := a.status; {
	case a.err != nil:
		s.Orphan = s.Orphan || a.sent
		return false, unanswered(a.err)
	case status == http.StatusOK || status == http.StatusCreated:
		if !a.object(body) {
			s.Orphan = s.Orphan || status == http.StatusCreated
			return false, s.tired(malformed(status))
		}
		s.Made, s.Refused, s.Failures = true, false, 0
		return false, nil
	case status == http.StatusAccepted:
		if !a.object(&accepted) || !a.object(body) {
			s.Orphan = true
			return false, s.tired(malformed(status))
		}
		s.Made, s.Refused, s.Failures = true, false, 0
		s.Verb, s.Operation = making, accepted.Operation
		return true, nil
	case status >= 500 || status/100 == 2:
		s.Orphan = true
		return false, s.tired(failed(t, a))
	}
	err = refused(t, a)
	if k := fault.KindOf(err); k == fault.Refused || k == fault.Invalid {
		s.Refused = !s.Made && !s.Orphan // nothing was made, so there is nothing to delete
	}
	return false, err
}

// tired counts the upstream's failures in a row, and ends the matter when there are enough of them.
func (s *state) tired(err error) error {
	if fault.KindOf(err) != fault.ProviderFailed {
		return err
	}
	if s.Failures++; s.Failures < enough {
		return err
	}
	return fault.Refused.Wrap(err, "%s It did so %d times in a row.", fault.Of(err).Text, s.Failures)
}

// refused is the fault for an answer that says that nothing was done: 3xx and 4xx.
func refused(t item, a answer) error {
	switch status := a.status; {
	case status < 400:
		return fault.Unavailable.Errorf("The upstream sends its callers to another address (%d); requests go to the configured one alone.", status).
			WithHint("Put the new address into the provider's url.")
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fault.Unavailable.Errorf("The upstream does not accept the login that is configured (%d).", status)
	case status == http.StatusPreconditionFailed:
		return fault.Unavailable.Errorf("The upstream speaks no version of the protocol that we do.")
	case status == http.StatusRequestTimeout:
		return fault.Timeout.Errorf("The upstream did not get the request in time (408).")
	case status == http.StatusTooManyRequests:
		return fault.Unavailable.Errorf("The upstream wants fewer requests (429).")
	case status == http.StatusUnprocessableEntity && a.code() == "ConcurrencyError":
		return fault.Busy.Errorf("The upstream is still at work on this %s.", t.noun)
	case status == http.StatusBadRequest:
		return fault.Invalid.Errorf("The upstream finds the order wrong (400).%s", a.says(t))
	default:
		return fault.Refused.Errorf("The upstream refuses (%d).%s", status, a.says(t))
	}
}

func failed(t item, a answer) error {
	if a.status == http.StatusServiceUnavailable {
		return fault.Unavailable.Errorf("The upstream cannot serve now (503).%s", a.says(t))
	}
	return fault.ProviderFailed.Errorf("The upstream failed (%d).%s", a.status, a.says(t))
}

func malformed(status int) error {
	return fault.ProviderFailed.Errorf("The upstream's answer (%d) is not what the protocol asks for.", status)
}

// unanswered is the fault for an exchange without a status.
func unanswered(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return fault.Unavailable.Wrap(context.Canceled, "The request to the upstream was given up.")
	case errors.Is(err, fault.Refused):
		return fault.Unavailable.Wrap(err, "The upstream's address may not be called: %s", fault.Of(err).Text).WithHint("The operator can allow the range in `egress`.")
	case errors.Is(err, fault.TooLarge):
		return fault.ProviderFailed.Wrap(err, "The upstream's answer is too long.")
	}
	var late interface{ Timeout() bool }
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &late) && late.Timeout() {
		return fault.Timeout.Wrap(err, "The upstream did not answer in time.")
	}
	return fault.Unavailable.Wrap(err, "The upstream cannot be reached now.")
}
