package ingest

import (
	"math"

	"github.com/google/uuid"

	"tallygate/analytics/spool"
)

// place is where to read on in a stream.
type place struct {
	next    uint64
	missing uint64 // messages before next that the stream no longer has
}

// locate finds the first message that isn't stored, from the stream's segments,
// its first sequence and what is stored of each incarnation. Where it can't know,
// it begins too early: the store leaves out what it has.
func locate(segments []spool.Segment, first uint64, stored map[[16]byte]uint64) place {
	p := place{next: max(first, 1)}
	if len(segments) > 0 && segments[0].First > p.next {
		return p // messages of incarnations that the stream no longer names
	}
	for i, seg := range segments {
		end := uint64(math.MaxUint64)
		if i+1 < len(segments) {
			end = segments[i+1].First - 1
		}
		last, have := stored[incarnationOf(seg)]
		if have && last >= end {
			p.next = max(p.next, end+1)
			continue // read to its end, or beyond what the loss of its tail left
		}
		if !have {
			last = seg.First - 1
			if i == 0 && seg.First < p.next {
				last = newest(stored, p.next)
			}
		}
		if last > 0 && last+1 < p.next {
			p.missing = p.next - (last + 1)
		}
		p.next = max(p.next, last+1)
		return p
	}
	return p
}

// newest is how far the stream was read under incarnations that it no longer
// names, since all their messages are gone.
func newest(stored map[[16]byte]uint64, before uint64) (last uint64) {
	for _, sequence := range stored {
		if sequence < before {
			last = max(last, sequence)
		}
	}
	return last
}

func incarnationOf(seg spool.Segment) [16]byte {
	id, _ := uuid.Parse(seg.Incarnation) // Segments has validated it
	return id
}

// incarnationAt is the incarnation of a message that doesn't carry its own.
func incarnationAt(segments []spool.Segment, sequence uint64) [16]byte {
	var id [16]byte
	for _, seg := range segments {
		if seg.First > sequence {
			break
		}
		id = incarnationOf(seg)
	}
	return id
}
