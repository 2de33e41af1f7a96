package spool

import (
	"fmt"
	"time"
)

// Sync says when the stream's files reach the disk. The zero value leaves it to
// the server's default of two minutes: what was acknowledged survives the end of
// the process, not a power cut.
type Sync struct {
	Always   bool          // before each acknowledgement; about 4,000 batches a second here
	Interval time.Duration // else; zero: two minutes
}

// ParseSync reads --spool-sync: "always", a duration from 1s up, or nothing.
func ParseSync(s string) (Sync, error) {
	switch s {
	case "":
		return Sync{}, nil
	case "always":
		return Sync{Always: true}, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < time.Second {
		return Sync{}, fmt.Errorf("spool sync %q is neither \"always\" nor a duration of at least 1s", s)
	}
	return Sync{Interval: d}, nil
}
