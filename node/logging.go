package node

import (
	"io"
	"log/slog"

	"github.com/thejerf/suture/v4"

	"tallygate/node/config"
)

// NewLogger makes the process's logger.
func NewLogger(s *config.Settings, w io.Writer) *slog.Logger {
	opts := &slog.HandlerOptions{Level: s.LogLevel}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// superviseLog tells operators when an actor failed and was started again.
func superviseLog(logger *slog.Logger) suture.EventHook {
	logger = logger.With("component", "supervisor")
	return func(e suture.Event) {
		attrs := make([]any, 0, 8)
		for k, v := range e.Map() {
			attrs = append(attrs, slog.Any(k, v))
		}
		switch e.Type() {
		case suture.EventTypeServicePanic:
			logger.Error("actor panicked and is started again", attrs...)
		case suture.EventTypeServiceTerminate:
			logger.Warn("actor ended and is started again", attrs...)
		case suture.EventTypeBackoff:
			logger.Error("actors fail too often: waiting before the next start", attrs...)
		case suture.EventTypeResume:
			logger.Info("starting actors again", attrs...)
		case suture.EventTypeStopTimeout:
			logger.Error("actor did not stop in time", attrs...)
		}
	}
}
