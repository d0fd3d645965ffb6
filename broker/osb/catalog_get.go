package osb

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/sutlerhq/sutler/identity"
)

// prints keeps each platform's catalog as it was last written out: encoding a large one costs more than all the rest of a request.
type prints struct{ byPlatform sync.Map } // platform id -> print

type print struct {
	edition string // of the market, as the platform sees it
	tag     string
	at      time.Time // when this process wrote it, to the second
	body    []byte
}

// catalog is GET /v2/catalog: what the asking platform may buy, or 304 when it has that already.
func (d *door) catalog(w http.ResponseWriter, r *http.Request, b *box) {
	p, err := d.print(r, b.who)
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	w.Header().Set("ETag", p.tag)
	w.Header().Set("Last-Modified", p.at.UTC().Format(http.TimeFormat))
	w.Header().Set("Cache-Control", "private, no-cache")
	if p.had(r.Header) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	send(w, http.StatusOK, p.body)
}

func (d *door) print(r *http.Request, who identity.Principal) (print, error) {
	edition, err := d.Broker.Edition(r.Context(), who)
	if err != nil {
		return print{}, err
	}
	last := time.Time{}
	if had, ok := d.prints.byPlatform.Load(who.ID); ok {
		p := had.(print)
		if p.edition == edition {
			return p, nil
		}
		last = p.at
	}
	offers, err := d.Broker.Market(r.Context(), who)
	if err != nil {
		return print{}, err
	}
	services := make([]offered, 0, len(offers))
	for _, o := range offers {
		services = append(services, service(o))
	}
	body := encode(map[string]any{"services": services})
	sum := sha256.Sum256(body)
	now := time.Now().Truncate(time.Second)
	if !now.After(last) {
		now = last.Add(time.Second) // two editions within a second are told apart
	}
	p := print{edition, `"` + hex.EncodeToString(sum[:12]) + `"`, now, body}
	d.prints.byPlatform.Store(who.ID, p)
	return p, nil
}

// had tells whether the asking platform has this very print. A tag counts for more than an instant; the instant must be exactly the one that was
// given with it, for processes of one market learn of a change one after the other, and a later instant may belong to an older catalog.
func (p print) had(h http.Header) bool {
	if tags := h.Get("If-None-Match"); tags != "" {
		return matches(tags, p.tag)
	}
	since, err := http.ParseTime(h.Get("If-Modified-Since"))
	return err == nil && since.Equal(p.at)
}

// matches tells whether a list of tags, weak ones too, has this one.
func matches(list, tag string) bool {
	for t := range strings.SplitSeq(list, ",") {
		if t = strings.TrimSpace(t); t == "*" || strings.TrimPrefix(t, "W/") == tag {
			return true
		}
	}
	return false
}
