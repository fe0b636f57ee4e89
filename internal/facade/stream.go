package facade

import (
	"context"
	"errors"
	"io"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// NewStream opens a streaming call. The policies see it as one call that lasts until the stream has ended; as with
// every gRPC stream, the caller reads until an error or cancels ctx.
func (d *Dispatcher) NewStream(ctx context.Context, desc *grpc.StreamDesc, fullMethod string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	op := d.operations[fullMethod]
	if op == nil {
		return nil, status.Errorf(codes.Unimplemented, "method %s: unknown", fullMethod)
	}
	call := &Call{Operation: op, Arrival: arrivalFrom(ctx)}
	ctx, cancel := context.WithCancelCause(ctx)
	opened := make(chan *stream, 1)
	result := make(chan error, 1)
	go func() {
		result <- d.run(ctx, call, func(ctx context.Context) error {
			inner, err := d.open(ctx, call, desc, opts)
			if err != nil {
				return err
			}
			s := &stream{ClientStream: inner, single: !desc.ServerStreams, ended: make(chan struct{}), cancel: cancel, first: call.first}
			opened <- s
			return s.wait(ctx, d.drained(op))
		})
		cancel(context.Canceled)
	}()
	select {
	case s := <-opened:
		return s, nil
	case err := <-result:
		return nil, err
	}
}

func (d *Dispatcher) open(ctx context.Context, call *Call, desc *grpc.StreamDesc, opts []grpc.CallOption) (grpc.ClientStream, error) {
	if call.Operation.Local {
		return d.local.NewStream(localContext(ctx, call), desc, call.Operation.FullMethod, opts...)
	}
	return d.upstream.NewStream(ctx, desc, call.Operation.FullMethod, opts...)
}

// drained is the channel that ends op's streams when the gateway stops; upstream's streams end by themselves.
func (d *Dispatcher) drained(op *Operation) <-chan struct{} {
	if op.Local && op.method.IsStreamingServer() {
		return d.drain
	}
	return nil
}

// errStopping is what a watcher is told when the gateway stops.
var errStopping = status.Error(codes.Unavailable, "the gateway is stopping")

// stream is a stream whose end is noticed, so that the policies around it can finish.
type stream struct {
	grpc.ClientStream
	single bool // one answer and no more: its arrival is the end

	first func(proto.Message) error // judges the first message sent; nil behind it

	ended  chan struct{}
	once   sync.Once
	err    error // why it ended, nil for its natural end; written before ended is closed
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	stopped bool // by Drain
}

// RecvMsg notices the end of the stream.
func (s *stream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	if err != nil && s.isStopped() {
		err = errStopping
	}
	if err != nil || s.single {
		s.end(err)
	}
	return err
}

// SendMsg notices a message that can't be sent; after io.EOF the verdict comes with RecvMsg.
func (s *stream) SendMsg(m any) error {
	if err := s.judge(m); err != nil {
		s.end(err)
		return err
	}
	err := s.ClientStream.SendMsg(m)
	if err != nil && !errors.Is(err, io.EOF) {
		s.end(err)
	}
	return err
}

// judge lets the policies see the first message.
func (s *stream) judge(m any) error {
	first := s.first
	msg, ok := m.(proto.Message)
	if first == nil || !ok {
		return nil
	}
	s.first = nil
	return first(msg)
}

func (s *stream) end(err error) {
	s.once.Do(func() {
		if !errors.Is(err, io.EOF) {
			s.err = err
		}
		close(s.ended)
	})
}

func (s *stream) isStopped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

// wait returns when the stream has ended, with the reason.
func (s *stream) wait(ctx context.Context, drain <-chan struct{}) error {
	select {
	case <-s.ended:
		return s.err
	case <-ctx.Done():
		select {
		case <-s.ended: // the caller gave it up because it has ended
			return s.err
		default:
			return context.Cause(ctx)
		}
	case <-drain:
		s.mu.Lock()
		s.stopped = true
		s.mu.Unlock()
		s.cancel(errStopping)
		return errStopping
	}
}
