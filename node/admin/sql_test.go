package admin

import (
	"context"
	"net/http"
	"testing"

	"tallygate/analytics/sql"
	"tallygate/analytics/store"
)

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
