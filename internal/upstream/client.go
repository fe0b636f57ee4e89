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
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
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

	// LoginPause is how long no login is tried after one was refused; it doubles with each further refusal, and is at
	// least 65 minutes when the account is locked. Default: 15 minutes.
	LoginPause time.Duration

	// Retry bounds repetitions.
	Retry Retry

	// UserAgent names the gateway upstream, for calls that bring none of their own.
	UserAgent string

	// Radar is shown JSON answers; it may be nil.
	Radar Radar
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

// withDefaults fills in what is zero.
func (o Options) withDefaults() Options {
	o.DialTimeout = cmp.Or(o.DialTimeout, 10*time.Second)
	o.AnswerTimeout = cmp.Or(o.AnswerTimeout, 120*time.Second)
	o.MaxAnswer = cmp.Or(o.MaxAnswer, 64<<20)
	o.LoginPause = cmp.Or(o.LoginPause, 15*time.Minute)
	o.UserAgent = cmp.Or(o.UserAgent, "rainbow-gateway")
	o.Retry.Attempts = cmp.Or(o.Retry.Attempts, 4)
	o.Retry.Elapsed = cmp.Or(o.Retry.Elapsed, 2*time.Minute)
	o.Retry.First = cmp.Or(o.Retry.First, 500*time.Millisecond)
	o.Retry.Longest = cmp.Or(o.Retry.Longest, 30*time.Second)
	return o
}

var _ grpc.ClientConnInterface = (*Client)(nil)

// Client calls upstream. Make one with New and Close it at the end.
type Client struct {
	opts      Options
	base      *url.URL
	transport http.RoundTripper
	session   *session // nil without a service account
	throttle  *throttle
	userAgent []string // as a header's values
}

// New checks the options and returns a client. It does not connect.
func New(opts Options) (*Client, error) {
	opts = opts.withDefaults()
	base, err := url.Parse(opts.BaseURL)
	if err != nil || (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, errors.New("upstream URL: want http(s)://host[:port][/prefix] without user, query and fragment")
	}
	if opts.Bindings == nil {
		return nil, errors.New("upstream: no bindings")
	}
	c := &Client{opts: opts, base: base, transport: opts.Transport, throttle: newThrottle(opts.Rate, opts.Burst, opts.Retry.Elapsed),
		userAgent: []string{opts.UserAgent}}
	if c.transport == nil {
		if c.transport, err = newTransport(opts); err != nil {
			return nil, err
		}
	}
	if opts.Account != nil {
		c.session = newSession(*opts.Account, opts.LoginPause, c.signIn)
	}
	return c, nil
}

// Close ends the upkeep of the service account's token and closes idle connections. Calls under way go on, but get no
// new token.
func (c *Client) Close() error {
	if c.session != nil {
		c.session.close()
	}
	if t, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
	return nil
}

// Invoke calls the unary RPC fullMethod. req and reply are its messages; with an Exchange req is only used when that
// has no Request, and reply only when that doesn't say WantRaw. Else the answer headers of the allow-list go to the
// grpc.Header call option, in lower case, also when the call fails.
func (c *Client) Invoke(ctx context.Context, fullMethod string, req, reply any, opts ...grpc.CallOption) error {
	b := c.opts.Bindings.ByMethod(fullMethod)
	if b == nil || b.VariantOf != nil {
		return status.Errorf(codes.Unimplemented, "method %s is not an operation of Rainbow", fullMethod)
	}
	x := ExchangeFrom(ctx)
	codec, err := b.codecFor(opts)
	if err != nil {
		return b.invalid(err)
	}
	k, err := c.unary(ctx, b, x, req)
	if err != nil {
		return b.invalid(err)
	}
	a, err := c.send(ctx, k)
	if err != nil {
		return err
	}
	if x != nil {
		x.Answer = RawAnswer{Status: a.status, Header: a.header, Body: a.body, ContentLength: int64(len(a.body))}
	}
	raw := x != nil && x.WantRaw
	if !raw { // else the headers are in the exchange
		setHeaderOption(opts, a.header)
	}
	if b.success(a.status) {
		c.observe(b, a)
	}
	switch {
	case raw && a.status == http.StatusNotModified: // the caller asked for that, with If-None-Match
		return nil
	case !b.success(a.status):
		return k.refusal(a, c.opts.MaxAnswer)
	case raw:
		return nil
	}
	document, err := b.decode(a, codec, reply, c.opts.MaxAnswer)
	if x != nil && err == nil {
		x.Answer.Document = document
	}
	return k.failed(err)
}

// unary prepares the call of a unary RPC.
func (c *Client) unary(ctx context.Context, b *Binding, x *Exchange, req any) (*call, error) {
	k := &call{method: b.Method, path: b.Path.Template, repeatable: b.Repeatable(), retry: true, buffered: true,
		noAccount: b.Operation.GetNoCredentials()}
	if x != nil && x.Request != nil {
		return k, k.raw(ctx, x)
	}
	msg, ok := req.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("request: %T is not a message", req)
	}
	var err error
	if k.request, err = b.build(msg); err != nil {
		return nil, err
	}
	k.typedHeaders(ctx, b, x == nil)
	return k, nil
}

// Do sends x.Request and fills in x.Answer, bodies unbuffered both ways. Whatever upstream answers is a success of
// Do; the error says that there is no answer. The caller closes x.Answer.Stream.
func (c *Client) Do(ctx context.Context, x *Exchange) error {
	k := &call{method: x.Request.Method, path: "(raw)", repeatable: x.Request.Method == http.MethodGet, retry: true}
	if err := k.raw(ctx, x); err != nil {
		return (&Binding{Method: k.method, Path: Path{Template: k.path}}).invalid(err)
	}
	a, err := c.send(ctx, k)
	if err != nil {
		return err
	}
	x.Answer = RawAnswer{Status: a.status, Header: a.header, Stream: a.stream, ContentLength: a.length}
	return nil
}

// invalid says that a request can't be sent.
func (b *Binding) invalid(cause error) error {
	return &callError{method: b.Method, path: b.Path.Template, kind: ErrInvalid, cause: cause}
}

// success tells whether a status is an answer of the operation: 2xx, and for documents that are not JSON also a
// redirect, which is then the answer (OAuthAuthorize).
func (b *Binding) success(status int) bool {
	return status/100 == 2 || (status/100 == 3 && b.ResponseMedia != "")
}
