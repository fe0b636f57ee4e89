package facade

import (
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// Operation is what the policies know of an RPC, or of the catch-all.
type Operation struct {
	// FullMethod is "/package.Service/Method"; "" for a path that no RPC models.
	FullMethod string

	// Name is what logs and metrics call it: the RPC without the leading slash, or "unmodelled".
	Name string

	// HTTPMethod is that of the upstream operation; empty for local services.
	HTTPMethod string

	// Local says that this process answers; Public that it answers anybody, Identified that it wants to know who calls.
	Local, Public, Identified bool

	// ReadOnly calls change nothing.
	ReadOnly bool

	// NoAccount calls never use the service account: everything below /authentication/.
	NoAccount bool

	// Binding is the compiled upstream operation, with its options; nil for local services and the catch-all.
	Binding *upstream.Binding

	method protoreflect.MethodDescriptor
	input  protoreflect.MessageType
	output protoreflect.MessageType
}

func newOperation(b *upstream.Binding) *Operation {
	return &Operation{
		FullMethod: b.FullMethod,
		Name:       b.FullMethod[1:],
		HTTPMethod: b.Method,
		ReadOnly:   b.Method == "GET",
		NoAccount:  upstream.BelowAuthentication(b.Path.Template) || b.Operation.GetNoCredentials(),
		Binding:    b,
		method:     b.Descriptor,
		input:      b.Input,
		output:     b.Output,
	}
}

// Unmodelled is the operation of a /api/rainbow/ path that no RPC models. path may be escaped.
func Unmodelled(method, path string) *Operation {
	return &Operation{
		Name:       "unmodelled",
		HTTPMethod: method,
		ReadOnly:   method == "GET" || method == "HEAD",
		NoAccount:  upstream.BelowAuthentication(path),
	}
}

func localOperations(local Local) ([]*Operation, error) {
	name := protoreflect.FullName(local.Desc.ServiceName)
	desc, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
	if err != nil {
		return nil, fmt.Errorf("service %s: %w", name, err)
	}
	service, ok := desc.(protoreflect.ServiceDescriptor)
	if !ok {
		return nil, fmt.Errorf("service %s: the name is not a service's", name)
	}
	var ops []*Operation
	for i := range service.Methods().Len() {
		op, err := localOperation(local, service.Methods().Get(i))
		if err != nil {
			return nil, err
		}
		ops = append(ops, op)
	}
	return ops, nil
}

func localOperation(local Local, method protoreflect.MethodDescriptor) (*Operation, error) {
	input, err := protoregistry.GlobalTypes.FindMessageByName(method.Input().FullName())
	if err != nil {
		return nil, fmt.Errorf("method %s: request: %w", method.FullName(), err)
	}
	output, err := protoregistry.GlobalTypes.FindMessageByName(method.Output().FullName())
	if err != nil {
		return nil, fmt.Errorf("method %s: response: %w", method.FullName(), err)
	}
	full := fmt.Sprintf("/%s/%s", method.Parent().FullName(), method.Name())
	return &Operation{
		FullMethod: full, Name: full[1:], Local: true, Public: local.Public, Identified: local.Identified,
		ReadOnly: readOnlyVerb(string(method.Name())),
		method:   method, input: input, output: output,
	}, nil
}

// readOnlyVerb tells by AIP-131's names whether a local method only reads.
func readOnlyVerb(name string) bool {
	for _, verb := range []string{"Get", "List", "Watch", "Check", "Render", "Export", "ServerReflection"} {
		if strings.HasPrefix(name, verb) {
			return true
		}
	}
	return false
}

// streamDesc describes a streaming RPC as grpc wants it.
func (op *Operation) streamDesc() *grpc.StreamDesc {
	return &grpc.StreamDesc{
		StreamName:    string(op.method.Name()),
		ClientStreams: op.method.IsStreamingClient(),
		ServerStreams: op.method.IsStreamingServer(),
	}
}

// NewReply makes an empty answer message. Only modelled operations have one.
func (op *Operation) NewReply() proto.Message { return op.output.New().Interface() }
