package rabbitmq

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	rabbithole "github.com/michaelklishin/rabbit-hole/v2"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// session speaks to the management plugin as the administrator.
type session struct {
	*rabbithole.Client
	settings Settings
	server   Server
	through  http.RoundTripper
}

// within carries each request under a context, which the client does not know, and over connections that are kept.
type within struct {
	ctx  context.Context
	next http.RoundTripper
}

// RoundTrip makes one exchange.
func (w within) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(w.ctx)
	r.Close = false
	return w.next.RoundTrip(r)
}

// session opens a way to the server; it makes no request.
func (d *Driver) session(ctx context.Context) (session, error) {
	server, err := d.settings.Server()
	if err = cmp.Or(d.wrong, err); err != nil {
		return session{}, err
	}
	u, err := url.Parse(server.Admin)
	if err != nil || u.User == nil || u.Host == "" {
		return session{}, fault.ProviderFailed.Errorf("The administrator's address of the RabbitMQ server is malformed.")
	}
	password, _ := u.User.Password()
	c, err := rabbithole.NewClient(u.Scheme+"://"+u.Host+strings.TrimRight(u.Path, "/"), u.User.Username(), password)
	if err != nil {
		return session{}, fault.ProviderFailed.Errorf("The administrator's address of the RabbitMQ server is malformed.")
	}
	through := within{ctx, d.settings.Transport}
	c.SetTransport(through)
	return session{Client: c, settings: d.settings, server: server, through: through}, nil
}

// patience is how long the steps of one call may take once they have begun.
const patience = 20 * time.Second

// inTurn runs f when the instance's turn has come. What has begun is finished even when the caller gives up meanwhile: the server would
// finish a request that it has got anyway, and whoever comes next must find its outcome.
func (d *Driver) inTurn(ctx context.Context, instance string, f func(ctx context.Context, s session) error) error {
	done, err := d.turns.Take(ctx, instance)
	if err != nil {
		return err
	}
	defer done()
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	s, err := d.session(ctx)
	if err != nil {
		return err
	}
	return classed(f(ctx, s))
}

// ended closes the body of an answer that says nothing but that it worked.
func ended(answer *http.Response, err error) error {
	if answer != nil && answer.Body != nil {
		err = errors.Join(err, answer.Body.Close())
	}
	return err
}

// ask makes a request that the client has no word for, and reads the answer into what is not nil.
func (s session) ask(method, path string, into any) error {
	ask, err := http.NewRequest(method, s.Endpoint+"/api/"+path, http.NoBody) //nolint:noctx // the transport brings it
	if err != nil {
		return err
	}
	ask.SetBasicAuth(s.Username, s.Password)
	answer, err := s.through.RoundTrip(ask)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= http.StatusBadRequest {
		return rabbithole.ErrorResponse{StatusCode: answer.StatusCode, Message: http.StatusText(answer.StatusCode)}
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

func status(err error) int {
	if e, ok := errors.AsType[rabbithole.ErrorResponse](err); ok {
		return e.StatusCode
	}
	return 0
}

func missing(err error) bool { return status(err) == http.StatusNotFound }

// classed tells what passes by itself from what does not.
func classed(err error) error {
	switch {
	case err == nil:
		return nil
	case status(err) >= http.StatusInternalServerError:
		return fault.Unavailable.Wrap(err, "The RabbitMQ server cannot do that now; it is tried again.")
	case strings.Contains(err.Error(), "401 Unauthorized"):
		return fault.ProviderFailed.Wrap(err, "The RabbitMQ server does not let the administrator in: the user or the password is wrong.").
			WithHint("They are the provider's settings; it is tried again within a minute.")
	}
	return err
}

var errNotThere = errors.New("the virtual host is not on the server")

func notThere() error {
	return fault.Refused.Wrap(errNotThere, "The virtual host is not on the server.").
		WithHint("It was removed behind the market's back: destroy the instance, or ask the operator to restore it.")
}

func progress(err error, note string) (providers.Progress, error) {
	if err != nil {
		return providers.Progress{}, err
	}
	return providers.Progress{Done: true, Note: note}, nil
}
