package upstream

import (
	"bytes"
	"fmt"
	"sync"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	optionsv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/options/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream/jsoncodec"
)

// Binding is one RPC compiled from its descriptor.
type Binding struct {
	// FullMethod is the RPC as gRPC names it: "/rainbow.rvcpprovisioning.v1.CloudPbxService/ListCloudPbxs".
	FullMethod string

	// Method is the HTTP method.
	Method string

	// Path is the upstream path.
	Path Path

	// Query and Header are the request's fields that travel so, in the order of their numbers.
	Query  []Param
	Header []Param

	// Body is the request's body field, nil when there is none; ResponseBody the field of the reply that the whole
	// answer is, nil when the answer is the reply.
	Body         protoreflect.FieldDescriptor
	ResponseBody protoreflect.FieldDescriptor

	// Operation is the RPC's own option.
	Operation *optionsv1.Operation

	// RequestMedia and ResponseMedia are the media types of bodies that are not JSON, else "".
	RequestMedia  string
	ResponseMedia string

	// Accept is the Accept header of a typed call.
	Accept string

	// File is the media type of the file that an operation answers instead of its JSON document when it is asked to
	// (by Accept, or by a parameter), else "". It is that of its Download… twin.
	File string

	// VariantOf is the unary RPC whose streaming twin this is, else nil. A twin has the method, path, query, body and
	// operation of its unary RPC; its ResponseMedia is its own when the unary RPC answers JSON.
	VariantOf *Binding

	// Input and Output are the types of the RPC's own messages.
	Input  protoreflect.MessageType
	Output protoreflect.MessageType

	// Descriptor is what this was compiled from.
	Descriptor protoreflect.MethodDescriptor

	// input is where the parameters are: Input, or for an upload the type of its first part's request.
	input     protoreflect.MessageDescriptor
	bodyCodec *jsoncodec.Message // of Body, when it is JSON
	codec     *jsoncodec.Message // of the answer, when it is JSON
	parts     sync.Map           // codecs of parts of it, by the key of Only
	upload    *uploadParts       // of an Upload… twin
}

// uploadParts are the fields of the messages of an upload.
type uploadParts struct {
	request, chunk protoreflect.FieldDescriptor
}

// Repeatable tells whether a call whose outcome is unknown may be sent again: every GET, and what the option
// idempotent names.
func (b *Binding) Repeatable() bool { return b.Method == "GET" || b.Operation.GetIdempotent() }

// ReadBody reads a JSON body into a new message of Body's type. It is an error when the operation has no such body, or
// src is not a JSON object.
func (b *Binding) ReadBody(src []byte) (proto.Message, error) {
	if b.bodyCodec == nil {
		return nil, fmt.Errorf("method %s: no JSON body", b.FullMethod)
	}
	if !bytes.HasPrefix(bytes.TrimLeft(src, " \t\r\n"), []byte{'{'}) {
		return nil, fmt.Errorf("method %s: body is not a JSON object", b.FullMethod)
	}
	msg := b.Input.New().NewField(b.Body).Message().Interface()
	return msg, b.bodyCodec.Unmarshal(src, msg)
}

// Param is a field that travels in the query or as a header.
type Param struct {
	// Name is the name on the wire.
	Name  string
	Field protoreflect.FieldDescriptor
}

// Path is a path template.
type Path struct {
	// Template is the path as annotated: "/api/rainbow/admin/v1.0/users/{user_id}".
	Template string
	Segments []Segment
}

// Segment is one segment of a path: a literal, or a variable.
type Segment struct {
	// Literal is the text of a literal segment, unescaped; "" for a variable.
	Literal string

	// Variable is the field path of a variable ("user_id"), Fields the same resolved.
	Variable string
	Fields   []protoreflect.FieldDescriptor

	// Multi says that the variable takes all remaining segments ({name=**}).
	Multi bool
}

// Bindings are the compiled RPCs of a set of services. They don't change.
type Bindings struct {
	byMethod map[string]*Binding
	all      []*Binding
}

// ByMethod returns the binding of a full method name ("/package.Service/Method"), or nil.
func (b *Bindings) ByMethod(full string) *Binding { return b.byMethod[full] }

// All returns the bindings in the order of their full method names.
func (b *Bindings) All() []*Binding { return b.all }
