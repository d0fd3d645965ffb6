package pages

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/broker"
)

const (
	beat    = 15 * time.Second // how often a quiet stream says that it lives
	session = 5 * time.Minute  // how long one stream lives: the browser comes again, and who it is, is asked again
)

// changed is one event of the stream: enough to know what to look at again, nothing that the page would not show.
type changed struct {
	Instance string `json:"instance"`
	Binding  string `json:"binding,omitempty"`
	State    string `json:"state"`
}

// events streams what changes in a project, as server-sent events.
func (p *Pages) events(c echo.Context) error {
	v, err := p.visit(c, "", "")
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	changes, err := p.Broker.Watch(ctx, v.who, v.project.ID)
	if err != nil {
		return err
	}
	return stream(ctx, c.Response(), changes)
}

// stream writes changes and heartbeats until the reader goes away, the changes end or the session is over.
func stream(ctx context.Context, w *echo.Response, changes <-chan broker.Change) error {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	wire := http.NewResponseController(w)
	_ = wire.SetWriteDeadline(time.Time{}) // the server's deadline is meant for pages; not every server has one
	w.WriteHeader(http.StatusOK)
	beats, end := time.NewTicker(beat), time.NewTimer(session)
	defer beats.Stop()
	defer end.Stop()
	for said := "retry: 1000\nevent: beat\ndata: {}\n\n"; ; {
		if _, err := fmt.Fprint(w, said); err != nil {
			return nil // the reader went away
		}
		if err := wire.Flush(); err != nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-end.C:
			return nil
		case <-beats.C:
			said = "event: beat\ndata: {}\n\n"
		case change, open := <-changes:
			if !open {
				return nil
			}
			said = eventOf(change)
		}
	}
}

func eventOf(c broker.Change) string {
	body, _ := json.Marshal(changed{c.Instance, c.Binding, string(c.State)}) // strings always marshal
	return "event: change\ndata: " + string(body) + "\n\n"
}
