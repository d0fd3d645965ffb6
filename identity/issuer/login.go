package issuer

import (
	"context"
	"embed"
	"errors"
	"html/template"
	"net"
	"net/http"
	"net/url"

	"github.com/zitadel/oidc/v3/pkg/oidc"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
)

//go:embed login.html login.css
var files embed.FS

var page = template.Must(template.ParseFS(files, "login.html"))

// login is what the login page shows.
type login struct {
	ID, Email, Error, For string
	Over                  bool // there is nothing to sign in for any more
}

func serveStyle(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=3600")
	http.ServeFileFS(w, r, files, "login.css")
}

func (i *Issuer) showLogin(w http.ResponseWriter, r *http.Request) {
	req, err := i.storage.requestOf(r.Context(), r.URL.Query().Get("id"))
	if err != nil {
		i.show(w, r, unless(err, http.StatusBadRequest), nil, login{Over: true, Error: said(err)})
		return
	}
	i.show(w, r, http.StatusOK, req, login{})
}

// takeLogin checks email and password and, when they are right, lets the request go on.
func (i *Issuer) takeLogin(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		i.show(w, r, http.StatusBadRequest, nil, login{Over: true, Error: "The form could not be read. Start again."})
		return
	}
	req, err := i.storage.requestOf(r.Context(), r.PostForm.Get("id"))
	if err != nil {
		i.show(w, r, unless(err, http.StatusBadRequest), nil, login{Over: true, Error: said(err)})
		return
	}
	email := r.PostForm.Get("email")
	if !i.limit.allow(addressOf(r), email) {
		w.Header().Set("Retry-After", "60")
		i.show(w, r, http.StatusTooManyRequests, req, login{Email: email, Error: "Too many attempts. Wait a minute."})
		return
	}
	human, err := i.directory.CheckPassword(r.Context(), email, r.PostForm.Get("password"))
	if err == nil {
		i.limit.succeeded(addressOf(r), email)
		err = i.finish(r.Context(), req, human.ID)
	}
	if err != nil {
		i.refuse(w, r, req, email, err)
		return
	}
	i.policy(w, req)
	http.Redirect(w, r, Path+"/authorize/callback?id="+url.QueryEscape(req.id), http.StatusSeeOther)
}

func (i *Issuer) finish(ctx context.Context, req *request, human string) error {
	return i.storage.db.Tx(ctx, func(ctx context.Context) error {
		done, err := i.storage.rows.signIn(ctx, req.Hash, human, i.clock.Now().UnixMicro())
		if err == nil && !done {
			err = fault.Gone.Errorf("This sign-in is over. Start again.")
		}
		return err
	})
}

func (i *Issuer) refuse(w http.ResponseWriter, r *http.Request, req *request, email string, err error) {
	f := fault.Of(err)
	status, text := unless(err, http.StatusUnauthorized), f.Text
	if f.Kind == fault.Internal {
		id := ids.New("err")
		i.log.ErrorContext(r.Context(), "sign-in", "error_id", id, "error", err)
		status, text = http.StatusInternalServerError, "Something went wrong on our side. Tell the operator the error id "+id+"."
	}
	i.show(w, r, status, req, login{Email: email, Error: text})
}

// unless gives the status, or 503 for what cannot be told now.
func unless(err error, status int) int {
	if fault.KindOf(err) == fault.Unavailable {
		return http.StatusServiceUnavailable
	}
	return status
}

func (i *Issuer) show(w http.ResponseWriter, r *http.Request, status int, req *request, l login) {
	if req != nil {
		l.ID, l.For = req.id, "the marketplace"
		if req.Client == CLIClient {
			l.For = "the command line"
		}
		i.policy(w, req)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := page.Execute(w, l); err != nil {
		i.log.WarnContext(r.Context(), "login page", "error", err)
	}
}

// policy lets the form's answer lead back to the client: browsers hold redirects after a form to form-action as well.
func (i *Issuer) policy(w http.ResponseWriter, req *request) {
	back, err := url.Parse(req.Redirect)
	if err != nil {
		return
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self' "+
		back.Scheme+"://"+back.Host+"; frame-ancestors 'none'; base-uri 'none'")
}

// addressOf is where a request came from.
func addressOf(r *http.Request) string {
	ip := identity.From(r.Context()).RemoteIP
	if ip == "" {
		ip, _, _ = net.SplitHostPort(r.RemoteAddr)
	}
	return ip
}

// said gives the text that an error of the storage has for people.
func said(err error) string {
	if e, ok := errors.AsType[*oidc.Error](err); ok {
		return e.Description
	}
	return "Something went wrong. Start again."
}
