package facade

import (
	"context"
	"crypto/tls"
	"net/http"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// RequestIDKey is the metadata key and header that carries the gateway's id of a call; UpstreamIDKey the one under which callers
// find an x-request-id of upstream's, or of what stands before it. (Rainbow's own id is x-rainbow-request-id.)
const (
	RequestIDKey  = "x-request-id"
	UpstreamIDKey = "x-upstream-request-id"
)

// Next goes on with a call: the next policy, or the call itself.
type Next func(ctx context.Context) error

// Policy is a rule or a record around calls. It calls next once, or not at all and returns the refusal.
type Policy func(ctx context.Context, call *Call, next Next) error

// Call is one call on its way through the policies. It belongs to one goroutine.
type Call struct {
	// Operation is what is called.
	Operation *Operation

	// Arrival is how the call came in; nil for a call that the gateway's own engine makes.
	Arrival *Arrival

	// Request is the request message, nil for streams and raw exchanges. When the REST door mirrors a route it holds
	// the path and query parameters; the body travels as bytes.
	Request any

	// Access is decided by Authenticate.
	Access Access

	// Principal is the caller of a local service, as Identify found out; the zero value when nothing vouches for him.
	Principal Principal

	// HTTPStatus is upstream's status once known; 0 otherwise.
	HTTPStatus int

	policies   []Policy // still to come
	last, next Next     // the call itself, and step, bound once

	// exchange is the raw request of a call that Dispatcher.Exchange makes.
	exchange *upstream.Exchange

	// first, when a policy has set it, judges the first message of a stream; its error ends the call.
	first func(msg proto.Message) error
}

// Code is how the call ended, for logs and metrics. A raw exchange ends without an error whatever upstream answers.
func (c *Call) Code(err error) codes.Code {
	if err == nil && c.HTTPStatus >= http.StatusBadRequest {
		return rainbowCode(c.HTTPStatus)
	}
	return codeOf(err)
}

// Access says as whom a call goes on.
type Access int

const (
	// AccessUndecided is a call that was refused before that was decided.
	AccessUndecided Access = iota
	// AccessSelf is the engine's own call, as the service account.
	AccessSelf
	// AccessPassThrough carries the caller's own Rainbow credentials upstream.
	AccessPassThrough
	// AccessAccount uses the service account for a caller without credentials.
	AccessAccount
	// AccessAnonymous goes upstream without credentials.
	AccessAnonymous
)

// String names the access for logs.
func (a Access) String() string {
	switch a {
	case AccessSelf:
		return "self"
	case AccessPassThrough:
		return "pass-through"
	case AccessAccount:
		return "account"
	case AccessAnonymous:
		return "anonymous"
	}
	return "nobody"
}

// Door names the way a call came in.
type Door string

// The doors.
const (
	DoorGRPC Door = "grpc"
	DoorREST Door = "rest"
	DoorSelf Door = "self"
)

// Arrival is how a call came in: what a door knows of its caller.
type Arrival struct {
	Door      Door
	Peer      string // network address of the caller
	RequestID string

	// Caller holds the credentials and X-Rainbow-* headers that the call brought; Credentials tells whether any of
	// them makes it a pass-through call.
	Caller      upstream.Caller
	Credentials bool

	// Trusted says that the call came to a loopback listener, with a loopback Host and no foreign Origin, or from the
	// holder of a client certificate whom the configuration lists.
	Trusted bool

	// Holder is whom the client certificate of the connection names; nil without one that its authority vouches for.
	Holder *Holder

	// Named holds what the listener's identity header says, if there is one, the call is trusted and there is no Holder.
	Named []string

	// Answer holds the headers of the REST answer that is going to be written, for policies to add to; nil at other doors.
	Answer http.Header
}

type arrivalKey struct{}

// WithArrival returns a context for a call that came in by a door.
func WithArrival(ctx context.Context, a *Arrival) context.Context {
	return context.WithValue(ctx, arrivalKey{}, a)
}

func arrivalFrom(ctx context.Context) *Arrival {
	a, _ := ctx.Value(arrivalKey{}).(*Arrival)
	return a
}

// Door returns how the call came in.
func (c *Call) Door() Door {
	if c.Arrival == nil {
		return DoorSelf
	}
	return c.Arrival.Door
}

// Listener is what a door must know of the listener it serves, to judge callers.
type Listener struct {
	// Loopback says that only this machine can connect.
	Loopback bool

	// Origins are the browser origins, beside the request's own host, that are not foreign.
	Origins []string

	// IdentityHeader is the header in which what stands before the listener names callers, in canonical form; empty when
	// nothing does. It is believed of trusted calls only.
	IdentityHeader string

	// Allow are the holders of client certificates who are trusted from wherever they call.
	Allow Holders

	// MaxMessage is the largest message that a gRPC listener sends, in bytes; 0 is no bound.
	MaxMessage int
}

// Trusts applies the rule for callers without credentials: a loopback listener, a loopback Host (against DNS
// rebinding) and no foreign Origin (against other sites in the browser). host is the Host header or :authority.
func (l Listener) Trusts(host string, header http.Header) bool {
	return l.Loopback && loopbackHost(host) && !l.foreign(host, header)
}

// Meet notes what the connection of a call and its header tell of its caller. host is the Host header or :authority; conn is
// nil without TLS. A caller with a certificate is known by that, whatever he says in headers.
func (l Listener) Meet(a *Arrival, host string, header http.Header, conn *tls.ConnectionState) {
	a.Trusted = l.Trusts(host, header)
	if a.Holder = holderOf(conn); a.Holder != nil {
		if len(l.Allow) > 0 {
			a.Trusted = l.Allow.has(a.Holder) && !l.foreign(host, header)
		}
		return
	}
	if l.IdentityHeader != "" && a.Trusted {
		a.Named = header[l.IdentityHeader]
	}
}
