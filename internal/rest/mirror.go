package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream/jsoncodec"
)

// mirror serves a JSON operation of Rainbow: the body is checked once, then the generated handler runs with messages
// that carry only path and query, while request and answer travel as bytes in the exchange.
func (h *Handler) mirror(ctx context.Context, w http.ResponseWriter, r *http.Request, rt *route, p *path) {
	body, err := h.jsonBody(w, r)
	if err != nil {
		h.refuse(w, r, h.opts.Dispatcher.Refused(ctx, rt.op, err))
		return
	}
	var m struct { // one piece of memory
		exchange upstream.Exchange
		request  upstream.RawRequest
	}
	m.request = upstream.RawRequest{Method: rt.method, Target: target(r), Header: r.Header, Body: body}
	m.exchange = upstream.Exchange{WantRaw: true, Request: &m.request}
	rt.generated(w, bare(upstream.WithExchange(ctx, &m.exchange), r), rt.params(p))
}

// noValues is what generated handlers read as form: nothing, since the query travels raw and is read leniently by
// mirrorConn. It is never written to.
var noValues = url.Values{}

// noHeader is what generated handlers of mirrored routes see of the headers: nothing that could choose a marshaler,
// set a deadline or ask for trailers. It is never written to.
var noHeader = http.Header{}

// bare is the request as a generated handler may see it. Without Host and RemoteAddr grpc-gateway makes no
// x-forwarded-* metadata, which nobody here reads.
func bare(ctx context.Context, r *http.Request) *http.Request {
	b := r.WithContext(ctx)
	b.Header, b.Form, b.PostForm, b.Body, b.Host, b.RemoteAddr = noHeader, noValues, noValues, http.NoBody, "", ""
	return b
}

// jsonBody reads and checks the body of a JSON operation. An empty one is fine: upstream knows what it needs.
func (h *Handler) jsonBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return nil, nil
	}
	body, err := h.readBody(w, r, h.opts.MaxBody)
	if err != nil || len(body) == 0 {
		return nil, err
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return nil, facade.ErrEncoding
	}
	if err := jsoncodec.Check(body, jsoncodec.Limits{}); err != nil {
		return nil, fmt.Errorf("%w: %w", facade.ErrBody, err)
	}
	return body, nil
}

// mirrorOptions make a grpc-gateway mux whose handlers pass bytes through.
func mirrorOptions() []runtime.ServeMuxOption {
	return []runtime.ServeMuxOption{
		runtime.WithMarshalerOption(runtime.MIMEWildcard, rawMarshaler{}),
		runtime.WithIncomingHeaderMatcher(func(string) (string, bool) { return "", false }),
		runtime.WithOutgoingHeaderMatcher(func(string) (string, bool) { return "", false }),
		runtime.WithForwardResponseOption(writeAnswerHead),
		runtime.WithForwardResponseRewriter(answerBody),
		runtime.WithErrorHandler(mirrorError),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithDisablePathLengthFallback(),
	}
}

// writeAnswerHead writes upstream's status and headers.
func writeAnswerHead(ctx context.Context, w http.ResponseWriter, _ proto.Message) error {
	x := upstream.ExchangeFrom(ctx)
	if x == nil {
		return errors.New("exchange missing from the context")
	}
	writeHead(w, &x.Answer, int64(len(x.Answer.Body)))
	return nil
}

// writeHead copies the head of an answer; length is -1 when not known.
func writeHead(w http.ResponseWriter, answer *upstream.RawAnswer, length int64) {
	header := w.Header()
	header["Content-Type"] = nil // as upstream says, and not guessed when it says nothing
	vary := header["Vary"]
	for name, values := range answer.Header {
		if name == requestIDHeader { // the caller's, or the gateway's, stays: it is what the log has
			name = upstreamIDHeader
		}
		header[name] = values
	}
	if len(vary) > 0 {
		header["Vary"] = append(vary, answer.Header["Vary"]...)
	}
	if answer.Status >= http.StatusBadRequest {
		header["X-Error-Origin"] = originUpstream
	}
	if length >= 0 && answer.Status >= http.StatusOK && answer.Status != http.StatusNoContent && answer.Status != http.StatusNotModified {
		header["Content-Length"] = []string{strconv.FormatInt(length, 10)}
	}
	w.WriteHeader(answer.Status)
}

// rawBytes is an answer's body on its way through the marshaler.
type rawBytes []byte

func answerBody(ctx context.Context, _ proto.Message) (any, error) {
	if x := upstream.ExchangeFrom(ctx); x != nil {
		return rawBytes(x.Answer.Body), nil
	}
	return nil, errors.New("exchange missing from the context")
}

// rawMarshaler writes bodies as they are and reads none: the exchange has them.
type rawMarshaler struct{}

// Marshal returns the bytes of the answer.
func (rawMarshaler) Marshal(v any) ([]byte, error) {
	if b, ok := v.(rawBytes); ok {
		return b, nil
	}
	return nil, fmt.Errorf("%T is not a raw answer", v)
}

// Unmarshal leaves the message as it is.
func (rawMarshaler) Unmarshal([]byte, any) error { return nil }

// NewDecoder leaves the message as it is.
func (rawMarshaler) NewDecoder(io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(any) error { return nil })
}

// NewEncoder writes the bytes of the answer.
func (m rawMarshaler) NewEncoder(w io.Writer) runtime.Encoder {
	return encoder(w, m.Marshal)
}

// encoder writes what marshal makes.
func encoder(w io.Writer, marshal func(any) ([]byte, error)) runtime.Encoder {
	return runtime.EncoderFunc(func(v any) error {
		b, err := marshal(v)
		if err != nil {
			return err
		}
		_, err = w.Write(b)
		return err
	})
}

// ContentType is replaced by upstream's.
func (rawMarshaler) ContentType(any) string { return contentTypeJSON }

// mirrorError writes upstream's refusal as it came, or the gateway's own in Rainbow's shape.
func mirrorError(ctx context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
	x := upstream.ExchangeFrom(ctx)
	if x != nil && facade.Answered(err) && x.Answer.Status != 0 {
		writeHead(w, &x.Answer, int64(len(x.Answer.Body)))
		_, _ = w.Write(x.Answer.Body)
		return
	}
	writeFault(w, r, err)
}
