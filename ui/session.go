package ui

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"tallygate/cluster/catalog"
)

// cookieName returns the name of the session's cookie. Over TLS it carries the
// prefix that keeps other hosts and plain HTTP from setting it (RFC 6265bis,
// section 4.1.3.2).
func cookieName(r *http.Request) string {
	if r.TLS != nil {
		return "__Host-tallygate"
	}
	return "tallygate"
}

// session returns the secret of the request's session, or "".
func session(r *http.Request) string {
	c, err := r.Cookie(cookieName(r))
	if err != nil {
		return ""
	}
	return c.Value
}

// SessionSecret returns the secret of the request's session, or "", for what else
// listens beside the pages.
func SessionSecret(r *http.Request) string { return session(r) }

// user returns who is signed in.
func (s *server) user(r *http.Request) (*catalog.User, bool) {
	secret := session(r)
	if secret == "" {
		return nil, false
	}
	return s.opts.Access.Authenticate(secret)
}

func setSession(w http.ResponseWriter, r *http.Request, secret string, expires time.Time) {
	http.SetCookie(w, &http.Cookie{
		Name:     cookieName(r),
		Value:    secret,
		Path:     "/",
		Expires:  expires,
		HttpOnly: true,
		Secure:   r.TLS != nil,
		SameSite: http.SameSiteLaxMode,
	})
}

func clearSession(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{
		Name:     cookieName(r),
		Path:     "/",
		MaxAge:   -1,
		HttpOnly: true,
		Secure:   r.TLS != nil,
		SameSite: http.SameSiteLaxMode,
	})
}

// askToSignIn sends a browser to the sign-in page and back afterwards. htmx gets
// the redirect as a header: it would put the sign-in page into the panel
// otherwise.
func (s *server) askToSignIn(w http.ResponseWriter, r *http.Request) {
	back := r.URL.RequestURI()
	switch {
	case r.Header.Get("HX-Request") != "":
		if current, err := url.Parse(r.Header.Get("HX-Current-URL")); err == nil {
			back = current.RequestURI()
		}
		w.Header().Set("HX-Redirect", signInURL(back))
		w.WriteHeader(http.StatusUnauthorized)
	case r.URL.Path == "/live":
		http.Error(w, "not signed in", http.StatusUnauthorized)
	default:
		http.Redirect(w, r, signInURL(back), http.StatusSeeOther)
	}
}

func signInURL(back string) string {
	if back = local(back); back == "/" {
		return "/sign-in"
	}
	return "/sign-in?next=" + url.QueryEscape(back)
}

// local returns a path of this site to go to, or "/" for anything that could
// lead elsewhere: browsers read "//host" and "/\host" as another site.
func local(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil ||
		!strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}
