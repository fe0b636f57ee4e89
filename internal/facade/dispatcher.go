// Package facade is the gateway's own side of a call: the dispatcher that every door calls, the policies that run
// exactly once per call, the gRPC door, and the one table from upstream's errors to gRPC status and HTTP.
//
// Dispatcher is a grpc.ClientConnInterface: the gRPC door, the REST door and the engine use it as a connection. A call
// passes the policies in order and then goes to a service of this process (Local) or upstream. RegisterGRPC makes a
// gRPC server answer every modelled RPC through one generic handler. Status turns any error into what a gRPC caller sees.
//
// Everything exported is safe for concurrent use once built. HTTP routing is in package rest, listeners in package server.
package facade

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/fullstorydev/grpchan/inprocgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// Upstream is what the dispatcher needs of upstream.Client.
type Upstream interface {
	grpc.ClientConnInterface

	// Do sends a raw exchange; see upstream.Client.Do.
	Do(ctx context.Context, x *upstream.Exchange) error
}

// Local is a gRPC service of this process.
type Local struct {
	// Desc and Impl are what protoc-gen-go-grpc's Register function takes.
	Desc *grpc.ServiceDesc
	Impl any

	// Public services answer whoever reaches the listener (health, reflection); the others only callers that may use
	// the service account.
	Public bool

	// Identified services want to know who calls: a Rainbow token of the caller, which the others refuse, tells that (see
	// Identify).
	Identified bool
}

// Dispatcher runs the policies and hands the call on.
type Dispatcher struct {
	operations map[string]*Operation
	upstream   Upstream
	local      *inprocgrpc.Channel
	policies   []Policy
	drain      chan struct{}
}

var _ grpc.ClientConnInterface = (*Dispatcher)(nil)

// NewDispatcher connects bindings and upstream. The first policy is the outermost; log gets what panics.
func NewDispatcher(bindings *upstream.Bindings, up Upstream, log *slog.Logger, policies ...Policy) *Dispatcher {
	local := new(inprocgrpc.Channel)
	d := &Dispatcher{
		operations: make(map[string]*Operation),
		upstream:   up,
		local:      local.WithServerUnaryInterceptor(RecoverUnary(log)).WithServerStreamInterceptor(RecoverStream(log)),
		policies:   policies,
		drain:      make(chan struct{}),
	}
	for _, b := range bindings.All() {
		d.operations[b.FullMethod] = newOperation(b)
	}
	return d
}

// Add connects a service of this process. Services are added before the first call: local services themselves call
// through the dispatcher, so it exists before them.
func (d *Dispatcher) Add(local Local) error {
	ops, err := localOperations(local)
	if err != nil {
		return err
	}
	for _, op := range ops {
		if _, taken := d.operations[op.FullMethod]; taken {
			return fmt.Errorf("method %s: served twice", op.FullMethod)
		}
		d.operations[op.FullMethod] = op
	}
	d.local.RegisterService(local.Desc, local.Impl)
	return nil
}

// Operation returns what is known of a full method name ("/package.Service/Method"), or nil.
func (d *Dispatcher) Operation(fullMethod string) *Operation { return d.operations[fullMethod] }

// Drain ends the server streams of local services with Unavailable, so that a graceful stop need not wait for a
// watcher. Call it once.
func (d *Dispatcher) Drain() { close(d.drain) }

// Invoke makes a unary call. Errors are those of upstream, of the local service (a gRPC status) or of a policy;
// doors translate them with Status.
func (d *Dispatcher) Invoke(ctx context.Context, fullMethod string, req, reply any, opts ...grpc.CallOption) error {
	op := d.operations[fullMethod]
	if op == nil {
		return status.Errorf(codes.Unimplemented, "method %s: unknown", fullMethod)
	}
	call := &Call{Operation: op, Arrival: arrivalFrom(ctx), Request: req}
	return d.run(ctx, call, func(ctx context.Context) error {
		if op.Local {
			return d.local.Invoke(localContext(ctx, call), fullMethod, req, reply, opts...)
		}
		return d.upstream.Invoke(ctx, fullMethod, req, reply, opts...)
	})
}

// Exchange sends a raw request upstream as operation op and gives the answer to consume while it is open; the call
// lasts, for policies too, until consume returns. It is for what generated handlers can't carry byte by byte.
func (d *Dispatcher) Exchange(ctx context.Context, op *Operation, x *upstream.Exchange, consume func(*upstream.RawAnswer) error) error {
	call := &Call{Operation: op, Arrival: arrivalFrom(ctx), exchange: x}
	return d.run(ctx, call, func(ctx context.Context) error {
		if err := d.upstream.Do(ctx, x); err != nil {
			return err
		}
		call.HTTPStatus = x.Answer.Status
		defer func() { _ = x.Answer.Stream.Close() }()
		return consume(&x.Answer)
	})
}

// Admit lets a door ask, before it takes a body, whether Authenticate is going to refuse the call. A refusal is recorded.
func (d *Dispatcher) Admit(ctx context.Context, op *Operation) error {
	arrival := arrivalFrom(ctx)
	if arrival == nil || !op.Local {
		return nil
	}
	if err := localRefusal(op, arrival); err != nil {
		return d.Refused(ctx, op, err)
	}
	return nil
}

// Refused passes a call that a door has refused through the policies, so that it is recorded like any other; it goes
// nowhere. The error is err, or what a policy says before it.
func (d *Dispatcher) Refused(ctx context.Context, op *Operation, err error) error {
	call := &Call{Operation: op, Arrival: arrivalFrom(ctx)}
	return d.run(ctx, call, func(context.Context) error { return err })
}

// run passes the call through the policies, then to last.
func (d *Dispatcher) run(ctx context.Context, call *Call, last Next) error {
	call.policies, call.last = d.policies, last
	call.next = call.step
	return call.step(ctx)
}

// step calls the next policy.
func (c *Call) step(ctx context.Context) error {
	if len(c.policies) == 0 {
		return c.last(ctx)
	}
	policy := c.policies[0]
	c.policies = c.policies[1:]
	return policy(ctx, c, c.next)
}

// localContext carries what a local service may know of its caller. Credentials are not among it.
func localContext(ctx context.Context, call *Call) context.Context {
	md := metadata.MD{}
	if call.Arrival != nil && call.Arrival.RequestID != "" {
		md.Set(RequestIDKey, call.Arrival.RequestID)
	}
	withPrincipal(md, call.Principal)
	return metadata.NewOutgoingContext(ctx, md)
}
