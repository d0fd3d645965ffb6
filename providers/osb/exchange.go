package osb

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
	"github.com/sutlerhq/sutler/providers"
)

// request is one question to the upstream.
type request struct {
	method, path string
	query        url.Values
	body         any
	owner        providers.Owner
	etag         string
}

// answer is what came back: a status with as much of the body as could be read, or an error.
type answer struct {
	status int
	header http.Header
	body   []byte
	broken bool  // the body did not arrive whole
	err    error // no status arrived
	sent   bool  // the request may have reached the upstream
}

// ask makes one exchange, in the newest version of the protocol that the upstream takes.
func (d *Driver) ask(ctx context.Context, r request) answer {
	for {
		version := d.version.now()
		a := d.exchange(ctx, r, version)
		if a.status != http.StatusPreconditionFailed || !d.version.lower(version) {
			return a
		}
	}
}

func (d *Driver) exchange(ctx context.Context, r request, version string) (a answer) {
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { a.sent = true }})
	req, err := d.compose(ctx, r, version)
	if err != nil {
		return answer{err: err}
	}
	resp, err := d.http.Do(req)
	if err != nil {
		a.err = plainError(err)
		return a
	}
	defer resp.Body.Close()
	a.status, a.header = resp.StatusCode, resp.Header
	if a.body, err = io.ReadAll(resp.Body); err != nil {
		a.broken = true
		if ctx.Err() != nil {
			a.err = ctx.Err() // whether it was done is not known
		}
	}
	return a
}

func (d *Driver) compose(ctx context.Context, r request, version string) (*http.Request, error) {
	var body io.Reader
	if r.body != nil {
		b, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, d.settings.URL+r.path+"?"+r.query.Encode(), body)
	if err != nil {
		return nil, fault.Invalid.Errorf("The upstream's address is none.")
	}
	h := req.Header
	h.Set("X-Broker-API-Version", version)
	h.Set("X-Broker-API-Request-Identity", ids.New("req"))
	h.Set("Accept", "application/json")
	h.Set("Content-Type", "application/json")
	if r.etag != "" {
		h.Set("If-None-Match", r.etag)
	}
	if r.owner != (providers.Owner{}) {
		org, space := owned(r.owner)
		who, _ := json.Marshal(map[string]string{"organization_guid": org, "space_guid": space}) // strings only
		h.Set("X-Broker-API-Originating-Identity", platform+" "+base64.StdEncoding.EncodeToString(who))
	}
	switch {
	case d.settings.Token != "":
		h.Set("Authorization", "Bearer "+d.settings.Token)
	case d.settings.Username != "":
		req.SetBasicAuth(d.settings.Username, d.settings.Password)
	}
	return req, nil
}

// plainError takes the address out of an HTTP client's error: an operation's name within it is the upstream's own matter.
func plainError(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// retryAfter is how long the upstream wants to be left alone, at most an hour; zero when it does not say.
func (a answer) retryAfter() time.Duration {
	text := a.header.Get("Retry-After")
	wait := time.Duration(0)
	if n, err := strconv.Atoi(text); err == nil {
		wait = time.Duration(min(n, 3600)) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = time.Until(at)
	}
	return max(0, min(wait, time.Hour))
}

// object reads the body as a JSON object into v; false when it is none or has a field of another type.
func (a answer) object(v any) bool {
	b := bytes.TrimSpace(a.body)
	return !a.broken && len(b) > 0 && b[0] == '{' && json.Unmarshal(b, v) == nil
}

// code is the protocol's word for what went wrong, "" when there is none.
func (a answer) code() string {
	var v struct{ Error string }
	a.object(&v)
	return v.Error
}

// longestText is how much of an upstream's own text is repeated, in characters.
const longestText = 300

// says gives the upstream's own description in a form that may be shown: short, one line, and without what must not be repeated.
func (a answer) says(t item) string {
	var v struct{ Description string }
	if !a.object(&v) || v.Description == "" {
		return ""
	}
	return " It says: " + repeatable(v.Description, t.secrets)
}

func repeatable(text string, secrets []string) string {
	for _, s := range secrets {
		if len(s) >= 3 {
			text = strings.ReplaceAll(text, s, "***")
		}
	}
	r := []rune(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text))
	if len(r) > longestText {
		r = append(r[:longestText], '…')
	}
	return string(r)
}

// platform is the name that we have in the protocol.
const platform = "sutler"
