package upstream

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	optionsv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/options/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream/jsoncodec"
)

const (
	// upstreamPrefix is where all of Rainbow's operations are.
	upstreamPrefix = "/api/rainbow/"

	httpBodyName = "google.api.HttpBody"

	mediaJSON = "application/json"
)

// RainbowServices returns the services that the program links in, of packages rainbow.*, that have operations below
// /api/rainbow/, in the order of their names. Import the packages of gen/ for their services to be there.
func RainbowServices() []protoreflect.ServiceDescriptor {
	var services []protoreflect.ServiceDescriptor
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if strings.HasPrefix(string(file.Package()), "rainbow.") {
			for i := range file.Services().Len() {
				if service := file.Services().Get(i); isRainbow(service) {
					services = append(services, service)
				}
			}
		}
		return true
	})
	slices.SortFunc(services, func(a, b protoreflect.ServiceDescriptor) int {
		return strings.Compare(string(a.FullName()), string(b.FullName()))
	})
	return services
}

func isRainbow(service protoreflect.ServiceDescriptor) bool {
	for i := range service.Methods().Len() {
		method := service.Methods().Get(i)
		if operationOf(method) != nil {
			return true
		}
		if _, path, _ := ruleOf(method); strings.HasPrefix(path, upstreamPrefix) {
			return true
		}
	}
	return false
}

// CompileBindings compiles every RPC of the services. The error holds all that is wrong with their annotations, each
// with the RPC, and the field and path where there is one.
func CompileBindings(services []protoreflect.ServiceDescriptor) (*Bindings, error) {
	c := compiler{bindings: &Bindings{byMethod: map[string]*Binding{}}, routes: map[string]*Binding{}}
	var twins []protoreflect.MethodDescriptor
	for _, service := range services {
		for i := range service.Methods().Len() {
			method := service.Methods().Get(i)
			if operationOf(method).GetVariantOf() != "" {
				twins = append(twins, method) // after their unary RPCs
				continue
			}
			c.add(method, c.unary)
		}
	}
	for _, twin := range twins {
		c.add(twin, c.twin)
	}
	if err := errors.Join(c.errs...); err != nil {
		return nil, err
	}
	slices.SortFunc(c.bindings.all, func(a, b *Binding) int { return strings.Compare(a.FullMethod, b.FullMethod) })
	return c.bindings, nil
}

type compiler struct {
	bindings *Bindings
	routes   map[string]*Binding // by method and path without the variables' names
	tables   jsoncodec.Tables
	errs     []error
}

// faults collects what is wrong with one RPC.
type faults []error

func (f *faults) addf(format string, args ...any) { *f = append(*f, fmt.Errorf(format, args...)) }

func (c *compiler) add(method protoreflect.MethodDescriptor, compile func(*Binding, *faults)) {
	b := &Binding{
		FullMethod: fmt.Sprintf("/%s/%s", method.Parent().FullName(), method.Name()),
		Operation:  operationOf(method),
		Descriptor: method,
		Input:      messageType(method.Input()),
		Output:     messageType(method.Output()),
	}
	var f faults
	if b.Operation == nil {
		f.addf("option (rainbow.options.v1.operation) is missing")
	}
	compile(b, &f)
	for _, err := range f {
		c.errs = append(c.errs, fmt.Errorf("rpc %s: %w", method.FullName(), err))
	}
	c.bindings.byMethod[b.FullMethod] = b
	c.bindings.all = append(c.bindings.all, b)
}

func operationOf(method protoreflect.MethodDescriptor) *optionsv1.Operation {
	op, _ := proto.GetExtension(method.Options(), optionsv1.E_Operation).(*optionsv1.Operation)
	return op
}

// messageType prefers the generated type.
func messageType(md protoreflect.MessageDescriptor) protoreflect.MessageType {
	if mt, err := protoregistry.GlobalTypes.FindMessageByName(md.FullName()); err == nil && mt.Descriptor() == md {
		return mt
	}
	return dynamicpb.NewMessageType(md)
}

// ruleOf returns the HTTP rule of a method; rule is nil when there is none.
func ruleOf(method protoreflect.MethodDescriptor) (verb, path string, rule *annotations.HttpRule) {
	rule, _ = proto.GetExtension(method.Options(), annotations.E_Http).(*annotations.HttpRule)
	verb, path = RuleTarget(rule)
	return verb, path, rule
}

// RuleTarget returns the HTTP method and path template of a rule, "" when it has none.
func RuleTarget(rule *annotations.HttpRule) (verb, path string) {
	switch pattern := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		return http.MethodGet, pattern.Get
	case *annotations.HttpRule_Put:
		return http.MethodPut, pattern.Put
	case *annotations.HttpRule_Post:
		return http.MethodPost, pattern.Post
	case *annotations.HttpRule_Delete:
		return http.MethodDelete, pattern.Delete
	case *annotations.HttpRule_Patch:
		return http.MethodPatch, pattern.Patch
	case *annotations.HttpRule_Custom:
		return pattern.Custom.GetKind(), pattern.Custom.GetPath()
	}
	return "", ""
}

// unary compiles an RPC with an HTTP rule.
func (c *compiler) unary(b *Binding, f *faults) {
	method := b.Descriptor
	verb, path, rule := ruleOf(method)
	if path == "" {
		f.addf("neither an HTTP rule nor variant_of")
		return
	}
	if method.IsStreamingClient() || method.IsStreamingServer() {
		f.addf("path %s: a streaming RPC can't have an HTTP rule", path)
	}
	if len(rule.GetAdditionalBindings()) > 0 {
		f.addf("path %s: additional_bindings: an RPC is one operation", path)
	}
	if !strings.HasPrefix(path, upstreamPrefix) {
		f.addf("path %s: not below %s", path, upstreamPrefix)
	}
	b.Method, b.input = verb, method.Input()
	b.RequestMedia, b.ResponseMedia = b.Operation.GetRequestMediaType(), b.Operation.GetResponseMediaType()
	b.Accept = mediaJSON
	if b.ResponseMedia != "" {
		b.Accept = b.ResponseMedia + ", " + mediaJSON
	}
	var err error
	if b.Path, err = parsePath(path, b.input); err != nil {
		f.addf("path %s: %w", path, err)
	}
	c.route(b, f)
	c.body(b, rule.GetBody(), f)
	c.params(b, f)
	c.answer(b, rule.GetResponseBody(), f)
}

// route makes sure that no other RPC has the same method and path.
func (c *compiler) route(b *Binding, f *faults) {
	var key strings.Builder
	key.WriteString(b.Method)
	for _, s := range b.Path.Segments {
		switch {
		case s.Multi:
			key.WriteString("/**")
		case s.Variable != "":
			key.WriteString("/*")
		default:
			key.WriteString("/" + s.Literal)
		}
	}
	if other := c.routes[key.String()]; other != nil {
		f.addf("path %s: %s %s is that of %s already", b.Path.Template, b.Method, other.Path.Template, other.FullMethod)
		return
	}
	c.routes[key.String()] = b
}

// body compiles the body field.
func (c *compiler) body(b *Binding, name string, f *faults) {
	switch name {
	case "":
		if b.RequestMedia != "" {
			f.addf("path %s: request_media_type without a body", b.Path.Template)
		}
		return
	case "*":
		f.addf(`path %s: body "*": name the body field`, b.Path.Template)
		return
	}
	fd := b.input.Fields().ByName(protoreflect.Name(name))
	if fd == nil || fd.Message() == nil || fd.IsList() || fd.IsMap() {
		f.addf("path %s: body field %s: not a message field of %s", b.Path.Template, name, b.input.FullName())
		return
	}
	b.Body = fd
	if raw := fd.Message().FullName() == httpBodyName; raw || b.RequestMedia != "" {
		if !raw || b.RequestMedia == "" {
			f.addf("path %s: body field %s: google.api.HttpBody and request_media_type go together", b.Path.Template, name)
		}
		return
	}
	c.document(fd.Message(), f)
	var err error
	if b.bodyCodec, err = c.tables.Message(fd.Message()); err != nil {
		f.addf("path %s: body field %s: %w", b.Path.Template, name, err)
	}
}

// params compiles the fields that are neither in the path nor the body: query parameters and headers.
func (c *compiler) params(b *Binding, f *faults) {
	inPath := map[protoreflect.Name]bool{}
	for _, s := range b.Path.Segments {
		if s.Variable != "" {
			inPath[protoreflect.Name(strings.Split(s.Variable, ".")[0])] = true
		}
	}
	for i := range b.input.Fields().Len() {
		fd := b.input.Fields().Get(i)
		if fd == b.Body || inPath[fd.Name()] {
			continue
		}
		if !isParam(fd.Kind()) || fd.IsMap() {
			f.addf("path %s: field %s: kind %s can't be a parameter", b.Path.Template, fd.Name(), fd.Kind())
			continue
		}
		if header, _ := proto.GetExtension(fd.Options(), optionsv1.E_Header).(string); header != "" {
			b.Header = append(b.Header, Param{Name: header, Field: fd})
			continue
		}
		if !fd.HasJSONName() {
			f.addf("path %s: field %s: no json_name", b.Path.Template, fd.Name())
		}
		if !fd.IsList() && !fd.HasPresence() {
			f.addf("path %s: field %s: a query parameter must be optional", b.Path.Template, fd.Name())
		}
		b.Query = append(b.Query, Param{Name: fd.JSONName(), Field: fd})
	}
}

// answer compiles the reply.
func (c *compiler) answer(b *Binding, responseBody string, f *faults) {
	md := b.Descriptor.Output()
	if raw := md.FullName() == httpBodyName; raw || b.ResponseMedia != "" {
		if !raw || b.ResponseMedia == "" {
			f.addf("path %s: reply: google.api.HttpBody and response_media_type go together", b.Path.Template)
		}
		return
	}
	if responseBody != "" {
		fd := md.Fields().ByName(protoreflect.Name(responseBody))
		if fd == nil || fd.Message() == nil || fd.IsMap() {
			f.addf("path %s: response_body %s: not a message field of %s", b.Path.Template, responseBody, md.FullName())
			return
		}
		if err := jsoncodec.RequireExtra(md); err != nil {
			f.addf("path %s: response_body %s: %w", b.Path.Template, responseBody, err)
		}
		b.ResponseBody, md = fd, fd.Message()
	}
	c.document(md, f)
	var err error
	if b.codec, err = c.tables.Message(md); err != nil {
		f.addf("path %s: reply: %w", b.Path.Template, err)
	}
}

// document reports what the codec doesn't: fields without json_name.
func (c *compiler) document(md protoreflect.MessageDescriptor, f *faults) {
	met := map[protoreflect.FullName]bool{}
	var walk func(protoreflect.MessageDescriptor)
	walk = func(md protoreflect.MessageDescriptor) {
		if met[md.FullName()] {
			return
		}
		met[md.FullName()] = true
		names := map[string]protoreflect.Name{}
		for i := range md.Fields().Len() {
			fd := md.Fields().Get(i)
			if fd.Name() == jsoncodec.ExtraName {
				continue
			}
			if !fd.HasJSONName() {
				f.addf("field %s: no json_name", fd.FullName())
			}
			if other, twice := names[fd.JSONName()]; twice {
				f.addf("field %s: json_name %q is that of %s already", fd.FullName(), fd.JSONName(), other)
			}
			names[fd.JSONName()] = fd.Name()
			if fd.Message() != nil {
				walk(fd.Message())
			}
		}
	}
	walk(md)
}

// twin compiles a streaming twin from the unary RPC that it names.
func (c *compiler) twin(b *Binding, f *faults) {
	name := b.Operation.GetVariantOf()
	dot := strings.LastIndexByte(name, '.')
	unary := (*Binding)(nil)
	if dot > 0 {
		unary = c.bindings.byMethod["/"+name[:dot]+"/"+name[dot+1:]]
	}
	if unary == nil || unary.VariantOf != nil {
		f.addf("variant_of %q: not a unary RPC", name)
		return
	}
	if _, path, _ := ruleOf(b.Descriptor); path != "" {
		f.addf("path %s: a twin has no HTTP rule", path)
	}
	b.VariantOf, b.input = unary, unary.input
	b.Method, b.Path, b.Query, b.Header, b.Body = unary.Method, unary.Path, unary.Query, unary.Header, unary.Body
	b.RequestMedia, b.ResponseMedia, b.Accept = unary.RequestMedia, unary.ResponseMedia, unary.Accept
	b.bodyCodec, b.codec, b.ResponseBody = unary.bodyCodec, unary.codec, unary.ResponseBody
	upload := b.Descriptor.IsStreamingClient() && !b.Descriptor.IsStreamingServer()
	download := b.Descriptor.IsStreamingServer() && !b.Descriptor.IsStreamingClient()
	if download && unary.ResponseMedia == "" {
		c.fileTwin(b, f)
	}
	if op := b.Operation; op.GetRequestMediaType() != b.RequestMedia || op.GetResponseMediaType() != b.ResponseMedia {
		f.addf("variant_of %q: its media types differ", name)
	}
	switch method := b.Descriptor; {
	case upload:
		c.uploadTwin(b, f)
	case download:
		if b.ResponseMedia != "" && (method.Output().FullName() != httpBodyName || method.Input() != unary.Descriptor.Input()) {
			f.addf("variant_of %q: a download takes its request and answers google.api.HttpBody", name)
		}
	default:
		f.addf("variant_of %q: a twin streams one way", name)
	}
}

// fileTwin compiles the download of a file that a JSON operation answers instead of its document: it asks for the file
// alone, since upstream chooses by that.
func (c *compiler) fileTwin(b *Binding, f *faults) {
	media := b.Operation.GetResponseMediaType()
	if media == "" || media == mediaJSON {
		f.addf("variant_of %q: it answers JSON, so its download needs a response_media_type of its own", b.Operation.GetVariantOf())
	}
	if other := b.VariantOf.File; other != "" {
		f.addf("variant_of %q: it has a download already", b.Operation.GetVariantOf())
	}
	b.ResponseMedia, b.Accept, b.VariantOf.File = media, media, media
	b.codec, b.ResponseBody = nil, nil
}

func (c *compiler) uploadTwin(b *Binding, f *faults) {
	name, input := b.Operation.GetVariantOf(), b.Descriptor.Input()
	request, chunk := input.Fields().ByName("request"), input.Fields().ByName("chunk")
	if request == nil || request.Message() != b.input || chunk == nil || chunk.Kind() != protoreflect.BytesKind ||
		request.ContainingOneof() == nil || request.ContainingOneof() != chunk.ContainingOneof() {
		f.addf("variant_of %q: %s is not a oneof of request (%s) and chunk (bytes)", name, input.FullName(), b.input.FullName())
		return
	}
	if b.RequestMedia == "" || b.Descriptor.Output() != b.VariantOf.Descriptor.Output() {
		f.addf("variant_of %q: an upload has a body that is not JSON and the same reply", name)
	}
	b.upload = &uploadParts{request: request, chunk: chunk}
}
