package catalog

import (
	"time"

	"github.com/google/uuid"
)

// NewID gives an id for a new object or command: a UUIDv7 (RFC 9562), which
// sorts by the time it was made. It is for proposers; nothing that Apply does
// depends on it.
func NewID() string {
	id, err := uuid.NewV7()
	if err != nil {
		panic("catalog: no random numbers: " + err.Error()) // crypto/rand doesn't fail on a system that works
	}
	return id.String()
}

// NewCommand gives a command to propose: it has a new id and the proposer's
// time. To retry a proposal, propose the same command again.
func NewCommand(now time.Time, actor Actor, ops ...Op) *Command {
	return &Command{Format: Format, ID: NewID(), Time: now.UTC().Round(0), Actor: actor, Ops: ops}
}
