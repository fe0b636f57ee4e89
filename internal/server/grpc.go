package server

import (
	"context"
	"net"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"

	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
)

// openGRPC makes the gRPC server. Clients may ping every ten seconds, also without calls, as long-lived ones behind
// address translation must; dead ones are noticed within 80 s.
func (s *Server) openGRPC() {
	alive := keepalive.ServerParameters{Time: time.Minute, Timeout: 20 * time.Second}
	if s.config.TLSClientCA != "" {
		alive.MaxConnectionAge = certifiedAge
	}
	opts := []grpc.ServerOption{
		facade.Codec(),
		grpc.ConnectionTimeout(headerTimeout),
		grpc.MaxRecvMsgSize(s.config.MaxMessageBytes),
		grpc.MaxSendMsgSize(s.config.MaxMessageBytes),
		grpc.MaxHeaderListSize(maxHeaderBytes),
		grpc.KeepaliveParams(alive),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.ChainUnaryInterceptor(requestIDUnary, facade.RecoverUnary(s.log)),
		grpc.ChainStreamInterceptor(requestIDStream, facade.RecoverStream(s.log)),
	}
	if s.certificates != nil {
		opts = append(opts, grpc.Creds(credentials.NewTLS(s.certificates.config("h2"))))
	}
	s.grpcServer = grpc.NewServer(opts...)
}

// facing is what a door has to know of its listener.
func (s *Server) facing(l net.Listener) facade.Listener {
	return facade.Listener{
		Loopback: loopback(l), Origins: s.config.AllowOrigins, IdentityHeader: http.CanonicalHeaderKey(s.config.IdentityHeader),
		Allow: s.config.TLSClientAllow,
	}
}

// addPublic serves health and reflection through the dispatcher, like every other service.
func (s *Server) addPublic() error {
	s.health = health.NewServer()
	publics := []facade.Local{
		{Desc: &healthv1.Health_ServiceDesc, Impl: s.health, Public: true},
		{Desc: &reflectionv1.ServerReflection_ServiceDesc, Impl: reflection.NewServerV1(reflection.ServerOptions{Services: s.grpcServer}), Public: true},
	}
	for _, public := range publics {
		if err := s.backend.Dispatcher.Add(public); err != nil {
			return err
		}
	}
	return nil
}

// addDoor registers what callers call, now that every service is known.
func (s *Server) addDoor() {
	listener := s.facing(s.grpcListener)
	listener.MaxMessage = s.config.MaxMessageBytes
	facade.RegisterGRPC(s.grpcServer, s.backend.Dispatcher, listener)
	facade.RegisterRaw(s.grpcServer, s.backend.Dispatcher, listener, facade.Raw{
		On: s.catchesAll(listener), MaxBody: s.config.MaxBodyBytes, MaxUpload: s.config.MaxUploadBytes,
		MaxAnswer: int64(s.config.MaxMessageBytes),
	})
}

// tellHealth makes each service answer by its name, as probes ask; "" is the gateway as a whole.
func (s *Server) tellHealth() {
	for name := range s.grpcServer.GetServiceInfo() {
		s.health.SetServingStatus(name, healthv1.HealthCheckResponse_SERVING)
	}
}

// requestIDUnary settles the id of a call before anything else and tells it to the caller.
func requestIDUnary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	ctx, id := withRequestID(ctx)
	_ = grpc.SetHeader(ctx, metadata.Pairs(facade.RequestIDKey, id))
	return handler(ctx, req)
}

// requestIDStream does the same for streams.
func requestIDStream(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	ctx, id := withRequestID(stream.Context())
	_ = stream.SetHeader(metadata.Pairs(facade.RequestIDKey, id))
	return handler(srv, &identified{ServerStream: stream, ctx: ctx})
}

// withRequestID puts the id where doors read it: into the incoming metadata.
func withRequestID(ctx context.Context) (context.Context, string) {
	md, _ := metadata.FromIncomingContext(ctx)
	var given string
	if values := md.Get(facade.RequestIDKey); len(values) > 0 {
		given = values[0]
	}
	id := facade.RequestID(given)
	if id == given {
		return ctx, id
	}
	md = md.Copy()
	md.Set(facade.RequestIDKey, id)
	return metadata.NewIncomingContext(ctx, md), id
}

// identified is a stream whose context knows its request id.
type identified struct {
	grpc.ServerStream
	ctx context.Context //nolint:containedctx // the interface asks for it
}

// Context returns the context with the id.
func (s *identified) Context() context.Context { return s.ctx }
