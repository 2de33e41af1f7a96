package ui

import (
	"errors"
	"net/http"
	"strings"
	"time"
)

// maxForm bounds the body of every form, in bytes.
const maxForm = 16 << 10

type signInPage struct {
	chrome
	Next    string
	Refused bool
}

func (s *server) signInPage(w http.ResponseWriter, r *http.Request) error {
	next := local(r.FormValue("next"))
	if _, ok := s.user(r); ok {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	}
	return s.render(w, r, http.StatusOK, "sign-in.gohtml", signInPage{
		chrome: s.chrome(r, nil, "Sign in", ""),
		Next:   next,
	})
}

func (s *server) signIn(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	token := strings.TrimSpace(r.PostFormValue("token"))
	next := local(r.PostFormValue("next"))
	err := ErrRefused
	var secret string
	var expires time.Time
	if token != "" {
		secret, expires, err = s.opts.Access.RedeemToken(r.Context(), token, r.UserAgent())
	}
	switch {
	case errors.Is(err, ErrRefused):
		return s.render(w, r, http.StatusForbidden, "sign-in.gohtml", signInPage{
			chrome:  s.chrome(r, nil, "Sign in", ""),
			Next:    next,
			Refused: true,
		})
	case err != nil:
		return unavailable(err)
	}
	setSession(w, r, secret, expires)
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

type signInLinkPage struct {
	chrome
	Secret  string
	Refused bool
}

// signInLinkPage shows a button instead of signing in: chat programs and mail
// scanners fetch links to preview them, and would use the link up.
func (s *server) signInLinkPage(w http.ResponseWriter, r *http.Request) error {
	secret := r.URL.Query().Get("secret")
	return s.render(w, r, http.StatusOK, "sign-in-link.gohtml", signInLinkPage{
		chrome:  s.chrome(r, nil, "Sign in", ""),
		Secret:  secret,
		Refused: secret == "",
	})
}

func (s *server) signInLink(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	secret, expires, err := s.opts.Access.Redeem(r.Context(), r.PostFormValue("secret"), r.UserAgent())
	switch {
	case errors.Is(err, ErrRefused):
		return s.render(w, r, http.StatusForbidden, "sign-in-link.gohtml", signInLinkPage{
			chrome:  s.chrome(r, nil, "Sign in", ""),
			Refused: true,
		})
	case err != nil:
		return unavailable(err)
	}
	setSession(w, r, secret, expires)
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

func (s *server) signOut(w http.ResponseWriter, r *http.Request) error {
	// The cookie goes first: the browser is signed out even if the cluster can't
	// record it now.
	clearSession(w, r)
	if secret := session(r); secret != "" {
		if err := s.opts.Access.SignOut(r.Context(), secret); err != nil {
			return unavailable(err)
		}
	}
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
	return nil
}

// unavailable is the answer when the cluster can't record a change of sessions.
func unavailable(err error) error {
	return &httpError{
		Status: http.StatusServiceUnavailable,
		Title:  "The cluster can't be changed right now",
		Detail: "It has no leader that this node can reach. Downloads go on. Try again in a moment.",
		err:    err,
	}
}

// setTheme remembers the colour scheme, for browsers without script.
func (s *server) setTheme(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	theme := r.PostFormValue("theme")
	if theme != "dark" && theme != "light" {
		return &httpError{Status: http.StatusBadRequest, Title: "Themes are dark and light"}
	}
	http.SetCookie(w, &http.Cookie{
		Name:     "theme",
		Value:    theme,
		Path:     "/",
		MaxAge:   365 * 24 * 60 * 60,
		Secure:   r.TLS != nil,
		SameSite: http.SameSiteLaxMode,
	})
	http.Redirect(w, r, local(r.PostFormValue("next")), http.StatusSeeOther)
	return nil
}
