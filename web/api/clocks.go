package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/client"
)

// farthest is how far the clock may be moved at once.
const farthest = 366 * 24 * time.Hour

func (a *API) clocks() {
	register(a, route{method: http.MethodGet, path: prefix + "/clock", id: "clock-get", tag: "market", summary: "The market's time beside the wall's."}, a.clockGet)
	if a.Calendar != nil {
		register(a, route{method: http.MethodPost, path: prefix + "/clock/advance", id: "clock-advance", tag: "market", summary: "Move the market's clock forward (dev only); answers when all that fell due has run."}, a.clockAdvance)
	}
}

func (a *API) clockGet(context.Context, identity.Principal, *struct{}) (*reply[client.Clock], error) {
	return answer(a.clockNow(), nil)
}

func (a *API) clockAdvance(ctx context.Context, who identity.Principal, in *struct{ Body client.Advance }) (*reply[client.Clock], error) {
	if err := may(who, identity.ClockAdvance, identity.Scope{}, "move the market's clock"); err != nil {
		return nil, err
	}
	d, err := duration(in.Body.By)
	if err != nil {
		return nil, err
	}
	ran, err := a.Calendar.Advance(ctx, d)
	now := a.clockNow()
	now.Ran = ran
	return answer(now, err)
}

func (a *API) clockNow() client.Clock {
	out := client.Clock{Market: a.Clock.Now(), Wall: clock.Wall{}.Now()}
	var ahead time.Duration
	if m, ok := a.Clock.(*clock.Market); ok {
		ahead = m.Offset()
	}
	out.Offset = ahead.String()
	return out
}

// duration reads "90m", "36h" or "31d".
func duration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if days, found := strings.CutSuffix(s, "d"); found {
		var n int
		n, err = strconv.Atoi(days)
		d = time.Duration(min(max(n, 0), 1000)) * 24 * time.Hour
	}
	if err != nil || d <= 0 || d > farthest {
		return 0, fault.Invalid.Errorf("%q is no duration between a second and 366 days.", s).WithHint("Write 90m, 36h or 31d.")
	}
	return d, nil
}
