package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tallygate/analytics/store"
	"tallygate/routing/event"
)

// fakeStore keeps sequences; fail decides over each write.
type fakeStore struct {
	stored []uint64
	aside  []uint64
	writes int
	fail   func(write int, messages []store.Message) error
}

func (s *fakeStore) Write(_ context.Context, messages []store.Message) (store.Result, error) {
	s.writes++
	if s.fail != nil {
		if err := s.fail(s.writes, messages); err != nil {
			return store.Result{}, err
		}
	}
	var result store.Result
	for _, m := range messages {
		s.stored = append(s.stored, m.Sequence)
		if m.Unreadable != nil {
			s.aside = append(s.aside, m.Sequence)
		}
		for _, e := range m.Events {
			result.Rows = append(result.Rows, store.Row{Event: e})
		}
	}
	return result, nil
}

func (s *fakeStore) Offsets(context.Context, string) (map[[16]byte]uint64, error) { return nil, nil }

func batchOf(n int) []received {
	var batch []received
	for i := range n {
		batch = append(batch, received{
			message: store.Message{Sequence: uint64(i + 1), Events: []*event.Event{{Path: fmt.Sprint(i + 1), Time: time.Now()}}},
			payload: []byte("payload"),
		})
	}
	return batch
}

func upTo(n int) (list []uint64) {
	for i := range n {
		list = append(list, uint64(i+1))
	}
	return list
}

func TestWritesThatFailAreTriedUntilTheyWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStore{fail: func(write int, _ []store.Message) error {
			if write <= 12 {
				return errors.New("disk full")
			}
			return nil
		}}
		var taken []uint64
		r := New(Options{Store: s, Taken: func(sequence uint64) { taken = append(taken, sequence) }})
		if err := r.commit(t.Context(), batchOf(100)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(s.stored, upTo(100)) || len(s.aside) > 0 {
			t.Errorf("stored %v, put aside %v", s.stored, s.aside)
		}
		if st := r.Status(); st.Sequence != 100 || st.Events != 100 || st.Err != nil || taken[len(taken)-1] != 100 {
			t.Errorf("status %+v, taken %v", st, taken)
		}
	})
}

func TestAMessageThatTheStoreCannotTakeIsPutAsideAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStore{fail: func(_ int, messages []store.Message) error {
			for _, m := range messages {
				if m.Sequence == 37 && m.Unreadable == nil {
					return errors.New("no such value")
				}
			}
			return nil
		}}
		r := New(Options{Store: s})
		if err := r.commit(t.Context(), batchOf(100)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(s.stored, upTo(100)) || !slices.Equal(s.aside, []uint64{37}) {
			t.Errorf("stored %v, put aside %v", s.stored, s.aside)
		}
		if st := r.Status(); st.Unreadable != 1 || st.Events != 99 {
			t.Errorf("status %+v", st)
		}
	})
}

func TestAStoreThatStaysBrokenPutsNothingAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStore{fail: func(int, []store.Message) error { return errors.New("broken") }}
		r := New(Options{Store: s})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := r.commit(ctx, batchOf(10)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if len(s.stored) > 0 || s.writes < 1000 || r.Status().Err == nil {
			t.Errorf("stored %v after %d writes, status %+v", s.stored, s.writes, r.Status())
		}
	})
}

func TestASlowSubscriberMissesEventsAndHoldsNobodyUp(t *testing.T) {
	var f Feed
	slow, cancelSlow := f.Subscribe()
	rows := func(n int) (list []store.Row) {
		for i := range n {
			list = append(list, store.Row{Event: &event.Event{Path: fmt.Sprint(i)}, Counted: true})
		}
		return list
	}
	f.publish(rows(10 * feedLength))
	quick, cancelQuick := f.Subscribe()
	f.publish(rows(1))
	if got := <-quick; got.Path != "0" || !got.Counted {
		t.Errorf("got %+v", got)
	}
	cancelSlow()
	n := 0
	for range slow {
		n++
	}
	if n != feedLength {
		t.Errorf("the slow one got %d events", n)
	}
	f.Close()
	if _, open := <-quick; open {
		t.Error("open after Close")
	}
	cancelQuick()
	late, cancel := f.Subscribe()
	cancel()
	if got, open := <-late; open {
		t.Errorf("a subscription after Close gives %+v", got)
	}
	(*Feed)(nil).publish([]store.Row{{}})
}
