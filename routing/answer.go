package routing

import (
	"net/http"
	"strconv"

	"tallygate/routing/collect"
)

// reply sends a header without a body.
func (rq *visit) reply(status int) {
	rq.status = status
	rq.w.WriteHeader(status)
}

// text answers in plain text. message is ours, never a stranger's words.
func (rq *visit) text(status int, message string) {
	h := rq.w.Header()
	h["Content-Type"] = plainText
	h["X-Content-Type-Options"] = noSniff
	h["Cache-Control"] = noStore
	h["Content-Length"] = []string{strconv.Itoa(len(message) + 1)}
	rq.reply(status)
	if rq.r.Method != http.MethodHead {
		_, _ = rq.w.Write([]byte(message + "\n")) // the client is gone if this fails
	}
}

// notAllowed refuses a method, naming those that a resource takes.
func (rq *visit) notAllowed(allow string) {
	rq.w.Header()["Allow"] = []string{allow}
	rq.text(http.StatusMethodNotAllowed, "This address takes "+allow+" only.")
}

// retryAfter is how long clients are asked to wait when events can't be stored,
// in seconds: about what a full spool needs to make room.
var retryAfter = []string{"5"}

// unavailable tells the client to come again.
func (rq *visit) unavailable(message string) {
	rq.w.Header()["Retry-After"] = retryAfter
	rq.text(http.StatusServiceUnavailable, message)
}

// answer sends what became of collected events.
func (rq *visit) answer(status int, a *collect.Answer) {
	rq.status = status
	a.Write(rq.w, status)
}

// The registry's error bodies, OCI distribution spec section "Error Codes".
const (
	noRepository = `{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}` + "\n"
	noRegistry   = `{"errors":[{"code":"NAME_UNKNOWN","message":"no images are served on this host: add it as a domain to a docker package, and check its spelling"}]}` + "\n"
)

// notFound answers for a path that nobody serves on a host of ours.
func (g *Gateway) notFound(rq *request) {
	g.metrics.unmatched[kindNone].Inc()
	if isRegistry(rq.path) {
		rq.registryError(noRepository)
		return
	}
	rq.text(http.StatusNotFound, "Nothing is published at this address. "+
		"Check the path's spelling; its owner can see which rules it meets with: tallygate explain URL")
}

// unknownHost answers for a host that is not ours.
func (g *Gateway) unknownHost(rq *request) {
	rq.kind = kindHost
	g.metrics.unmatched[kindHost].Inc()
	if isRegistry(rq.path) {
		rq.registryError(noRegistry)
		return
	}
	rq.text(http.StatusNotFound, "Nothing is served on this host. "+
		"If it is yours, add it as a domain to a package, pixel or collection and verify it; "+
		"if not, check its spelling.")
}

// registryError answers 404 in the words of a registry.
func (rq *visit) registryError(body string) {
	h := rq.w.Header()
	h["Content-Type"] = []string{"application/json"}
	h["Docker-Distribution-Api-Version"] = []string{"registry/2.0"}
	h["X-Content-Type-Options"] = noSniff
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	rq.reply(http.StatusNotFound)
	if rq.r.Method != http.MethodHead {
		_, _ = rq.w.Write([]byte(body)) // the client is gone if this fails
	}
}
