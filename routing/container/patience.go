package container

import (
	"net/http"
	"time"
)

// writeTimeout bounds the time for a client to take what it is sent at once: a
// chunk of a blob, a manifest or a list.
const writeTimeout = 60 * time.Second

// patience writes to a client with a deadline for each write, so that one that
// takes nothing holds no connection to a registry, and no memory.
type patience struct {
	w          http.ResponseWriter
	controller *http.ResponseController
	bounded    bool // until the writer turns out to have no deadlines
}

func newPatience(w http.ResponseWriter) *patience {
	return &patience{w, http.NewResponseController(w), true}
}

// Write writes once.
func (c *patience) Write(b []byte) (int, error) {
	c.bounded = c.bounded && c.controller.SetWriteDeadline(time.Now().Add(writeTimeout)) == nil
	return c.w.Write(b)
}

// end lifts the deadline: the next request's is the server's own.
func (c *patience) end() {
	if c.bounded {
		_ = c.controller.SetWriteDeadline(time.Time{})
	}
}

// writeWhole answers with a body that is there as a whole. Whether the client takes
// it is the client's business.
func (p *pull) writeWhole(body []byte) {
	p.w.WriteHeader(http.StatusOK)
	client := newPatience(p.w)
	defer client.end()
	_, _ = client.Write(body)
}
