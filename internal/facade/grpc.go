package facade

import (
	"context"
	"crypto/tls"
	"net/http"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// RegisterGRPC makes s, a server with Codec, answer every operation of the dispatcher. All RPCs share one unary and one stream handler; what
// differs between them is data.
func RegisterGRPC(s grpc.ServiceRegistrar, d *Dispatcher, l Listener) {
	f := &grpcDoor{dispatcher: d, listener: l}
	services := map[protoreflect.FullName]*grpc.ServiceDesc{}
	for _, op := range d.operations {
		service := op.method.Parent()
		desc := services[service.FullName()]
		if desc == nil {
			desc = &grpc.ServiceDesc{ServiceName: string(service.FullName()), Metadata: service.ParentFile().Path()}
			services[service.FullName()] = desc
		}
		f.add(desc, op)
	}
	for _, desc := range services {
		s.RegisterService(desc, nil)
	}
}

type grpcDoor struct {
	dispatcher *Dispatcher
	listener   Listener
}

func (f *grpcDoor) add(desc *grpc.ServiceDesc, op *Operation) {
	if op.method.IsStreamingClient() || op.method.IsStreamingServer() {
		stream := *op.streamDesc()
		stream.Handler = func(_ any, s grpc.ServerStream) error { return f.stream(op, s) }
		desc.Streams = append(desc.Streams, stream)
		return
	}
	desc.Methods = append(desc.Methods, grpc.MethodDesc{
		MethodName: string(op.method.Name()),
		Handler: func(_ any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
			return f.unary(ctx, op, decode, interceptor)
		},
	})
}

// unary is the handler of every unary RPC.
func (f *grpcDoor) unary(ctx context.Context, op *Operation, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
	req := op.input.New().Interface()
	if err := decode(req); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return f.call(ctx, op, req)
	}
	info := &grpc.UnaryServerInfo{FullMethod: op.FullMethod}
	return interceptor(ctx, req, info, func(ctx context.Context, req any) (any, error) { return f.call(ctx, op, req) })
}

func (f *grpcDoor) call(ctx context.Context, op *Operation, req any) (any, error) {
	arrived := WithArrival(ctx, f.arrival(ctx))
	wish, err := documentWish(ctx, op)
	if err != nil {
		return nil, Status(f.dispatcher.Refused(arrived, op, err)).Err()
	}
	if wish == nil && !op.Local {
		return f.pass(ctx, arrived, op, req)
	}
	reply := op.output.New().Interface()
	var header, trailer metadata.MD
	err = f.dispatcher.Invoke(wish.with(arrived), op.FullMethod, req, reply, grpc.Header(&header), grpc.Trailer(&trailer))
	_ = grpc.SetHeader(ctx, safeMetadata(header))
	_ = grpc.SetTrailer(ctx, trailer)
	if err != nil {
		return nil, wish.status(err).Err()
	}
	wish.grant(reply)
	if limit := f.listener.MaxMessage; wish != nil && limit > 0 && proto.Size(reply) > limit {
		return nil, Status(upstream.ErrTooLarge).Err()
	}
	return reply, nil
}

// pass is a call of Rainbow whose reply nobody here looks at: it stays in wire format.
func (f *grpcDoor) pass(ctx, arrived context.Context, op *Operation, req any) (any, error) {
	reply := &upstream.WireReply{Limit: f.listener.MaxMessage}
	var header metadata.MD
	err := f.dispatcher.Invoke(arrived, op.FullMethod, req, reply, grpc.Header(&header))
	_ = grpc.SetHeader(ctx, safeMetadata(header))
	if err != nil {
		return nil, Status(err).Err()
	}
	return reply, nil
}

// stream is the handler of every streaming RPC.
func (f *grpcDoor) stream(op *Operation, server grpc.ServerStream) error {
	ctx, cancel := context.WithCancel(WithArrival(server.Context(), f.arrival(server.Context())))
	defer cancel()
	wish, err := documentWish(ctx, op)
	if err != nil {
		return Status(f.dispatcher.Refused(ctx, op, err)).Err()
	}
	client, err := f.dispatcher.NewStream(wish.with(ctx), op.streamDesc(), op.FullMethod)
	if err != nil {
		return wish.status(err).Err()
	}
	c := conversation{op: op, server: server, client: client, wish: wish}
	if err := c.run(cancel); err != nil {
		return wish.status(err).Err()
	}
	return nil
}

// arrival reads the caller from peer and metadata.
func (f *grpcDoor) arrival(ctx context.Context) *Arrival {
	md, _ := metadata.FromIncomingContext(ctx)
	header := metadataHeader(md)
	a := &Arrival{Door: DoorGRPC, RequestID: RequestID(header.Get(RequestIDKey))}
	a.Caller, a.Credentials = upstream.CallerFrom(header)
	var conn *tls.ConnectionState
	if p, ok := peer.FromContext(ctx); ok {
		a.Peer = p.Addr.String()
		if info, ok := p.AuthInfo.(credentials.TLSInfo); ok {
			conn = &info.State
		}
	}
	f.listener.Meet(a, first(md[":authority"]), header, conn)
	return a
}

// metadataHeader shows incoming metadata as headers. Binary entries have no place upstream.
func metadataHeader(md metadata.MD) http.Header {
	h := make(http.Header, len(md))
	for key, values := range md {
		if !strings.HasPrefix(key, ":") && !strings.HasSuffix(key, "-bin") {
			h[http.CanonicalHeaderKey(key)] = values
		}
	}
	return h
}

// safeMetadata leaves out what belongs to gRPC's own HTTP/2 answer or to a body that is not sent as it came, and
// gives upstream's id of the call another name than the gateway's.
func safeMetadata(md metadata.MD) metadata.MD {
	for _, key := range []string{"content-type", "content-encoding", "content-length", "date", "transfer-encoding"} {
		delete(md, key)
	}
	if ids, ok := md[RequestIDKey]; ok {
		delete(md, RequestIDKey)
		md[UpstreamIDKey] = ids
	}
	return md
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
