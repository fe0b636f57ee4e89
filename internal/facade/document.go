package facade

import (
	"context"
	"fmt"
	"strconv"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream/jsoncodec"
)

// DocumentKey is the metadata key by which a caller of the gRPC door asks, with "true", for the whole document beside
// the typed fields: extra_json of the reply message then holds the answer as upstream sent it, after Content-Encoding,
// and UpstreamError holds the body of a refusal. Such a reply is for reading: sent back as a request it is refused, since
// its members are in two places. Calls whose answer is not JSON, and those of the gateway's own services, ignore it.
const DocumentKey = "gateway-raw-document"

// maxErrorBody is the most of a refusal's body that goes into its status, in bytes; it is less where there is no room
// for that.
const maxErrorBody = 4 << 10

// document is a caller's wish for the whole document; nil is none.
type document struct {
	exchange upstream.Exchange
	extra    protoreflect.FieldDescriptor // of the reply, nil when that is not JSON
}

// documentWish reads the wish of a call.
func documentWish(ctx context.Context, op *Operation) (*document, error) {
	values := metadata.ValueFromIncomingContext(ctx, DocumentKey)
	if len(values) == 0 || op.Binding == nil {
		return nil, nil
	}
	wanted, err := strconv.ParseBool(values[0])
	if err != nil || len(values) > 1 {
		return nil, fmt.Errorf("%w: metadata %s: %q is neither true nor false", upstream.ErrInvalid, DocumentKey, values)
	}
	if !wanted {
		return nil, nil
	}
	extra := op.output.Descriptor().Fields().ByNumber(jsoncodec.ExtraNumber)
	return &document{extra: extra}, nil
}

// with makes the client keep the answer.
func (d *document) with(ctx context.Context) context.Context {
	if d == nil {
		return ctx
	}
	return upstream.WithExchange(ctx, &d.exchange)
}

// grant puts the document into the reply.
func (d *document) grant(reply proto.Message) {
	if d == nil || d.extra == nil {
		return
	}
	reply.ProtoReflect().Set(d.extra, protoreflect.ValueOfBytes(d.exchange.Answer.Document))
}

// status is Status with the body of a refusal.
func (d *document) status(err error) *status.Status {
	answered := upstreamError(err)
	if d == nil || answered == nil {
		return Status(err)
	}
	r := answeredRefusal(answered)
	r.envelope.Body, r.envelope.BodySize = answered.Body[:min(len(answered.Body), maxErrorBody)], int32(len(answered.Body))
	return r.status()
}
