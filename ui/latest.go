package ui

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"time"

	"tallygate/analytics/report"
	"tallygate/cluster/catalog"
)

// latest is the list of the newest events.
type latest struct {
	frame
	Live   string // address of the stream; empty: the list stands still
	Limit  int
	Inside bool // the page is a package's: no column for it
	Rows   []eventRow
	Unseen bool // a filter is about something that the stream doesn't tell
}

type eventRow struct {
	report.Latest
	Href   string // of the package's page; empty: it is gone, or not theirs to see
	Inside bool
}

// latestLimit is the length of the list.
const latestLimit = 25

func (s *server) latest(ctx context.Context, st state) *latest {
	p := &latest{
		frame:  frame{ID: "latest", URL: st.at("/panel/latest")},
		Limit:  latestLimit,
		Inside: st.pkg != nil,
	}
	if s.opts.Live != nil && st.period.current(st.now) {
		if streamable(st.filters) {
			p.Live = st.at("/live")
		} else {
			p.Unseen = true
		}
	}
	rows, err := s.opts.Reports.Latest(ctx, st.query(), latestLimit)
	s.settle(ctx, &p.frame, err)
	cat := s.opts.Catalog()
	for _, e := range rows {
		p.Rows = append(p.Rows, newEventRow(cat, st, e))
	}
	return p
}

func newEventRow(cat Catalog, st state, e report.Latest) eventRow {
	row := eventRow{Latest: e, Inside: st.pkg != nil}
	if p := cat.Package(e.PackageID); p != nil && maySee(st.user, p) {
		row.Href = packagePath(p)
	}
	return row
}

func (s *server) latestPanel(w http.ResponseWriter, r *http.Request, user *catalog.User) error {
	st, err := s.panelState(r.URL.Query(), user)
	if err != nil {
		return err
	}
	return s.alone(w, r, "_latest.gohtml", func(ctx context.Context) (any, *frame) {
		p := s.latest(ctx, st)
		return p, &p.frame
	})
}

const (
	// heartbeat keeps proxies from closing a quiet stream, and bounds how long a
	// stream outlives its session.
	heartbeat = 15 * time.Second

	// sendLimit is how long a browser may take to read one event.
	sendLimit = 10 * time.Second
)

// live streams arriving events as server-sent events (HTML Standard, section
// 9.2), each a table row.
func (s *server) live(w http.ResponseWriter, r *http.Request, user *catalog.User) error {
	st, err := s.panelState(r.URL.Query(), user)
	if err != nil {
		return err
	}
	arriving, cancel := s.opts.Live.Subscribe()
	defer cancel()

	out := http.NewResponseController(w)
	send := func(text string) bool {
		// Unsupported by a test's recorder; then there is no limit.
		_ = out.SetWriteDeadline(time.Now().Add(sendLimit))
		_, err := w.Write([]byte(text))
		if err == nil {
			err = out.Flush()
		}
		// HTTP/2 ends a stream when its deadline passes, written to or not.
		_ = out.SetWriteDeadline(time.Time{})
		return err == nil
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	if !send(": here come events\n\n") {
		return nil
	}

	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-r.Context().Done():
			return nil
		case <-beat.C:
			if _, ok := s.user(r); !ok {
				send("event: end\ndata: signed out\n\n")
				return nil
			}
			if !send(": still here\n\n") {
				return nil
			}
		case e, open := <-arriving:
			if !open {
				return nil // the node shuts down; the browser tries again
			}
			if !st.arrives(&e) {
				continue
			}
			row, err := s.templates.execute("_event.gohtml", newEventRow(s.opts.Catalog(), st, e))
			if err != nil {
				s.log.Error("event row failed", "err", err)
				continue
			}
			if !send("event: latest\n" + data(row)) {
				return nil
			}
		}
	}
}

// arrives says whether an event belongs on the page.
func (st state) arrives(e *report.Latest) bool {
	if st.owner != "" && e.Owner != st.owner || st.pkg != nil && e.PackageID != st.pkg.ID {
		return false
	}
	return matches(st.filters, e)
}

// data writes the data lines of a server-sent event.
func data(b *bytes.Buffer) string {
	var out strings.Builder
	// A lone carriage return ends a line, too.
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(b.String())
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out.WriteString("data: " + line + "\n")
		}
	}
	return out.String() + "\n"
}
