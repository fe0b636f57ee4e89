package rainbow

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// documents is a connection whose answers are what the operations document. Upstream's client takes whatever is JSON as
// an answer, and puts what it can't type into extra_json, where callers may judge for themselves. The engine must not
// take a list that it can't read for one without users, and plan to create them all.
type documents struct{ grpc.ClientConnInterface }

// Invoke refuses an answer whose root, or a list or object at its top, is something else. Whether the call was carried
// out is then unknown.
func (d documents) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	if err := d.ClientConnInterface.Invoke(ctx, method, args, reply, opts...); err != nil {
		return err
	}
	if msg, ok := reply.(proto.Message); ok {
		return documented(method, msg.ProtoReflect())
	}
	return nil
}

// documented checks a reply. Null and an empty list, which no field can hold either, say that there is nothing.
func documented(method string, reply protoreflect.Message) error {
	fields := reply.Descriptor().Fields()
	extra := fields.ByName("extra_json")
	if extra == nil || !reply.Has(extra) {
		return nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(reply.Get(extra).Bytes(), &members) != nil || members == nil {
		return fmt.Errorf("method %s: %w: the document is no object", method, upstream.ErrAnswer)
	}
	for i := range fields.Len() {
		field := fields.Get(i)
		value, odd := members[field.JSONName()]
		if !odd || (!field.IsList() && field.Message() == nil) {
			continue
		}
		inner, list := bytes.CutPrefix(value, []byte{'['})
		if empty := list && len(bytes.TrimSpace(inner)) == 1; !empty && string(value) != "null" {
			return fmt.Errorf("method %s: %w: %s is not what is documented", method, upstream.ErrAnswer, field.JSONName())
		}
	}
	return nil
}
