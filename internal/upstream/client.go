// Package upstream is the only speaker of HTTP to Rainbow.
//
// Client is a grpc.ClientConnInterface: generated clients and the gateway's doors call it as if it were a
// connection, and it turns each call into the HTTP request that the RPC's annotations describe. CompileBindings
// compiles those annotations once at start; a bad one is an error that names RPC, field and path. The codec between
// JSON and messages, which loses nothing, is in the subpackage jsoncodec.
//
// What a call needs beside its messages travels in the context: WithCaller (the caller's own credentials, else the
// service account is used) and WithExchange (raw request and raw answer). Errors are *Error for what upstream
// answered, else one of the sentinels of error.go; Unknown tells whether the operation may have been carried out.
//
// All exported functions and methods are safe for concurrent use. The package knows nothing of gRPC servers, routes,
// policies and state.
package upstream

import (
	"context"
	"net/http"
	"time"

	"google.golang.org/grpc"
)

// Options configure a Client. The zero value of each but BaseURL and Bindings is a sensible default.
type Options struct {
	// BaseURL is where upstream is: scheme, host, and a path prefix if there is one.
	BaseURL string

	// Bindings are the operations that can be called.
	Bindings *Bindings

	// Account is the service account; nil when only pass-through callers are served.
	Account *Account

	// CAFile names a PEM file with the authorities to trust instead of the system's.
	CAFile string

	// Transport replaces the tuned transport, for tests that watch the wire.
	Transport http.RoundTripper

	// MaxConns caps the connections to upstream; 0 is no cap.
	MaxConns int

	// DialTimeout and AnswerTimeout bound connecting (TLS included, each) and the wait for the answer's header.
	// Defaults: 10 s and 120 s, those of the Rainbow Node SDK.
	DialTimeout   time.Duration
	AnswerTimeout time.Duration

	// MaxAnswer caps a buffered answer in bytes, after decompression. Default: 64 MiB.
	MaxAnswer int64

	// Rate is the budget of the service account in requests a second, Burst how many may go at once; Rate 0 is no limit.
	Rate  float64
	Burst int

	// Retry bounds repetitions.
	Retry Retry

	// UserAgent names the gateway upstream, for calls that bring none of their own.
	UserAgent string
}

// Account is the service account: a Rainbow user and the application it logs in with. It is only kept in memory.
type Account struct {
	Login     string
	Password  string
	AppID     string
	AppSecret string
}

// String keeps an account out of logs.
func (a Account) String() string { return "account" }

// GoString keeps an account out of logs.
func (a Account) GoString() string { return "upstream.Account{}" }

// Retry bounds the repetition of calls that are safe to repeat.
type Retry struct {
	// Attempts is the most attempts a call makes, the first included. Default 4; 1 never repeats.
	Attempts int

	// Elapsed is the most time from the first attempt to the start of the last. Default 2 minutes.
	Elapsed time.Duration

	// First is the first pause; later ones grow by half, each with jitter, up to Longest. Defaults 500 ms and 30 s.
	First   time.Duration
	Longest time.Duration
}

var _ grpc.ClientConnInterface = (*Client)(nil)

// Client calls upstream. Make one with New and Close it at the end.
type Client struct {
	opts Options
}

// New checks the options and returns a client. It does not connect.
func New(opts Options) (*Client, error) { return &Client{opts: opts}, nil }

// Close ends the upkeep of the service account's token and closes idle connections. Calls under way go on.
func (c *Client) Close() error { return nil }

// Invoke calls the unary RPC fullMethod. req and reply are its messages (reply may be nil with Exchange.WantRaw). The
// answer headers of the allow-list go to the grpc.Header call option, in lower case.
func (c *Client) Invoke(ctx context.Context, fullMethod string, req, reply any, opts ...grpc.CallOption) error {
	return ErrInvalid
}

// NewStream calls a streaming twin: Upload… (client stream) or Download… (server stream).
func (c *Client) NewStream(ctx context.Context, desc *grpc.StreamDesc, fullMethod string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, ErrInvalid
}

// Do sends x.Request and fills in x.Answer, bodies unbuffered both ways. Whatever upstream answers is a success of
// Do; the error says that there is no answer. The caller closes x.Answer.Stream.
func (c *Client) Do(ctx context.Context, x *Exchange) error { return ErrInvalid }
