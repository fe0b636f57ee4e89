package facade

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// RegisterGRPC makes s answer every operation of the dispatcher. All RPCs share one unary and one stream handler; what
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
	reply := op.output.New().Interface()
	var header, trailer metadata.MD
	err := f.dispatcher.Invoke(WithArrival(ctx, f.arrival(ctx)), op.FullMethod, req, reply, grpc.Header(&header), grpc.Trailer(&trailer))
	_ = grpc.SetHeader(ctx, safeMetadata(header))
	_ = grpc.SetTrailer(ctx, trailer)
	if err != nil {
		return nil, Status(err).Err()
	}
	return reply, nil
}

// stream is the handler of every streaming RPC. Only where both sides stream do they do so at the same time; else all
// requests go before the first answer comes.
func (f *grpcDoor) stream(op *Operation, server grpc.ServerStream) error {
	ctx, cancel := context.WithCancel(WithArrival(server.Context(), f.arrival(server.Context())))
	defer cancel()
	client, err := f.dispatcher.NewStream(ctx, op.streamDesc(), op.FullMethod)
	if err != nil {
		return Status(err).Err()
	}
	if op.method.IsStreamingClient() && op.method.IsStreamingServer() {
		go func() {
			if sendAll(op, server, client) != nil {
				cancel()
			}
		}()
	} else if err := sendAll(op, server, client); err != nil {
		return Status(err).Err()
	}
	if err := receiveAll(op, server, client); err != nil {
		return Status(err).Err()
	}
	return nil
}

// sendAll passes the caller's messages on. That the call has ended early is not its error: the reason comes with the
// next receive.
func sendAll(op *Operation, server grpc.ServerStream, client grpc.ClientStream) error {
	for {
		req := op.input.New().Interface()
		err := server.RecvMsg(req)
		if errors.Is(err, io.EOF) {
			return client.CloseSend()
		}
		if err != nil {
			return err
		}
		switch err := client.SendMsg(req); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case !op.method.IsStreamingClient():
			return client.CloseSend()
		}
	}
}

// receiveAll passes the answers back. The header is asked for first: in-process streams (inprocgrpc v1.1.2) would wait
// for the next message when asked after the first.
func receiveAll(op *Operation, server grpc.ServerStream, client grpc.ClientStream) error {
	if header, err := client.Header(); err == nil {
		_ = server.SetHeader(safeMetadata(header))
	}
	defer func() { server.SetTrailer(client.Trailer()) }()
	for {
		reply := op.output.New().Interface()
		err := client.RecvMsg(reply)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := server.SendMsg(reply); err != nil {
			return err
		}
		if !op.method.IsStreamingServer() {
			return nil
		}
	}
}

// arrival reads the caller from peer and metadata.
func (f *grpcDoor) arrival(ctx context.Context) *Arrival {
	md, _ := metadata.FromIncomingContext(ctx)
	header := metadataHeader(md)
	a := &Arrival{Door: DoorGRPC, RequestID: RequestID(header.Get(RequestIDKey))}
	a.Caller, a.Credentials = upstream.CallerFrom(header)
	a.Trusted = f.listener.Trusts(first(md[":authority"]), header)
	if p, ok := peer.FromContext(ctx); ok {
		a.Peer = p.Addr.String()
	}
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

// safeMetadata leaves out what belongs to gRPC's own HTTP/2 answer or to a body that is not sent as it came.
func safeMetadata(md metadata.MD) metadata.MD {
	for _, key := range []string{"content-type", "content-encoding", "content-length", "date", "transfer-encoding"} {
		delete(md, key)
	}
	return md
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
