package facade

import (
	"context"
	"log/slog"
	"time"

	"google.golang.org/grpc/codes"
)

// Audit writes one line per call: what was called, by whom, as whom, and how it ended. Reads are logged at Debug,
// changes at Info, the gateway's and upstream's own failures at Warn with the scrubbed text of the error. Bodies,
// queries, path values and credentials are never among it.
func Audit(log *slog.Logger) Policy {
	return func(ctx context.Context, call *Call, next Next) error {
		start := time.Now()
		err := next(ctx)
		code := call.Code(err)
		level := auditLevel(call, code)
		if !log.Enabled(ctx, level) {
			return err
		}
		log.LogAttrs(ctx, level, "call", auditAttrs(call, code, err, time.Since(start))...)
		return err
	}
}

func auditLevel(call *Call, code codes.Code) slog.Level {
	switch {
	case code == codes.Internal || code == codes.Unknown || code == codes.DataLoss || code == codes.Unavailable:
		return slog.LevelWarn
	case call.Operation.ReadOnly || call.Operation.Public:
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

func auditAttrs(call *Call, code codes.Code, err error, took time.Duration) []slog.Attr {
	attrs := make([]slog.Attr, 0, 10)
	attrs = append(attrs,
		slog.String("rpc", call.Operation.Name),
		slog.String("door", string(call.Door())),
		slog.String("as", call.Access.String()),
		slog.String("code", code.String()),
		slog.Float64("ms", float64(took.Microseconds())/1000),
	)
	if call.Operation.FullMethod == "" {
		attrs = append(attrs, slog.String("method", call.Operation.HTTPMethod))
	}
	if a := call.Arrival; a != nil {
		attrs = append(attrs, slog.String("peer", a.Peer), slog.String("request_id", a.RequestID))
		if call.Principal.Name != "" {
			attrs = append(attrs, slog.String("principal", call.Principal.Name))
		}
		if a.Holder != nil {
			attrs = append(attrs, slog.String("certificate", a.Holder.Name))
		}
	}
	if answered := upstreamError(err); answered != nil {
		attrs = append(attrs, slog.Int("http_status", answered.Status), slog.String("rainbow_request_id", answered.RequestID))
	} else if call.HTTPStatus != 0 {
		attrs = append(attrs, slog.Int("http_status", call.HTTPStatus))
	}
	if err != nil && code != codes.Canceled {
		attrs = append(attrs, slog.String("error", Scrub(err.Error())))
	}
	return attrs
}
