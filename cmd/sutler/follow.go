package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/client"
)

// look is how long one question for an operation waits for its end.
const look = 10 * time.Second

// follow waits for an operation's end and shows the provider's notes on the way; a failed one is fault.ProviderFailed.
func (s *session) follow(ctx context.Context, c *client.Client, operation, what string, patience time.Duration) error {
	if operation == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p := progress{session: s, what: what, began: time.Now(), rewrite: s.talking()}
	for {
		op, err := c.Operation(ctx, operation, look)
		if ctx.Err() == context.DeadlineExceeded {
			p.end("still running")
			return fault.Timeout.Errorf("%s is not finished after %s. It goes on without you.", what, patience).WithHint("Look again with sutler info, or wait longer with --timeout.")
		}
		if err != nil {
			if errors.Is(err, context.Canceled) {
				p.end("interrupted")
			} else {
				p.end("lost")
			}
			return err
		}
		switch op.State {
		case "succeeded":
			p.end("done")
			return nil
		case "failed":
			p.end("failed")
			return fault.ProviderFailed.Errorf("%s failed: %s", what, strings.TrimSpace(op.Note))
		}
		p.note(op.Note)
	}
}

// progress is one line that is rewritten on a terminal; elsewhere a line per new note.
type progress struct {
	*session
	what    string
	last    string
	began   time.Time
	rewrite bool
}

func (p *progress) note(note string) {
	switch {
	case p.rewrite:
		_, _ = fmt.Fprintf(p.err, "\r\x1b[K%s… %s (%s)", p.what, note, p.elapsed())
	case note != p.last && note != "":
		p.say("%s… %s", p.what, note)
	}
	p.last = note
}

func (p *progress) end(how string) {
	if p.rewrite {
		_, _ = fmt.Fprint(p.err, "\r\x1b[K")
	}
	p.say("%s… %s (%s)", p.what, how, p.elapsed())
}

func (p *progress) elapsed() string {
	return time.Since(p.began).Round(100 * time.Millisecond).String()
}
