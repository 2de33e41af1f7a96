package catalog

import (
	"errors"
	"strings"
)

// What Restore and DecodeCommand answer besides the errors of their input.
var (
	// ErrSnapshotDamaged: the snapshot is cut short or its checksum is wrong.
	ErrSnapshotDamaged = errors.New("snapshot is damaged")
	// ErrSnapshotFormat: the snapshot was written by a newer build.
	ErrSnapshotFormat = errors.New("snapshot has a newer format than this build reads")
	// ErrCommandDamaged: the bytes are not a command.
	ErrCommandDamaged = errors.New("not a catalog command")
	// ErrCommandFormat: the command was written by a newer build.
	ErrCommandFormat = errors.New("command has a newer format than this build reads")
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

// Err is nil for an applied command and a [Refusal] for a refused one.
func (r Result) Err() error {
	if len(r.Errors) == 0 {
		return nil
	}
	return Refusal(r.Errors)
}
