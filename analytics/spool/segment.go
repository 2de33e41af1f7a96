package spool

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Segment is a range of a stream's sequences that belongs to one incarnation:
// from First to the next segment's First - 1.
//
// A reader that stored (incarnation, sequence) pairs knows what it lacks: of
// each segment what lies beyond the sequence stored for its incarnation. A
// reader that had read further than the stream now reaches, since its tail was
// lost, finds the new messages in a segment of another incarnation.
type Segment struct {
	Incarnation string // a random UUID
	First       uint64
}

// segmentsKey is the key in the stream's metadata, its value a list of
// "incarnation:first" in ascending order.
const segmentsKey = "tallygate-segments"

// maxSegments keeps the metadata below the 128 KiB that a server takes. Only the
// starts since the oldest message count, and of those only the ones that wrote.
const maxSegments = 2000

func formatSegments(segments []Segment) string {
	var b strings.Builder
	for i, seg := range segments {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(seg.Incarnation)
		b.WriteByte(':')
		b.WriteString(strconv.FormatUint(seg.First, 10))
	}
	return b.String()
}

// Segments reads the segments of a stream from its metadata. A stream not made
// by this program gives an error.
func Segments(metadata map[string]string) ([]Segment, error) {
	var segments []Segment
	for _, entry := range strings.Split(metadata[segmentsKey], ",") {
		incarnation, first, _ := strings.Cut(entry, ":")
		n, err := strconv.ParseUint(first, 10, 64)
		if err != nil || uuid.Validate(incarnation) != nil || n == 0 {
			return nil, fmt.Errorf("stream metadata: segment %q not understood", entry)
		}
		if k := len(segments); k > 0 && segments[k-1].First >= n {
			return nil, fmt.Errorf("stream metadata: segment %q out of order", entry)
		}
		segments = append(segments, Segment{incarnation, n})
	}
	return segments, nil
}

// advance adds an incarnation that begins after the stream's last message.
// Segments of which no message is left are dropped, and one that never got a
// message is replaced.
func advance(segments []Segment, state jetstream.StreamState, incarnation string) []Segment {
	next := Segment{incarnation, state.LastSeq + 1}
	for len(segments) > 0 && segments[len(segments)-1].First >= next.First {
		segments = segments[:len(segments)-1]
	}
	segments = append(segments, next)
	for len(segments) > 1 && (segments[1].First <= state.FirstSeq || len(segments) > maxSegments) {
		segments = segments[1:]
	}
	return segments
}

// IncarnationOf returns the incarnation that a message was published in.
func IncarnationOf(header nats.Header) string { return header.Get(incarnationHeader) }
