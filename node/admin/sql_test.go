package admin

import (
	"context"
	database "database/sql"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"tallygate/analytics/sql"
	"tallygate/analytics/store"
)

// closed is a store whose file can't be opened.
type closed struct{}

func (closed) Conn(context.Context) (*database.Conn, error) {
	return nil, fmt.Errorf("%w: the file is damaged", store.ErrUnavailable)
}

func TestSQLOfADamagedStoreSaysWhatIsWrong(t *testing.T) {
	f := newFixture(t)
	f.api.opts.SQL = sql.New(sql.Options{Source: closed{}})
	answer := f.do(f.api.Local(), "POST", "/v1/sql", `{"query":"from events"}`)
	if answer.Code != http.StatusServiceUnavailable || !strings.Contains(answer.Body.String(), "damaged") {
		t.Errorf("status %d: %s", answer.Code, answer.Body)
	}
}

func TestASQLAnswerThatWasCutSaysSoInItsTrailer(t *testing.T) {
	f := newFixture(t)
	rows, err := store.Open(store.Options{Dir: t.TempDir(), MemoryLimit: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rows.Close(context.Background()) }) //nolint:errcheck // the test is over
	f.api.opts.SQL = sql.New(sql.Options{Source: rows, Dir: rows.ExportDir(), MaxRows: 3})
	tests := map[string]struct{ query, want string }{
		"a whole result":    {"from range(3)", ""},
		"a result cut at 3": {"from range(4)", "3"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			answer := f.do(f.api.Local(), "POST", "/v1/sql", `{"query":"`+tt.query+`","format":"csv"}`).Result()
			if got := answer.Trailer.Get(TruncatedTrailer); got != tt.want || answer.StatusCode != http.StatusOK {
				t.Errorf("status %d, trailer %q, want %q", answer.StatusCode, got, tt.want)
			}
		})
	}
}
