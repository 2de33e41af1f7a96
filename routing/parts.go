package routing

import (
	"net/http"
	"strings"

	"tallygate/routing/table"
)

// images hands a request to the container part.
func (g *Gateway) images(rq *request, host *table.Host) {
	rq.kind = kindImage
	if g.opts.Containers == nil || strings.HasPrefix(rq.path, "/v2/_catalog") {
		// Listing every repository is nobody's business.
		g.notFound(rq)
		return
	}
	g.part(rq, func(v *visit, w http.ResponseWriter) {
		g.opts.Containers.ServeHTTP(w, v.r, host, v.note)
	})
}

// index hands a request to the Python part.
func (g *Gateway) index(rq *request, host *table.Host) {
	rq.kind = kindPython
	g.part(rq, func(v *visit, w http.ResponseWriter) {
		g.opts.Python.ServeHTTP(w, v.r, host, v.note)
	})
}

// servesBase answers on the base domain.
func (g *Gateway) servesBase(rq *request) {
	if g.opts.Base == nil {
		g.notFound(rq)
		return
	}
	rq.kind = kindBase
	g.part(rq, func(v *visit, w http.ResponseWriter) {
		g.opts.Base.ServeHTTP(w, v.r)
	})
}

// part lets serve answer and remembers the status. serve gets a visit of its own:
// a part that kept its note for later would else record one client's request as
// another's.
func (g *Gateway) part(rq *request, serve func(v *visit, w http.ResponseWriter)) {
	w := &statusWriter{ResponseWriter: rq.w}
	defer func() {
		rq.status = w.status
		if rq.status == 0 {
			rq.status = http.StatusOK
		}
	}()
	v := rq.visit
	serve(&v, w)
}

// statusWriter remembers the status of an answer. [http.ResponseController]
// reaches the writer beneath through Unwrap.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *statusWriter) WriteHeader(status int) {
	// 1xx are news on the way, not the answer.
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Flush sends what is buffered; streaming parts ask for it by type.
func (w *statusWriter) Flush() {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	_ = http.NewResponseController(w.ResponseWriter).Flush() // errors are the client's hanging up
}
