package upstream

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

const (
	// promised is how much memory is given for the promise of a body, in bytes; more comes as the body does.
	promised = 64 << 10
	// gatheredMost is the largest buffer that is kept for the next body, in bytes: a page of a thousand users is about 2 MiB.
	gatheredMost = 4 << 20
)

// gathered are buffers for bodies whose length is not known, or not believed. A body gets memory of its own when its length
// is seen: to grow it there takes three times its size, of which the collector has to get rid.
var gathered = sync.Pool{New: func() any { return &bytes.Buffer{} }}

// readAll reads a body of the given length (-1: not known), at most limit bytes. The result is nobody else's.
func readAll(r io.Reader, length, limit int64) ([]byte, error) {
	if length > limit {
		return nil, ErrTooLarge
	}
	if length >= 0 && length <= promised {
		b := make([]byte, length+1) // room for the end, which must be seen for the connection to be used again
		n, err := io.ReadFull(r, b)
		if int64(n) == length && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)) {
			err = nil
		}
		return b[:n], err
	}
	buffer := gathered.Get().(*bytes.Buffer)
	buffer.Reset()
	n, err := buffer.ReadFrom(io.LimitReader(r, limit+1))
	if err == nil && n > limit {
		err = ErrTooLarge
	}
	b := buffer.Bytes()
	if buffer.Cap() > gatheredMost {
		return b, err
	}
	b = bytes.Clone(b)
	gathered.Put(buffer)
	return b, err
}
