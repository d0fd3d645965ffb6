package signin

import (
	"cmp"
	"net/http"
)

// login sends the browser to the one issuer, or to the one chosen, or lets it choose.
func (s *SignIn) login(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	returnTo := local(cmp.Or(q.Get("return_to"), q.Get("next")))
	id := q.Get("issuer")
	if id == "" && len(s.Issuers) > 1 {
		s.choose(w, r, returnTo)
		return
	}
	if id == "" {
		id = s.Issuers[0].ID
	}
	p, ok := s.parties[id]
	if !ok {
		s.choose(w, r, returnTo)
		return
	}
	f, err := s.begin(w, r, id, returnTo)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	to, err := p.address(r.Context(), f)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
