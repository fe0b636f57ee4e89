package rest

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// mirrorConn is the connection of generated clients: the dispatcher, with the query read into the message on the way.
//
// grpc-gateway would read it itself, but refuses a parameter that is given twice or is not a number, which Rainbow's
// own clients send ("offset=undefined", "limit=100&limit=false"); and its parser can only be replaced for the whole
// process (SetQueryParameterParser writes a package variable). So generated handlers see an empty form, and the
// fields are filled in here, for policies to read: the first value counts, what does not fit is left out. Upstream
// gets the query as it came.
type mirrorConn struct {
	*facade.Dispatcher
}

// Invoke completes the request message of a raw exchange and makes the call.
func (c mirrorConn) Invoke(ctx context.Context, fullMethod string, req, reply any, opts ...grpc.CallOption) error {
	if x := upstream.ExchangeFrom(ctx); x != nil && x.Request != nil {
		if _, query, found := strings.Cut(x.Request.Target, "?"); found {
			c.read(fullMethod, query, req)
		}
	}
	return c.Dispatcher.Invoke(ctx, fullMethod, req, reply, opts...)
}

func (c mirrorConn) read(fullMethod, query string, req any) {
	msg, ok := req.(proto.Message)
	if op := c.Operation(fullMethod); ok && op != nil && op.Binding != nil {
		op.Binding.ReadQuery(query, msg.ProtoReflect())
	}
}
