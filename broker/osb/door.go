package osb

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
)

const (
	versionHeader = "X-Broker-API-Version"
	requestHeader = "X-Broker-API-Request-Identity"
	claimHeader   = "X-Broker-API-Originating-Identity"
)

// served is every version that we serve: minor ones only add.
var served = regexp.MustCompile(`^2\.([0-9]{1,4})$`)

// door stands before brokerapi: who asks (401), in which version (412), how well the request is formed (400, 413); then it lets the library
// work on a clean request and makes its answer lawful.
type door struct {
	Config
	inner  http.Handler
	limit  *limit
	prints prints
}

// Router is brokerapi's router, whose routes the permission tests walk.
func (d *door) Router() http.Handler { return d.inner }

// ServeHTTP answers one request of a platform.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if id := r.Header.Get(requestHeader); id != "" && legal(id) {
		w.Header().Set(requestHeader, id)
	}
	b := &box{header: http.Header{}}
	clean, err := d.enter(w, r, b)
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	if r.Method == http.MethodGet && clean.URL.Path == "/v2/catalog" {
		d.catalog(w, clean, b)
		return
	}
	inner := httptest.NewRecorder() // answers are small: they are held back until they are whole
	d.inner.ServeHTTP(inner, clean)
	answer := b.merge(inner.Body.Bytes())
	switch {
	case inner.Code == http.StatusNotFound && !isJSON(inner):
		d.refuse(w, r, fault.NotFound.Errorf("There is no such endpoint in this API."))
		return
	case inner.Code == http.StatusMethodNotAllowed && !isJSON(inner):
		answer = encode(failure{Description: "This endpoint does not know the method " + r.Method + "."})
	}
	for name, values := range b.header {
		w.Header()[name] = values
	}
	send(w, inner.Code, answer)
}

// enter checks a request in the order that the protocol wants and gives the one that brokerapi gets.
func (d *door) enter(w http.ResponseWriter, r *http.Request, b *box) (*http.Request, error) {
	var err error
	if b.who, err = d.authenticate(w, r); err != nil {
		return nil, err
	}
	identity.Tell(r.Context(), b.who)
	version := served.FindStringSubmatch(r.Header.Get(versionHeader))
	if version == nil {
		return nil, versionFault(r.Header.Get(versionHeader))
	}
	b.minor, _ = strconv.Atoi(version[1]) // digits alone
	if err := legalRequest(r); err != nil {
		return nil, err
	}
	if b.platform, b.who.Claimed, err = claimed(r.Header.Get(claimHeader)); err != nil {
		return nil, err
	}
	clean := r.Clone(withBox(r.Context(), b))
	clean.Header.Set(versionHeader, "2.17") // the library leaves endpoints out for older ones
	clean.Header.Set("Content-Type", "application/json")
	if err := cleanPath(clean); err != nil {
		return nil, err
	}
	if err := cleanQuery(clean); err != nil {
		return nil, err
	}
	if err := cleanBody(clean, b); err != nil {
		return nil, err
	}
	if err := b.sameClaim(); err != nil {
		return nil, err
	}
	if b.who, err = d.within(r.Context(), b.who, clean); err != nil {
		return nil, err
	}
	return clean, d.complete(clean, b)
}

func versionFault(v string) error {
	text := "The header " + versionHeader + " must name a version 2.x."
	if v == "" {
		text = "The header " + versionHeader + " is missing."
	}
	return fault.Invalid.Errorf("%s", text).WithCode(versionCode)
}

func isJSON(r *httptest.ResponseRecorder) bool {
	return strings.HasPrefix(r.Header().Get("Content-Type"), "application/json")
}

func send(w http.ResponseWriter, status int, answer []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(answer) // a client that has gone is no matter of ours
}
