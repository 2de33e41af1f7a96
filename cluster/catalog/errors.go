package catalog

import (
	"errors"
	"fmt"
	"strings"
)

// What Restore and DecodeCommand answer besides the errors of their input.
var (
	// ErrSnapshotDamaged: the snapshot is cut short or its checksum is wrong.
	ErrSnapshotDamaged = errors.New("catalog snapshot is damaged")
	// ErrSnapshotFormat: the snapshot was written by a newer build.
	ErrSnapshotFormat = errors.New("catalog snapshot has a newer format than this build reads")
	// ErrCommandDamaged: the bytes are not a command.
	ErrCommandDamaged = errors.New("not a catalog command")
	// ErrCommandFormat: the command was written by a newer build.
	ErrCommandFormat = errors.New("catalog command has a newer format than this build reads")
)

// Refusal is a refused command as a Go error: everything that is wrong with it.
type Refusal []*Error

func (r Refusal) Error() string {
	lines := make([]string, len(r))
	for i, e := range r {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find the single mistakes.
func (r Refusal) Unwrap() []error {
	errs := make([]error, len(r))
	for i, e := range r {
		errs[i] = e
	}
	return errs
}

// Err is nil for an applied command and a [Refusal] for a refused one.
func (r Result) Err() error {
	if len(r.Errors) == 0 {
		return nil
	}
	return Refusal(r.Errors)
}

func formatError(format int) *Error {
	return &Error{
		Code: CodeCommandFormat,
		Message: fmt.Sprintf("command has format %d; this build speaks formats 1 to %d: upgrade the node that is behind",
			format, Format),
	}
}

func sizeError(size int) *Error {
	return &Error{
		Code: CodeCommandTooLarge,
		Message: fmt.Sprintf("command is %d bytes long; at most %d are allowed: split it",
			size, MaxCommandBytes),
	}
}
