package main

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

const (
	operationOption = "rainbow.options.v1.operation"
	secretOption    = "rainbow.options.v1.secret"
	rulesOption     = "buf.validate.field"
	httpBody        = "google.api.HttpBody"
)

// rpc is what the documents have to know of an RPC beyond what the plugin wrote.
type rpc struct {
	portal        string // rvcpprovisioning, admin, …: the name after rainbow. in the package
	service       string // CloudPbxGreeting: the service's name without its suffix
	name          string
	source        string // guide, sdk, docs, inferred; empty for the gateway's own services
	idempotent    bool
	noCredentials bool // never called as the service account
	roles         []any
	requestType   string // media type of a body that is not JSON
	answerType    string // media type of an answer that is not JSON

	// otherRequest and otherAnswer are what the streaming twin takes and answers instead of JSON.
	otherRequest, otherAnswer string

	streams bool // answers one message after the other
	input   protoreflect.MessageDescriptor
}

// tag groups the operations of a service in the documents.
func (r rpc) tag() string { return r.portal + "." + r.service }

// contract is what an image says.
type contract struct {
	rpcs  map[string]rpc    // by full name
	tags  map[string]string // comments of the services, by tag
	files *protoregistry.Files
	types *dynamicpb.Types
}

// readContract returns what an image says. The options are read by reflection: importing the generated code here would
// make generating depend on itself.
func readContract(image []byte) (*contract, error) {
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(image, set); err != nil {
		return nil, err
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		return nil, err
	}
	c := &contract{rpcs: map[string]rpc{}, tags: map[string]string{}, files: files, types: dynamicpb.NewTypes(files)}
	twins := map[string]rpc{}
	var failed error
	files.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		services := file.Services()
		for i := range services.Len() {
			c.readService(file, services.Get(i))
			methods := services.Get(i).Methods()
			for j := range methods.Len() {
				if failed = c.readRPC(methods.Get(j), twins); failed != nil {
					return false
				}
			}
		}
		return true
	})
	for name, twin := range twins {
		r, ok := c.rpcs[name]
		if !ok {
			return nil, fmt.Errorf("rpc %s: its twin %s is not there", twin.name, name)
		}
		r.otherRequest, r.otherAnswer = other(twin.requestType, r.requestType), other(twin.answerType, r.answerType)
		c.rpcs[name] = r
	}
	return c, failed
}

// other is the twin's media type when the RPC itself has JSON there.
func other(twin, own string) string {
	if own != "" {
		return ""
	}
	return twin
}

// resolve reads options anew with the extensions of the image, into a message of their own kind.
func (c *contract) resolve(options, into proto.Message) error {
	raw, err := proto.Marshal(options)
	if err != nil {
		return err
	}
	return proto.UnmarshalOptions{Resolver: c.types}.Unmarshal(raw, into)
}

// readService keeps the comment of a service.
func (c *contract) readService(file protoreflect.FileDescriptor, service protoreflect.ServiceDescriptor) {
	tag := rpc{portal: strings.Split(string(service.FullName())+"..", ".")[1], service: serviceName(service)}.tag()
	c.tags[tag] = commentOf(file, service, string(service.Name()))
}

// serviceName is the name of a service without its suffix.
func serviceName(service protoreflect.Descriptor) string {
	return strings.TrimSuffix(string(service.Name()), "Service")
}

// commentOf is the comment of a service without the name at its front.
func commentOf(file protoreflect.FileDescriptor, service protoreflect.Descriptor, name string) string {
	lines := strings.Split(file.SourceLocations().ByDescriptor(service).LeadingComments, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	text := strings.TrimSpace(strings.Join(lines, "\n"))
	return capital(strings.TrimPrefix(text, name+" "))
}

// readRPC enters an RPC, and under the name of its unary twin when it is a streaming one.
func (c *contract) readRPC(method protoreflect.MethodDescriptor, twins map[string]rpc) error {
	r := rpc{
		portal:  strings.Split(string(method.FullName())+"..", ".")[1],
		service: serviceName(method.Parent()),
		name:    string(method.Name()),
		input:   method.Input(),
		streams: method.IsStreamingServer(),
	}
	options := &descriptorpb.MethodOptions{}
	if err := c.resolve(method.Options(), options); err != nil {
		return fmt.Errorf("rpc %s: %w", method.FullName(), err)
	}
	if operation := extension(options, operationOption); operation.IsValid() {
		if twin := r.read(operation.Message()); twin != "" {
			twins[twin] = r
		}
	}
	c.rpcs[string(method.FullName())] = r
	return nil
}

// read takes over what the operation option says, and returns the full name of the RPC whose twin this one is.
func (r *rpc) read(operation protoreflect.Message) (twinOf string) {
	fields := operation.Descriptor().Fields()
	value := func(name protoreflect.Name) protoreflect.Value { return operation.Get(fields.ByName(name)) }
	source := fields.ByName("source")
	r.source = strings.ToLower(strings.TrimPrefix(
		string(source.Enum().Values().ByNumber(operation.Get(source).Enum()).Name()), "SOURCE_"))
	r.idempotent = value("idempotent").Bool()
	r.noCredentials = value("no_credentials").Bool()
	r.requestType = value("request_media_type").String()
	r.answerType = value("response_media_type").String()
	roles := value("roles").List()
	for i := range roles.Len() {
		r.roles = append(r.roles, roles.Get(i).String())
	}
	return value("variant_of").String()
}

// extension returns an option, invalid where there is none. It is found by name: a dynamic extension type is a new one
// each time it is looked up, and proto.GetExtension knows types by identity.
func extension(options proto.Message, name protoreflect.FullName) protoreflect.Value {
	var found protoreflect.Value
	options.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if field.FullName() == name {
			found = value
		}
		return !found.IsValid()
	})
	return found
}

// field describes a field as the documents need it.
type field struct {
	protoreflect.FieldDescriptor
	secret, deprecated bool
	rules              protoreflect.Message // buf.validate.FieldRules, nil without
}

// field reads the options of a field.
func (c *contract) field(descriptor protoreflect.FieldDescriptor) (field, error) {
	f := field{FieldDescriptor: descriptor}
	options := &descriptorpb.FieldOptions{}
	if err := c.resolve(descriptor.Options(), options); err != nil {
		return f, fmt.Errorf("field %s: %w", descriptor.FullName(), err)
	}
	f.deprecated = options.GetDeprecated()
	if secret := extension(options, secretOption); secret.IsValid() {
		f.secret = secret.Bool()
	}
	if rules := extension(options, rulesOption); rules.IsValid() {
		f.rules = rules.Message()
	}
	return f, nil
}

// fieldOf finds the field of a message by its name in JSON, nil when there is none.
func fieldOf(message protoreflect.MessageDescriptor, jsonName string) protoreflect.FieldDescriptor {
	if message == nil {
		return nil
	}
	return message.Fields().ByJSONName(jsonName)
}

// message finds a message by its full name, nil when there is none.
func (c *contract) message(name string) protoreflect.MessageDescriptor {
	if c.files == nil {
		return nil
	}
	descriptor, err := c.files.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		return nil
	}
	message, _ := descriptor.(protoreflect.MessageDescriptor)
	return message
}

// secretNames lists the names in JSON of all fields that are credentials.
func (c *contract) secretNames() (map[string]bool, error) {
	names := map[string]bool{}
	var failed error
	c.files.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		failed = c.addSecrets(names, file.Messages())
		return failed == nil
	})
	return names, failed
}

func (c *contract) addSecrets(names map[string]bool, messages protoreflect.MessageDescriptors) error {
	for i := range messages.Len() {
		message := messages.Get(i)
		for j := range message.Fields().Len() {
			f, err := c.field(message.Fields().Get(j))
			if err != nil {
				return err
			}
			if f.secret && f.Kind() == protoreflect.StringKind {
				names[f.JSONName()] = true
			}
		}
		if err := c.addSecrets(names, message.Messages()); err != nil {
			return err
		}
	}
	return nil
}
