package container

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sync/semaphore"
)

// Bounds of what is held of registries' answers at any time.
const (
	chunkSize  = 32 << 10 // of a stream
	smallBody  = 256 << 10
	bigBudget  = 128 << 20 // of all bodies over smallBody together
	keptBuffer = smallBody // a larger buffer is not kept for others
)

// buffers lends memory for bodies. Small ones are free; those that are big share a
// budget, so that registries with large manifests, or clients that ask for many of
// them, can't fill the memory of the node.
type buffers struct {
	bodies sync.Pool // *bytes.Buffer
	chunks sync.Pool // *[chunkSize]byte
	big    *semaphore.Weighted
}

func newBuffers() *buffers {
	return &buffers{
		bodies: sync.Pool{New: func() any { return new(bytes.Buffer) }},
		chunks: sync.Pool{New: func() any { return new([chunkSize]byte) }},
		big:    semaphore.NewWeighted(bigBudget),
	}
}

var (
	errTooLong  = errors.New("body is too long")
	errTooShort = errors.New("body ends too early")
)

// read reads a whole body of up to limit bytes; length is what its header says, or
// -1. The buffer is the caller's until release is called.
func (b *buffers) read(ctx context.Context, body io.Reader, length, limit int64) (buf *bytes.Buffer, release func(), err error) {
	buf, _ = b.bodies.Get().(*bytes.Buffer)
	buf.Reset()
	weight := int64(0)
	release = func() {
		if weight > 0 {
			b.big.Release(weight)
		}
		if buf.Cap() <= keptBuffer {
			b.bodies.Put(buf)
		}
	}
	n, err := buf.ReadFrom(io.LimitReader(body, min(limit, smallBody)+1))
	if err == nil && n > smallBody && limit > smallBody {
		want := limit
		if length > 0 {
			want = min(length, limit)
		}
		if err = b.big.Acquire(ctx, want); err != nil {
			release()
			return nil, nil, context.Cause(ctx)
		}
		weight = want
		var more int64
		more, err = buf.ReadFrom(io.LimitReader(body, limit+1-n))
		n += more
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), err == nil && n < length:
		err = fmt.Errorf("%w: %d bytes of %d", errTooShort, n, length)
	case err == nil && n > limit:
		err = fmt.Errorf("%w: over %d bytes", errTooLong, limit)
	}
	if err != nil {
		release()
		return nil, nil, err
	}
	return buf, release, nil
}

// unreadable makes an answer of a body that could not be read.
func unreadable(err error) error {
	if errors.Is(err, errTooLong) || errors.Is(err, errTooShort) {
		return badAnswer("its %w", err)
	}
	return err
}
