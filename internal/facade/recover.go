package facade

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

	"google.golang.org/grpc"
)

// RecoverUnary turns a panic in a unary handler into an internal error; stack and text go to log.
func RecoverUnary(log *slog.Logger) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (reply any, err error) {
		defer func() {
			if v := recover(); v != nil {
				reply, err = nil, recovered(ctx, log, info.FullMethod, v)
			}
		}()
		return handler(ctx, req)
	}
}

// RecoverStream does the same for streams.
func RecoverStream(log *slog.Logger) grpc.StreamServerInterceptor {
	return func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
		defer func() {
			if v := recover(); v != nil {
				err = recovered(stream.Context(), log, info.FullMethod, v)
			}
		}()
		return handler(srv, stream)
	}
}

func recovered(ctx context.Context, log *slog.Logger, fullMethod string, v any) error {
	log.ErrorContext(ctx, "panic", "rpc", fullMethod, "error", Scrub(fmt.Sprint(v)), "stack", string(debug.Stack()))
	return unknownFault.grpcStatus().Err()
}
