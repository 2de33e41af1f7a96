package event

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"time"
)

// NewID makes a UUID of version 7 (RFC 9562, section 5.7) for an event received
// at t: 48 bits of milliseconds, 12 bits of a millisecond's fraction (method 3 of
// section 6.2) and 62 random bits, so that ids sort by the time of receipt to a
// quarter of a microsecond. The random bits come from the runtime's ChaCha8
// generator, seeded by the operating system: ids are unique, not secret.
func NewID(t time.Time) [16]byte {
	nanos := max(t.UnixNano(), 0)
	ms, rest := nanos/1e6, nanos%1e6
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], uint64(ms)<<16|0x7000|uint64(rest)*4096/1e6)
	binary.BigEndian.PutUint64(id[8:], rand.Uint64()>>2|1<<63)
	return id
}

// FormatID writes an identifier in the hexadecimal form of a UUID; all zero is
// unknown and gives "".
func FormatID(id [16]byte) string {
	if id == [16]byte{} {
		return ""
	}
	var out [36]byte
	hex.Encode(out[:8], id[:4])
	hex.Encode(out[9:13], id[4:6])
	hex.Encode(out[14:18], id[6:8])
	hex.Encode(out[19:23], id[8:10])
	hex.Encode(out[24:], id[10:])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}
