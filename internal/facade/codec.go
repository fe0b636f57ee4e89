package facade

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	protocodec "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// Codec is the option that a gRPC server needs for RegisterGRPC: protobuf as always, and replies that are in wire format
// already.
func Codec() grpc.ServerOption {
	return grpc.ForceServerCodecV2(codec{encoding.GetCodecV2(protocodec.Name)})
}

type codec struct{ encoding.CodecV2 }

// Marshal passes an upstream.WireReply on as it is.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	if reply, ok := v.(*upstream.WireReply); ok {
		return mem.BufferSlice{mem.SliceBuffer(reply.Message)}, nil
	}
	return c.CodecV2.Marshal(v)
}
