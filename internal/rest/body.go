package rest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
)

// errTorn: the caller went away within the body, paused too long, or framed it wrongly.
var errTorn = fmt.Errorf("%w: not received to its end", facade.ErrBody)

// callersBody is the body of a request on its way in: bounded in size, and in how long the caller may pause. Its errors
// are the facade's.
type callersBody struct {
	io.ReadCloser
	conn  *http.ResponseController
	pause time.Duration
	ended atomic.Bool // read to its end
}

// takeBody bounds the body of a request.
func (h *Handler) takeBody(w http.ResponseWriter, r *http.Request, limit int64) *callersBody {
	return &callersBody{ReadCloser: http.MaxBytesReader(w, r.Body, limit), conn: http.NewResponseController(w), pause: h.opts.BodyPause}
}

// Read gives the caller some time for the next piece. At the end the time limit is taken away again: net/http goes on
// to read, to notice a caller who leaves.
func (b *callersBody) Read(p []byte) (int, error) {
	_ = b.conn.SetReadDeadline(time.Now().Add(b.pause)) // not every ResponseWriter has a connection
	n, err := b.ReadCloser.Read(p)
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF):
		b.ended.Store(true)
		_ = b.conn.SetReadDeadline(time.Time{})
		return n, io.EOF
	case errors.As(err, &tooLarge):
		return n, fmt.Errorf("%w: at most %d bytes", facade.ErrBodySize, tooLarge.Limit)
	}
	return n, errTorn
}

// Close leaves the rest of the body to net/http, whose own Close would wait for it here.
func (b *callersBody) Close() error { return nil }

// leave is called before an answer: if the body has not ended, the caller shall not wait for the answer until net/http
// has read the rest, to use the connection again.
func (b *callersBody) leave(w http.ResponseWriter) {
	if b != nil && !b.ended.Load() {
		w.Header().Set("Connection", "close")
	}
}

// limitPause bounds the time for a body that nobody reads: net/http reads the rest of it before the next request.
func (h *Handler) limitPause(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(h.opts.BodyPause))
	}
}

// firstPiece is how much memory is given for the promise of a body, in bytes; more comes as the body does.
const firstPiece = 64 << 10

// readBody reads a body of at most limit bytes in one piece.
func (h *Handler) readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, fmt.Errorf("%w: at most %d bytes", facade.ErrBodySize, limit)
	}
	body := h.takeBody(w, r, limit)
	if r.ContentLength > 0 && r.ContentLength <= firstPiece {
		b := make([]byte, r.ContentLength)
		_, err := io.ReadFull(body, b)
		return b, err
	}
	var b bytes.Buffer
	if r.ContentLength > 0 {
		b.Grow(firstPiece)
	}
	_, err := b.ReadFrom(body)
	return b.Bytes(), err
}
