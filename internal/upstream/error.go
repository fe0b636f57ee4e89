package upstream

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// The kinds of failure that are not an answer of the called operation. Test for them with errors.Is.
var (
	// ErrInvalid: the request can't be sent as it is (a path value, a body, extra_json). Nothing was sent.
	ErrInvalid = errors.New("invalid request")

	// ErrUnreachable: upstream gave no answer: no connection, a broken one, or a time-out of the transport.
	ErrUnreachable = errors.New("upstream unreachable")

	// ErrNoAccount: the call brings no credentials and no service account is configured. Nothing was sent.
	ErrNoAccount = errors.New("no service account: set GATEWAY_LOGIN, GATEWAY_PASSWORD, GATEWAY_APP_ID and GATEWAY_APP_SECRET, or send Rainbow credentials with the call")

	// ErrCredentials: upstream refused the service account's login. It is not tried again before a pause is over,
	// since five refusals lock the account. The call itself was not sent.
	ErrCredentials = errors.New("service account refused")

	// ErrLogin: the service account got no token for another reason than its credentials, e.g. a 5xx. The call itself
	// was not sent.
	ErrLogin = errors.New("service account could not log in")

	// ErrTooLarge: the answer is larger than the client buffers.
	ErrTooLarge = errors.New("answer too large")

	// ErrAnswer: upstream answered success with a body that is not what the operation answers.
	ErrAnswer = errors.New("malformed answer")
)

// Error is an answer of upstream that is not a success. It holds the error envelope of the Rainbow portals
// (errorCode, errorMsg, errorDetails, errorDetailsCode) and the answer as it came.
type Error struct {
	// Status is the HTTP status.
	Status int

	// Code is errorDetailsCode, six digits whose first three are the status (409550); 0 when absent.
	Code int

	// Msg is errorMsg. Foreign says that the answer is not Rainbow's envelope but, say, a proxy's page: then Msg is the
	// beginning of its text, or its title.
	Msg     string
	Foreign bool

	// Details is errorDetails as JSON text: a string, a list of {param, msg, value} or an object. Nil when absent.
	Details []byte

	// Method and Path say which operation: the HTTP method and the path template, never values or the query.
	Method, Path string

	// RetryAfter is what the Retry-After header asks to wait; 0 when absent.
	RetryAfter time.Duration

	// RequestID is x-rainbow-request-id, by which the vendor's support finds the call.
	RequestID string

	// Header (of the allow-list), ContentType and Body are the answer as it came, decompressed.
	Header      http.Header
	ContentType string
	Body        []byte

	// unsure: an earlier attempt of the same call may have been carried out.
	unsure bool
}

// Error tells what was called and what upstream answered, without body, details and values.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: upstream answered %d", e.Method, e.Path, e.Status)
	if text := http.StatusText(e.Status); text != "" {
		b.WriteString(" " + text)
	}
	if e.Code != 0 {
		fmt.Fprintf(&b, ", code %d", e.Code)
	}
	if e.RequestID != "" {
		b.WriteString(", request " + e.RequestID)
	}
	return b.String()
}

// callError is a failure without an answer of the operation itself.
type callError struct {
	method, path string // as in Error
	host         string // of upstream, when it matters
	kind         error  // one of the sentinels, or the context's error
	cause        error  // may be nil
	unknown      bool   // the operation may have been carried out
	again        bool   // another attempt is safe and may help
}

func (e *callError) Error() string {
	var b strings.Builder
	b.WriteString(e.method + " " + e.path)
	if inner := (*callError)(nil); !errors.As(e.cause, &inner) || !errors.Is(inner.kind, e.kind) { // else the login's says it
		fmt.Fprintf(&b, ": %v", e.kind)
	}
	if e.host != "" {
		b.WriteString(" (" + e.host + ")")
	}
	if e.cause != nil {
		b.WriteString(": " + Cause(e.cause))
	}
	return b.String()
}

func (e *callError) Unwrap() []error {
	if e.cause == nil {
		return []error{e.kind}
	}
	return []error{e.kind, e.cause}
}

// Unknown tells whether the operation behind err may have been carried out although the call failed: the connection
// broke or the time ran out after the request was sent, upstream answered 5xx, or it answered success unreadably. It
// is false when upstream surely did nothing: the request was never sent, or was refused (4xx, 429, 503 with
// Retry-After). An error that is not of this package is taken as unknown.
func Unknown(err error) bool {
	if err == nil {
		return false
	}
	if e := (*callError)(nil); errors.As(err, &e) {
		return e.unknown
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.unsure || e.maybeDone()
	}
	return !errors.Is(err, ErrInvalid)
}

// maybeDone judges the answer alone. A 408 comes from a front end that stopped waiting, for whom is not said.
func (e *Error) maybeDone() bool {
	switch {
	case e.Status == http.StatusRequestTimeout:
		return true
	case e.Status == http.StatusServiceUnavailable:
		return e.RetryAfter == 0
	default:
		return e.Status >= 500
	}
}
