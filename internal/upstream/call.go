package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// call is one call to upstream: what to send, as whom, and what may be repeated.
type call struct {
	method, path string // as errors show it: HTTP method and path template
	request      *wireRequest
	passed       wireRequest // the request of an exchange, which is one piece of memory with its call
	reader       io.Reader   // the body of a streamed request, instead of request.body
	length       int64       // of reader, -1 when not known
	source       *source     // reader on its way out

	repeatable bool // may be sent again when its outcome is unknown
	retry      bool // may be sent again at all; a pass-through exchange is not, its caller decides
	buffered   bool // the answer is read as a whole
	noAccount  bool // is never made as the service account

	attempts int           // made so far
	held     time.Duration // spent waiting between them
	unsure   bool          // an attempt before the last may have been carried out
}

// raw makes the call the request of x.
func (k *call) raw(ctx context.Context, x *Exchange) error {
	r := x.Request
	if err := checkTarget(r.Target); err != nil {
		return err
	}
	x.Answer = RawAnswer{}
	k.passed = wireRequest{method: r.Method, target: r.Target, header: ForwardRequest(r.Header), body: r.Body}
	k.request = &k.passed
	k.reader, k.length = r.BodyReader, r.ContentLength
	if _, passes := callerFrom(ctx); passes {
		k.retry = false
	} else {
		k.request.acceptReadable()
	}
	k.repeatable = k.repeatable && r.Method == k.method
	k.guardAuthentication()
	return nil
}

// guardAuthentication keeps the account's token from the authentication portal. A call there is not repeated when its
// answer is lost: a login may have been refused, and five refusals lock the account; a renewal may have been counted.
func (k *call) guardAuthentication() {
	path, _, _ := strings.Cut(k.request.target, "?")
	if BelowAuthentication(path) {
		k.noAccount, k.repeatable = true, false
	}
}

// typedHeaders completes the headers of a request built from a message.
func (k *call) typedHeaders(ctx context.Context, b *Binding, compress bool) {
	h := k.request.header
	k.guardAuthentication()
	h.Set("Accept", b.Accept)
	if compress {
		h.Set("Accept-Encoding", "gzip")
	}
	if caller, ok := callerFrom(ctx); ok {
		for name, values := range caller.Header {
			if strings.HasPrefix(name, rainbowPrefix) && !isCredential(name) {
				h[name] = values
			}
		}
	}
}

// answer is what upstream answered. The body is either read (body) or not (stream).
type answer struct {
	status int
	header http.Header // of the allow-list
	body   []byte
	stream io.ReadCloser
	length int64
}

// discard gives up an answer that nobody will read.
func (a *answer) discard() {
	if a != nil && a.stream != nil {
		_, _ = io.CopyN(io.Discard, a.stream, 64<<10) // so that the connection can be used again
		_ = a.stream.Close()
	}
}

// attempt sends the call once. token is the service account's that was used, "" when none was.
func (c *Client) attempt(ctx context.Context, k *call) (a *answer, token string, err error) {
	header, token, err := c.credentials(ctx, k)
	if err != nil {
		return nil, "", err
	}
	if token != "" {
		if err := c.throttle.wait(ctx, k); err != nil {
			return nil, token, err
		}
	}
	a, err = c.exchange(ctx, k, header)
	return a, token, err
}

// credentials completes the headers of the call: those of its caller, or the service account's token.
func (c *Client) credentials(ctx context.Context, k *call) (header http.Header, token string, err error) {
	header = k.request.header
	if k.attempts++; k.attempts > 1 { // the transport may still be reading those of the last attempt
		header = header.Clone()
	}
	if len(header["User-Agent"]) == 0 {
		header["User-Agent"] = c.userAgent
	}
	if caller, ok := callerFrom(ctx); ok {
		for name, values := range caller.Header {
			if name = http.CanonicalHeaderKey(name); isCredential(name) {
				header[name] = values
			}
		}
		return header, "", nil
	}
	if k.noAccount {
		return header, "", nil
	}
	if c.session == nil {
		return nil, "", k.unsent(ErrNoAccount, nil)
	}
	if token, err = c.session.token(ctx); err != nil {
		return nil, "", k.noToken(ctx, err)
	}
	header.Set(headerAuthorization, "Bearer "+token)
	return header, token, nil
}

// exchange is one HTTP round trip.
func (c *Client) exchange(ctx context.Context, k *call, header http.Header) (*answer, error) {
	parent := ctx
	if k.reader == nil && len(k.request.body) > 0 && k.buffered {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 2*c.opts.AnswerTimeout) // for an upstream that doesn't take the body
		defer cancel()
	}
	ctx, sent := k.watch(ctx)
	resp, err := c.transport.RoundTrip(c.newRequest(ctx, k, header))
	if err != nil {
		return nil, k.broken(parent, c.base.Host, sent(), err)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 599 { // 101 would be a connection of another protocol
		_ = resp.Body.Close()
		return nil, k.broken(parent, c.base.Host, true, fmt.Errorf("status %d is not an answer", resp.StatusCode))
	}
	a := &answer{status: resp.StatusCode, header: keepAllowed(resp.Header), stream: resp.Body, length: resp.ContentLength}
	if !k.buffered {
		return a, nil
	}
	late := time.AfterFunc(c.opts.AnswerTimeout, func() { _ = resp.Body.Close() }) // the head had a time-out of its own
	a.body, err = readAll(resp.Body, resp.ContentLength, c.opts.MaxAnswer)
	if !late.Stop() && err != nil {
		err = fmt.Errorf("the answer did not end within %v: %w", c.opts.AnswerTimeout, context.DeadlineExceeded)
	}
	a.stream = nil
	_ = resp.Body.Close()
	if errors.Is(err, ErrTooLarge) {
		return nil, &callError{method: k.method, path: k.path, kind: ErrTooLarge, unknown: true}
	}
	if err != nil {
		return nil, k.broken(parent, c.base.Host, true, err)
	}
	return a, nil
}

// watch returns a context in which sent tells whether the call had a connection, so that bytes may have gone out. For
// what may be repeated anyway nobody asks, and it says so.
func (k *call) watch(ctx context.Context) (watched context.Context, sent func() bool) {
	if k.repeatable && k.request.method == http.MethodGet {
		return ctx, alwaysSent
	}
	var had atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { had.Store(true) }}
	return httptrace.WithClientTrace(ctx, trace), had.Load
}

func alwaysSent() bool { return true }

// newRequest makes the http.Request; its target is sent byte by byte.
func (c *Client) newRequest(ctx context.Context, k *call, header http.Header) *http.Request {
	req := (&http.Request{Method: k.request.method, URL: c.url(k.request.target), Header: header, Host: c.base.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}).WithContext(ctx)
	switch {
	case k.reader != nil && k.length != 0:
		k.source = &source{reader: k.reader}
		req.Body, req.ContentLength = k.source, k.length
	case len(k.request.body) > 0:
		body := k.request.body
		req.ContentLength = int64(len(body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		req.Body, _ = req.GetBody()
	}
	return req
}

// url joins base and target so that the target goes out as it is. Path and RawPath do for what net/url would write
// itself; for the rest, Opaque does, which a proxy for plain HTTP would not understand.
func (c *Client) url(target string) *url.URL {
	path, query, hasQuery := strings.Cut(target, "?")
	path = strings.TrimSuffix(c.base.EscapedPath(), "/") + path
	u := &url.URL{Scheme: c.base.Scheme, Host: c.base.Host, RawPath: path, RawQuery: query, ForceQuery: hasQuery && query == ""}
	var err error
	if u.Path, err = url.PathUnescape(path); err != nil || u.EscapedPath() != path {
		u.Path, u.RawPath, u.Opaque = "", "", path
	}
	return u
}

// unsent is a failure before anything was sent.
func (k *call) unsent(kind, cause error) error {
	return &callError{method: k.method, path: k.path, kind: kind, cause: cause, unknown: k.unsure}
}

// noToken is a failure to get the service account's token. What may pass is worth another attempt.
func (k *call) noToken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return k.unsent(ctx.Err(), nil)
	}
	e := &callError{method: k.method, path: k.path, kind: ErrLogin, cause: err, unknown: k.unsure}
	answered := (*Error)(nil)
	switch {
	case errors.Is(err, ErrCredentials):
		e.kind = ErrCredentials
	case errors.Is(err, ErrUnreachable):
		e.kind, e.again = ErrUnreachable, true
	case errors.As(err, &answered):
		e.again = mayPass(answered.Status)
	}
	return e
}

// broken is an attempt without an answer. sent tells whether it had a connection, so that bytes may have gone out.
func (k *call) broken(ctx context.Context, host string, sent bool, cause error) error {
	e := &callError{method: k.method, path: k.path, kind: ErrUnreachable, host: host, cause: cause,
		unknown: k.unsure || sent, again: !sent || k.repeatable}
	if ctx.Err() != nil {
		e.kind, e.cause, e.again = ctx.Err(), nil, false
	}
	if err := k.source.failure(); err != nil { // net/http ends the context of a request whose body it can't read
		e.kind, e.host, e.cause, e.again = err, "", nil, false
	}
	return e
}

// failed says that a success was answered, but with a body that can't be taken.
func (k *call) failed(err error) error {
	if err == nil {
		return nil
	}
	kind := ErrAnswer
	if errors.Is(err, ErrTooLarge) {
		kind, err = ErrTooLarge, nil
	}
	return &callError{method: k.method, path: k.path, kind: kind, cause: err, unknown: true}
}
