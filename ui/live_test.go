package ui_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tallygate/ui"
	"tallygate/ui/internal/fake"
)

// listen opens the stream of a page and returns its lines.
func (s *site) listen(path string) *bufio.Scanner {
	s.t.Helper()
	answer := s.get(path)
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "text/event-stream" {
		s.t.Fatalf("%s: %s %s", path, answer.Status, answer.Header.Get("Content-Type"))
	}
	lines := bufio.NewScanner(answer.Body)
	// The first comment is written after the subscription was made.
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), ":") {
		s.t.Fatalf("the stream begins with %q", lines.Text())
	}
	return lines
}

// next returns the data of the next event.
func next(t *testing.T, lines *bufio.Scanner) (name, data string) {
	t.Helper()
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "event: "):
			name = line[len("event: "):]
		case strings.HasPrefix(line, "data: "):
			data += line[len("data: "):]
		case line == "" && name != "":
			return name, data
		}
	}
	return "", ""
}

func TestArrivingEventsAreFinishedRows(t *testing.T) {
	live := &fake.Live{}
	s := open(t, func(o *ui.Options) { o.Live = live }).as(fake.OperatorToken)
	lines := s.listen("/live")
	event := fake.SampleEvent(0)
	event.Path = "/<script>\r\ndata: x\n\n"
	live.Send(event)
	name, row := next(t, lines)
	if name != "latest" || !strings.HasPrefix(row, `<tr id="event-0199-0000"`) || strings.Count(row, "<tr") != 1 || strings.Contains(row, "<script") {
		t.Errorf("%s: %s", name, row)
	}
	if !strings.Contains(row, `href="/packages/acme/docker/server"`) {
		t.Errorf("no link to the package: %s", row)
	}
	live.Close()
	if name, _ := next(t, lines); name != "" {
		t.Errorf("%s after the node has shut down", name)
	}
}

func TestAPageGetsItsOwnEventsOnly(t *testing.T) {
	for _, c := range []struct {
		name, path, token string
		want              string // id of the first event that comes
	}{
		{"an operator gets all", "/live", fake.OperatorToken, "0"},
		{"a member theirs", "/live", fake.MemberToken, "1"},
		{"an operator may look at one owner", "/live?owner=acme", fake.OperatorToken, "1"},
		{"a package's page gets the package's", "/live?in=p-server", fake.OperatorToken, "2"},
		{"a filter holds", "/live?country=US", fake.OperatorToken, "3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			live := &fake.Live{}
			s := open(t, func(o *ui.Options) { o.Live = live }).as(c.token)
			lines := s.listen(c.path)
			for i, kind := range []int{8, 4, 0, 2} { // orbit's, acme's in Singapore, the server, in the US
				event := fake.SampleEvent(kind)
				event.ID = string(rune('0' + i))
				live.Send(event)
			}
			if _, row := next(t, lines); !strings.HasPrefix(row, `<tr id="event-`+c.want+`"`) {
				t.Errorf("first comes %s", row)
			}
		})
	}
}

// stream is a response that stays open.
type stream struct {
	header http.Header
	mu     sync.Mutex // guards text
	text   strings.Builder
}

func (s *stream) Header() http.Header { return s.header }
func (s *stream) WriteHeader(int)     {}
func (s *stream) Flush()              {}
func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *stream) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func TestAStreamEndsWithItsSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := fake.Sample()
		secret, _, err := opts.Access.RedeemToken(t.Context(), fake.OperatorToken, "")
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/live", nil)
		r.AddCookie(&http.Cookie{Name: "tallygate", Value: secret})
		out := &stream{header: http.Header{}}
		ended := make(chan bool)
		go func() {
			ui.New(opts).ServeHTTP(out, r)
			close(ended)
		}()
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if got := strings.Count(out.String(), "still here"); got != 2 {
			t.Errorf("%d heartbeats in half a minute: %q", got, out)
		}
		if n := opts.Live.(*fake.Live).Subscribers(); n != 1 {
			t.Errorf("%d subscribers", n)
		}
		if err := opts.Access.SignOut(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
		<-ended
		if !strings.Contains(out.String(), "event: end") {
			t.Errorf("the browser isn't told: %q", out)
		}
		if n := opts.Live.(*fake.Live).Subscribers(); n != 0 {
			t.Errorf("%d subscribers are left", n)
		}
	})
}

func TestAStreamEndsWithItsBrowser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := fake.Sample()
		secret, _, err := opts.Access.RedeemToken(t.Context(), fake.OperatorToken, "")
		if err != nil {
			t.Fatal(err)
		}
		ctx, leave := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/live", nil)
		r.AddCookie(&http.Cookie{Name: "tallygate", Value: secret})
		ended := make(chan bool)
		go func() {
			ui.New(opts).ServeHTTP(&stream{header: http.Header{}}, r)
			close(ended)
		}()
		synctest.Wait()
		leave()
		<-ended
		if n := opts.Live.(*fake.Live).Subscribers(); n != 0 {
			t.Errorf("%d subscribers are left", n)
		}
	})
}

func TestASlowPanelGivesUpAfterHalfAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := fake.Sample()
		opts.Logger = quiet
		slow(&opts)
		secret, _, err := opts.Access.RedeemToken(t.Context(), fake.OperatorToken, "")
		if err != nil {
			t.Fatal(err)
		}
		handler := ui.New(opts)
		for _, path := range []string{"/panel/cards", "/panel/series", "/panel/top/client", "/panel/latest"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
			r.AddCookie(&http.Cookie{Name: "tallygate", Value: secret})
			w := httptest.NewRecorder()
			start := time.Now()
			handler.ServeHTTP(w, r)
			if took := time.Since(start); took != 30*time.Second {
				t.Errorf("%s took %s", path, took)
			}
			d := parsed(t, w.Result())
			if section := d.all("section")[0]; strings.Contains(attr(section, "hx-trigger"), "load") || !d.says("Try again") {
				t.Errorf("%s asks again by itself: %s", path, textOf(section))
			}
		}
	})
}
