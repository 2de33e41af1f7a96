package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestStepsStopLastInFirstOut(t *testing.T) {
	s := New(quiet())
	var order []string
	for _, name := range []string{"store", "spool", "listeners"} {
		s.Push(name, func(context.Context) error { order = append(order, name); return nil })
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"listeners", "spool", "store"}; !slices.Equal(order, want) {
		t.Errorf("stopped %v, want %v", order, want)
	}
	if err := s.Stop(t.Context()); err != nil || len(order) != 3 {
		t.Errorf("a second Stop ran steps again: %v %v", order, err)
	}
}

func TestAFailedStepDoesNotKeepTheOthersFromStopping(t *testing.T) {
	s := New(quiet())
	stopped := false
	s.Push("store", func(context.Context) error { stopped = true; return nil })
	s.Push("spool", func(context.Context) error { return errors.New("disk gone") })
	err := s.Stop(t.Context())
	if err == nil || !strings.Contains(err.Error(), "stop spool: disk gone") {
		t.Errorf("got %v", err)
	}
	if !stopped {
		t.Error("the step below the failed one was not stopped")
	}
}

func TestAStuckStepIsLeftBehindAtTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(quiet())
		stopped, release := false, make(chan struct{})
		s.Push("store", func(context.Context) error { stopped = true; return nil })
		s.Push("spool", func(context.Context) error { <-release; return nil })
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		err := s.Stop(ctx)
		close(release)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "spool") {
			t.Errorf("got %v", err)
		}
		if !stopped {
			t.Error("the step below the stuck one was not stopped")
		}
	})
}
