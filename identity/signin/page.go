package signin

import (
	"embed"
	"html/template"
	"net/http"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
)

//go:embed page.html
var files embed.FS

var page = template.Must(template.ParseFS(files, "page.html"))

type view struct {
	Text, Hint, ErrorID, ReturnTo string
	Issuers                       []Issuer
}

// statuses are those that differ from 400.
var statuses = map[fault.Kind]int{
	fault.Unauthenticated: http.StatusUnauthorized, fault.Forbidden: http.StatusForbidden, fault.Conflict: http.StatusConflict,
	fault.Unavailable: http.StatusServiceUnavailable, fault.Internal: http.StatusInternalServerError,
}

// choose lists the issuers.
func (s *SignIn) choose(w http.ResponseWriter, r *http.Request, returnTo string) {
	s.show(w, r, http.StatusOK, view{ReturnTo: returnTo, Issuers: s.Issuers})
}

// refuse says what went wrong, without a word of what lies behind it.
func (s *SignIn) refuse(w http.ResponseWriter, r *http.Request, err error) {
	f := fault.Of(err)
	status, ok := statuses[f.Kind]
	if !ok {
		status = http.StatusBadRequest
	}
	v := view{Text: f.Text, Hint: f.Hint}
	if cause := f.Unwrap(); cause != nil {
		v.ErrorID = ids.New("err")
		s.Log.WarnContext(r.Context(), "sign-in", "error_id", v.ErrorID, "kind", f.Kind, "text", f.Text, "cause", cause)
	}
	s.show(w, r, status, v)
}

func (s *SignIn) show(w http.ResponseWriter, r *http.Request, status int, v view) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := page.Execute(w, v); err != nil {
		s.Log.WarnContext(r.Context(), "sign-in page", "error", err)
	}
}
