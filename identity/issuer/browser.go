package issuer

import (
	"context"
	"crypto/rand"
	"net/http"
)

type browserKey struct{}

// browserOf gives the hash of the cookie of the browser that asks.
func browserOf(ctx context.Context) string {
	b, _ := ctx.Value(browserKey{}).(string)
	return b
}

func (i *Issuer) cookieName() string {
	if i.secure {
		return "__Host-sutler-oidc"
	}
	return "sutler-oidc"
}

// binding gives a browser its cookie before next keeps the request. Without it, somebody could have another person finish a sign-in that they
// began themselves, and fetch the code.
func (i *Issuer) binding(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		value := i.cookie(r)
		if value == "" {
			value = rand.Text() + rand.Text()
			http.SetCookie(w, &http.Cookie{
				Name: i.cookieName(), Value: value, Path: "/", MaxAge: int((2 * requestLife).Seconds()),
				HttpOnly: true, Secure: i.secure, SameSite: http.SameSiteLaxMode,
			})
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), browserKey{}, digest(value))))
	})
}

// bound tells next which browser asks; one without a cookie began nothing.
func (i *Issuer) bound(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), browserKey{}, digest(i.cookie(r)))))
	})
}

func (i *Issuer) cookie(r *http.Request) string {
	c, err := r.Cookie(i.cookieName())
	if err != nil || len(c.Value) != 2*len(rand.Text()) {
		return ""
	}
	return c.Value
}
