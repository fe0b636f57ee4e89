package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// stream passes a request and its answer through unbuffered: CSV, forms, redirects, and what no RPC models. method is
// what upstream gets, GET for a HEAD that a modelled GET answers.
func (h *Handler) stream(ctx context.Context, w http.ResponseWriter, r *http.Request, op *facade.Operation, method string) {
	x := &upstream.Exchange{
		Request: &upstream.RawRequest{Method: method, Target: target(r), Header: r.Header, ContentLength: r.ContentLength},
	}
	var body *callersBody
	if r.Body != nil && r.Body != http.NoBody && r.ContentLength != 0 {
		if r.ContentLength > h.opts.MaxUpload {
			h.refuse(w, r, h.opts.Dispatcher.Refused(ctx, op, fmt.Errorf("%w: at most %d bytes", facade.ErrBodySize, h.opts.MaxUpload)))
			return
		}
		body = h.takeBody(w, r, h.opts.MaxUpload)
		x.Request.BodyReader = body
	}
	begun := false
	err := h.opts.Dispatcher.Exchange(ctx, op, x, func(answer *upstream.RawAnswer) error {
		begun = true
		body.leave(w)
		return writeStream(w, r, answer)
	})
	switch {
	case err == nil:
	case begun:
		// The head is out, so the caller can only be told by breaking off: a short answer must not look whole.
		panic(http.ErrAbortHandler)
	default:
		body.leave(w)
		h.refuse(w, r, err)
	}
}

func writeStream(w http.ResponseWriter, r *http.Request, answer *upstream.RawAnswer) error {
	writeHead(w, answer, answer.ContentLength)
	if r.Method == http.MethodHead {
		return nil
	}
	return copyStream(w, answer.Stream, answer.ContentLength < 0)
}

// streamBuffer is the size of the one buffer that a streamed body passes.
const streamBuffer = 32 << 10

var streamBuffers = sync.Pool{New: func() any { b := make([]byte, streamBuffer); return &b }}

// copyStream copies a body through one buffer; flush sends each piece on at once, since who sends bodies of unknown
// length may be sending them slowly.
func copyStream(w http.ResponseWriter, body io.Reader, flush bool) error {
	buffer := streamBuffers.Get().(*[]byte)
	defer streamBuffers.Put(buffer)
	rc := http.NewResponseController(w)
	for {
		n, err := body.Read(*buffer)
		if n > 0 {
			if _, werr := w.Write((*buffer)[:n]); werr != nil && !errors.Is(werr, http.ErrBodyNotAllowed) {
				return werr
			}
			if flush {
				_ = rc.Flush()
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
