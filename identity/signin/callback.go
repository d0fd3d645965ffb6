package signin

import (
	"context"
	"net/http"

	"github.com/sutlerhq/sutler/internal/fault"
)

// callback is where an issuer sends the browser back to, with a code.
func (s *SignIn) callback(w http.ResponseWriter, r *http.Request) {
	f, row, err := s.spend(r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	human, err := s.identify(r, f, row)
	if err == nil {
		err = s.Sessions.Begin(r.Context(), human)
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	http.Redirect(w, r, local(row.ReturnTo), http.StatusSeeOther)
}

// identify answers which human came back.
func (s *SignIn) identify(r *http.Request, f flow, row flowRow) (string, error) {
	q, ctx := r.URL.Query(), r.Context()
	p, ok := s.parties[row.Issuer]
	if !ok {
		return "", fault.Invalid.Errorf("The issuer of this sign-in is not configured any more.").WithHint("Start again.")
	}
	if iss := q.Get("iss"); iss != "" && iss != p.URL { // RFC 9207: an answer of one issuer must not be taken for another's
		return "", fault.Unauthenticated.Errorf("The answer came from another issuer.").WithHint("Start again.")
	}
	if q.Get("error") != "" || q.Get("code") == "" {
		return "", fault.Unauthenticated.Errorf("The issuer %s did not let you in.", p.Name).WithHint("Start again.")
	}
	c, err := p.redeem(ctx, f, q.Get("code"))
	if err != nil {
		return "", err
	}
	return s.welcome(ctx, p, c)
}

func (s *SignIn) welcome(ctx context.Context, p *party, c claims) (string, error) {
	h, err := s.Directory.SignIn(ctx, p.ID, c.Subject, c.Email, c.Verified, c.Name)
	if err != nil {
		return "", err
	}
	return h.ID, nil
}
