package rest

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

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
	query map[string]map[string]protoreflect.FieldDescriptor // by RPC and parameter
}

func newMirrorConn(d *facade.Dispatcher, rules []*route) *mirrorConn {
	c := &mirrorConn{Dispatcher: d, query: map[string]map[string]protoreflect.FieldDescriptor{}}
	for _, rt := range rules {
		if rt.op.Binding == nil {
			continue
		}
		fields := map[string]protoreflect.FieldDescriptor{}
		for _, param := range rt.op.Binding.Query {
			fields[param.Name] = param.Field
		}
		c.query[rt.op.FullMethod] = fields
	}
	return c
}

// Invoke completes the request message of a raw exchange and makes the call.
func (c *mirrorConn) Invoke(ctx context.Context, fullMethod string, req, reply any, opts ...grpc.CallOption) error {
	if x := upstream.ExchangeFrom(ctx); x != nil && x.Request != nil {
		if _, query, found := strings.Cut(x.Request.Target, "?"); found {
			fillQuery(req, query, c.query[fullMethod])
		}
	}
	return c.Dispatcher.Invoke(ctx, fullMethod, req, reply, opts...)
}

// fillQuery sets the fields of msg from a raw query, as far as they fit.
func fillQuery(msg any, query string, fields map[string]protoreflect.FieldDescriptor) {
	m, ok := msg.(proto.Message)
	if !ok || len(fields) == 0 {
		return
	}
	ref := m.ProtoReflect()
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		name, value, _ := strings.Cut(pair, "=")
		field := fields[unescape(name)]
		if field == nil || ref.Has(field) && !field.IsList() {
			continue
		}
		if v, ok := queryValue(field, unescape(value)); ok {
			setValue(ref, field, v)
		}
	}
}

func setValue(ref protoreflect.Message, field protoreflect.FieldDescriptor, v protoreflect.Value) {
	if field.IsList() {
		ref.Mutable(field).List().Append(v)
		return
	}
	ref.Set(field, v)
}

// queryValue reads one value; ok is false when it is not of the field's kind.
func queryValue(field protoreflect.FieldDescriptor, text string) (v protoreflect.Value, ok bool) {
	switch field.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(strings.ToValidUTF8(text, "\uFFFD")), true
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(text == "true"), text == "true" || text == "false"
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		n, err := strconv.ParseInt(text, 10, 32)
		return protoreflect.ValueOfInt32(int32(n)), err == nil
	case protoreflect.DoubleKind:
		n, err := strconv.ParseFloat(text, 64)
		return protoreflect.ValueOfFloat64(n), err == nil
	}
	return protoreflect.Value{}, false
}

func unescape(text string) string {
	if strings.IndexByte(text, '%') < 0 && strings.IndexByte(text, '+') < 0 {
		return text
	}
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}
