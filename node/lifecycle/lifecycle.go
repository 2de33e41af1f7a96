// Package lifecycle keeps the order in which parts of a process stop: a list of
// named steps, run last in first out under one deadline. The same list undoes a
// start that failed half-way.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Stack is the list. It is not safe for concurrent use: starting and stopping are
// one goroutine's business.
type Stack struct {
	logger *slog.Logger
	steps  []step
}

type step struct {
	name string
	stop func(context.Context) error
}

// New makes an empty list.
func New(logger *slog.Logger) *Stack { return &Stack{logger: logger} }

// Push adds what must be stopped before everything pushed so far.
func (s *Stack) Push(name string, stop func(context.Context) error) {
	s.steps = append(s.steps, step{name, stop})
}

// Stop runs the steps, each even when those before it failed, and empties the
// list. A step that outlives the deadline is left behind with an error, so that
// one stuck part can't keep the others from their turn.
func (s *Stack) Stop(ctx context.Context) error {
	var errs []error
	for i := len(s.steps) - 1; i >= 0; i-- {
		st := s.steps[i]
		begun := time.Now()
		done := make(chan error, 1)
		go func() { done <- st.stop(ctx) }()
		var err error
		select {
		case err = <-done:
		case <-ctx.Done():
			// The step may have ended at the same moment: prefer its own word.
			select {
			case err = <-done:
			case <-time.After(100 * time.Millisecond):
				err = fmt.Errorf("still busy at the deadline: %w", context.Cause(ctx))
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", st.name, err))
		}
		s.logger.Debug("stopped", "part", st.name, "elapsed", time.Since(begun), "err", err)
	}
	s.steps = nil
	return errors.Join(errs...)
}
