package ui

import "net/http"

// New returns the handler of the admin UI, for every path that isn't the API's.
func New(opts Options) http.Handler {
	return http.NotFoundHandler()
}
