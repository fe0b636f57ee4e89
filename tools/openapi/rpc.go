package main

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

const (
	operationOption = "rainbow.options.v1.operation"
	httpBody        = "google.api.HttpBody"
)

// rpc is what the document has to know of an RPC beyond what the plugin wrote.
type rpc struct {
	portal      string // rvcpprovisioning, admin, …: the name after rainbow. in the package
	name        string
	source      string // guide, sdk, docs, inferred; empty for the gateway's own services
	idempotent  bool
	roles       []any
	requestType string // media type of a body that is not JSON
	answerType  string // media type of an answer that is not JSON
}

// readRPCs returns the RPCs of an image by full name. The options are read by reflection: importing the generated
// code here would make generating depend on itself.
func readRPCs(image []byte) (map[string]rpc, error) {
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(image, set); err != nil {
		return nil, err
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		return nil, err
	}
	types := dynamicpb.NewTypes(files)
	rpcs := map[string]rpc{}
	var failed error
	files.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		services := file.Services()
		for i := range services.Len() {
			methods := services.Get(i).Methods()
			for j := range methods.Len() {
				method := methods.Get(j)
				rpcs[string(method.FullName())], failed = readRPC(method, types)
				if failed != nil {
					return false
				}
			}
		}
		return true
	})
	return rpcs, failed
}

func readRPC(method protoreflect.MethodDescriptor, types *dynamicpb.Types) (rpc, error) {
	r := rpc{
		portal: strings.Split(string(method.FullName())+"..", ".")[1],
		name:   string(method.Name()),
	}
	raw, err := proto.Marshal(method.Options())
	if err != nil {
		return r, err
	}
	options := &descriptorpb.MethodOptions{}
	if err := (proto.UnmarshalOptions{Resolver: types}).Unmarshal(raw, options); err != nil {
		return r, fmt.Errorf("rpc %s: %w", method.FullName(), err)
	}
	operation := operationOf(options)
	if operation == nil {
		return r, nil
	}
	fields := operation.Descriptor().Fields()
	value := func(name protoreflect.Name) protoreflect.Value { return operation.Get(fields.ByName(name)) }
	source := fields.ByName("source")
	r.source = strings.ToLower(strings.TrimPrefix(
		string(source.Enum().Values().ByNumber(operation.Get(source).Enum()).Name()), "SOURCE_"))
	r.idempotent = value("idempotent").Bool()
	r.requestType = value("request_media_type").String()
	r.answerType = value("response_media_type").String()
	roles := value("roles").List()
	for i := range roles.Len() {
		r.roles = append(r.roles, roles.Get(i).String())
	}
	return r, nil
}

// operationOf returns the operation option, nil where there is none. It is found by name: a dynamic extension type
// is a new one each time it is looked up, and proto.GetExtension knows types by identity.
func operationOf(options *descriptorpb.MethodOptions) protoreflect.Message {
	var found protoreflect.Message
	options.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if field.FullName() == operationOption {
			found = value.Message()
		}
		return found == nil
	})
	return found
}
