package store

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tallygate/routing/event"
)

func pullOf(image string, origin byte, at time.Time) *event.Event {
	e := &event.Event{ID: event.NewID(at), Time: at, Type: event.ManifestFetch, PackageID: image, Countable: true, Status: 200}
	if origin != 0 {
		e.OriginID[15] = origin
	}
	return e
}

func TestPullsFoldByImageAndOriginWithinAMinute(t *testing.T) {
	base := time.Now().Truncate(time.Second)
	at := func(seconds int) time.Time { return base.Add(time.Duration(seconds) * time.Second) }
	uncountable := pullOf("img", 1, at(0))
	uncountable.Countable = false
	blob := pullOf("img", 1, at(0))
	blob.Type = event.BlobFetch
	tests := map[string]struct {
		events []*event.Event
		want   string // counted, by second
	}{
		"the first of a minute":               {[]*event.Event{pullOf("img", 1, at(0)), pullOf("img", 1, at(1)), pullOf("img", 1, at(60))}, "0"},
		"the first after the minute":          {[]*event.Event{pullOf("img", 1, at(0)), pullOf("img", 1, at(59)), pullOf("img", 1, at(61)), pullOf("img", 1, at(121))}, "0 61"},
		"another origin":                      {[]*event.Event{pullOf("img", 1, at(0)), pullOf("img", 2, at(1))}, "0 1"},
		"another image":                       {[]*event.Event{pullOf("img", 1, at(0)), pullOf("other", 1, at(1))}, "0 1"},
		"unknown origins each":                {[]*event.Event{pullOf("img", 0, at(0)), pullOf("img", 0, at(1))}, "0 1"},
		"what isn't countable covers nothing": {[]*event.Event{uncountable, pullOf("img", 1, at(1))}, "1"},
		"other types count by themselves":     {[]*event.Event{blob, pullOf("img", 1, at(1))}, "0 1"},
	}
	for name, test := range tests {
		for _, reversed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, reversed %v", name, reversed), func(t *testing.T) {
				s := open(t, Options{})
				events := slices.Clone(test.events)
				if reversed {
					slices.Reverse(events)
				}
				for i, e := range events {
					mustWrite(t, s, message(uint64(i+1), e))
				}
				got := query(t, s, `SELECT coalesce(string_agg((epoch(time) - ?)::INTEGER::VARCHAR, ' ' ORDER BY time), '') FROM events WHERE counted`, base.Unix())
				if got != test.want {
					t.Errorf("counted at %s, want %s", got, test.want)
				}
			})
		}
	}
}

// A robot that pulls every 30 s for two days has no gap: a row that comes late
// at its beginning moves every decision behind it.
func TestALateRowMovesDecisionsHoweverFarBehind(t *testing.T) {
	s := open(t, Options{})
	base := time.Now().Add(-72 * time.Hour).Truncate(time.Second)
	var events []*event.Event
	for i := range 2 * 24 * 120 {
		events = append(events, pullOf("img", 1, base.Add(time.Duration(i)*30*time.Second)))
	}
	mustWrite(t, s, message(1, events...))
	late := pullOf("img", 1, base.Add(-time.Second))
	events = append(events, late)
	mustWrite(t, s, message(2, late))
	compare(t, s, []Message{message(1, events[:len(events)-1]...), message(2, late)})
}

// failer is *testing.T and *rapid.T.
type failer interface {
	Helper()
	Errorf(string, ...any)
}

// compare holds the stored rows against the definition: sort, then count the
// first of each minute.
func compare(t failer, s *Store, messages []Message) {
	t.Helper()
	var rows []*Row
	winners := map[uniqueKey]*Row{}
	for _, m := range messages {
		for i, e := range m.Events {
			r := &Row{Event: e, order: order{micros(e.Time), m.Node, m.Incarnation, m.Sequence, int32(i)}}
			rows = append(rows, r)
			if e.UniqueID != "" {
				if w := winners[r.unique()]; w == nil || later(r.ID, r.order, w.ID, w.order) {
					winners[r.unique()] = r
				}
			}
		}
	}
	rows = slices.DeleteFunc(rows, func(r *Row) bool { return r.UniqueID != "" && winners[r.unique()] != r })
	slices.SortFunc(rows, func(a, b *Row) int { return a.order.compare(b.order) })
	covered := map[string]time.Time{}
	var want []string
	for _, r := range rows {
		counted := r.Countable
		if r.Type == event.ManifestFetch && r.Countable && r.OriginID != [16]byte{} && r.PackageID != "" {
			key := fmt.Sprint(r.PackageID, r.OriginID)
			if until, seen := covered[key]; seen && !r.Time.After(until) {
				counted = false
			} else {
				covered[key] = r.Time.Add(time.Minute)
			}
		}
		want = append(want, fmt.Sprintf("%d %s %s %d %d %v", r.order.time, r.order.node, event.FormatID(r.order.incarnation), r.order.sequence, r.order.position, counted))
	}
	rs, err := s.QueryContext(ctxBackground, `SELECT epoch_us(time)::VARCHAR || ' ' || stream || ' ' || incarnation::VARCHAR || ' ' || sequence || ' ' || position || ' ' || counted FROM events_raw`)
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	defer rs.Close()
	var got []string
	for rs.Next() {
		var line string
		if err := rs.Scan(&line); err != nil {
			t.Errorf("%v", err)
			return
		}
		got = append(got, line)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		var missing, extra []string
		for _, l := range want {
			if !slices.Contains(got, l) {
				missing = append(missing, l)
			}
		}
		for _, l := range got {
			if !slices.Contains(want, l) {
				extra = append(extra, l)
			}
		}
		t.Errorf("%d rows, want %d\nmissing:\n%s\nextra:\n%s", len(got), len(want), strings.Join(missing, "\n"), strings.Join(extra, "\n"))
	}
}

// Streams of several nodes, in any order between them, in transactions of any
// size, with rows minutes and hours late, restarts in between: what is stored
// and counted depends on the events alone.
func TestWhatCountsDoesNotDependOnTheOrderOfArrival(t *testing.T) {
	base := time.Now().Truncate(time.Second)
	rapid.Check(t, func(rt *rapid.T) {
		streams := rapid.IntRange(1, 3).Draw(rt, "streams")
		queues := make([][]Message, streams)
		var all []Message
		for i := range queues {
			for j := range rapid.IntRange(1, 12).Draw(rt, "messages") {
				var events []*event.Event
				for range rapid.IntRange(1, 4).Draw(rt, "events") {
					age := rapid.SampledFrom([]int{0, 0, 0, 100, 300, 4000, 100_000}).Draw(rt, "age")
					at := base.Add(-time.Duration(age+rapid.IntRange(0, 200).Draw(rt, "second")) * time.Second)
					e := pullOf(rapid.SampledFrom([]string{"a", "a", "b", ""}).Draw(rt, "image"), byte(rapid.IntRange(0, 2).Draw(rt, "origin")), at)
					e.ID = [16]byte{byte(rapid.IntRange(0, 255).Draw(rt, "id"))}
					e.Countable = rapid.IntRange(0, 9).Draw(rt, "countable") > 0
					if rapid.IntRange(0, 9).Draw(rt, "named") == 0 {
						e.UniqueID = rapid.SampledFrom([]string{"u", "v"}).Draw(rt, "unique id")
					}
					events = append(events, e)
				}
				m := Message{Node: fmt.Sprintf("n%d", i%2), Incarnation: [16]byte{byte(i + 1)}, Sequence: uint64(j + 1), Events: events}
				queues[i] = append(queues[i], m)
				all = append(all, m)
			}
		}
		dir := t.TempDir()
		s := open(t, Options{Dir: dir, Horizon: 3 * time.Minute})
		defer func() { s.Close(ctxBackground) }()
		for len(all) > 0 && slices.ContainsFunc(queues, func(q []Message) bool { return len(q) > 0 }) {
			var batch []Message
			for range rapid.IntRange(1, 6).Draw(rt, "batch") {
				i := rapid.IntRange(0, streams-1).Draw(rt, "stream")
				if len(queues[i]) > 0 {
					batch, queues[i] = append(batch, queues[i][0]), queues[i][1:]
				}
			}
			if _, err := s.Write(ctxBackground, batch); err != nil {
				rt.Fatal(err)
			}
			if rapid.IntRange(0, 19).Draw(rt, "restart") == 0 {
				if err := s.Close(ctxBackground); err != nil {
					rt.Fatal(err)
				}
				s = open(t, Options{Dir: dir, Horizon: 3 * time.Minute})
			}
		}
		compare(rt, s, all)
	})
}

func TestMemoryOfPullsIsBounded(t *testing.T) {
	now := time.Now()
	f := newFolder(beginning)
	for i := range maxPulls + 1000 {
		r := &Row{Event: pullOf("img", 1, now), order: order{time: now.Add(-time.Duration(i) * time.Millisecond).UnixMicro(), sequence: uint64(i)}}
		key := pullKey{origin: [16]byte{byte(i), byte(i >> 8), byte(i >> 16)}}
		f.add(key, []*Row{r})
	}
	f.forget(now, 10*time.Minute)
	if f.size > maxPulls/2 || f.size < maxPulls/8 {
		t.Errorf("%d rows in memory", f.size)
	}
	total := 0
	for _, c := range f.chains {
		total += len(c)
		if !c[0].counted || !slices.IsSortedFunc(c, func(a, b pull) int { return cmp.Compare(a.time, b.time) }) {
			t.Fatal("a chain is out of order")
		}
	}
	if total != f.size {
		t.Errorf("size %d, counted %d", f.size, total)
	}
}
