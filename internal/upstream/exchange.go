package upstream

import (
	"context"
	"io"
	"net/http"
)

// Exchange travels in the context beside the messages of a call and carries what messages can't: the bytes.
//
// The REST door puts one there with the raw request; the client then sends exactly that and fills in the raw answer.
// An Exchange without a Request is still useful: the request is built from the message, and the raw answer is handed
// back beside the typed reply. One Exchange serves one call and is not safe for concurrent use.
type Exchange struct {
	// Request is what the caller sent; nil means that the request is built from the message.
	Request *RawRequest

	// WantRaw says that only the raw answer is wanted: the reply message is left as it is.
	WantRaw bool

	// Answer is what upstream answered; its Status is 0 until upstream has answered, and again before a repeat.
	Answer RawAnswer
}

// RawRequest is a request as the caller wrote it.
type RawRequest struct {
	// Method is the HTTP method.
	Method string

	// Target is the escaped path and query, byte by byte as on the caller's request line, beginning with "/".
	// Dot segments are refused, escaped ones too.
	Target string

	// Header holds the caller's headers. Only those of the allow-list go upstream (ForwardRequest), and never
	// credentials: these travel in the context, see WithCaller.
	Header http.Header

	// Body is the whole body, for requests that were read and checked before they go on.
	Body []byte

	// BodyReader is the body of a streamed request; it is read once and never repeated. Body must be nil then.
	BodyReader io.Reader

	// ContentLength is the length of what BodyReader gives in bytes; -1 when not known, 0 when there is no body.
	ContentLength int64
}

// RawAnswer is upstream's answer as it came: still compressed if the caller accepted that.
type RawAnswer struct {
	// Status is the HTTP status; 0 means that upstream has not answered.
	Status int

	// Header holds the headers of the allow-list (ForwardAnswer).
	Header http.Header

	// Body is the whole body after Invoke.
	Body []byte

	// Document is Body as it was before Content-Encoding, after an Invoke whose answer became the reply message.
	Document []byte

	// Stream is the body after Do, unread and of ContentLength bytes (-1: not known). Who called Do closes it.
	Stream        io.ReadCloser
	ContentLength int64
}

type exchangeKey struct{}

// WithExchange returns a context that carries x to the client.
func WithExchange(ctx context.Context, x *Exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}

// ExchangeFrom returns the Exchange of ctx, or nil.
func ExchangeFrom(ctx context.Context) *Exchange {
	x, _ := ctx.Value(exchangeKey{}).(*Exchange)
	return x
}
