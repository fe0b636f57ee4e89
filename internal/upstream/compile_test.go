package upstream

import (
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	optionsv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/options/v1"
)

// rpc is one method of a service made for a test.
type rpc struct {
	name, in, out string
	rule          *annotations.HttpRule
	operation     *optionsv1.Operation
	client        bool // streaming
	server        bool
}

func getRule(path string) *annotations.HttpRule {
	return &annotations.HttpRule{Pattern: &annotations.HttpRule_Get{Get: path}}
}

func postRule(path, body string) *annotations.HttpRule {
	return &annotations.HttpRule{Pattern: &annotations.HttpRule_Post{Post: path}, Body: body}
}

var plainOperation = &optionsv1.Operation{Source: optionsv1.Source_SOURCE_GUIDE}

const (
	optional = descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL
	typeText = descriptorpb.FieldDescriptorProto_TYPE_STRING
	typeMsg  = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE
)

func testField(name string, number int32, kind descriptorpb.FieldDescriptorProto_Type, typeName string) *descriptorpb.FieldDescriptorProto {
	f := &descriptorpb.FieldDescriptorProto{Name: &name, JsonName: proto.String(name), Number: &number, Type: kind.Enum(), Label: optional.Enum()}
	if typeName != "" {
		f.TypeName = &typeName
	}
	return f
}

func testMessage(name string, fields ...*descriptorpb.FieldDescriptorProto) *descriptorpb.DescriptorProto {
	return &descriptorpb.DescriptorProto{Name: &name, Field: fields}
}

func presence(m *descriptorpb.DescriptorProto, field int) *descriptorpb.DescriptorProto {
	f := m.Field[field]
	f.Proto3Optional, f.OneofIndex = proto.Bool(true), proto.Int32(int32(len(m.OneofDecl)))
	m.OneofDecl = append(m.OneofDecl, &descriptorpb.OneofDescriptorProto{Name: proto.String("_" + f.GetName())})
	return m
}

// testService compiles a file with the messages that the tests need and the given methods.
func testService(t *testing.T, methods ...rpc) protoreflect.ServiceDescriptor {
	t.Helper()
	extra := func() *descriptorpb.FieldDescriptorProto {
		return testField("extra_json", 1000, descriptorpb.FieldDescriptorProto_TYPE_BYTES, "")
	}
	nameless := testField("some_name", 1, typeText, "")
	nameless.JsonName = nil
	part := testMessage("Part", testField("request", 1, typeMsg, ".t.Raw"), testField("chunk", 2, descriptorpb.FieldDescriptorProto_TYPE_BYTES, ""))
	part.OneofDecl = []*descriptorpb.OneofDescriptorProto{{Name: proto.String("part")}}
	part.Field[0].OneofIndex, part.Field[1].OneofIndex = proto.Int32(0), proto.Int32(0)
	file := &descriptorpb.FileDescriptorProto{
		Name: proto.String("t.proto"), Package: proto.String("t"), Syntax: proto.String("proto3"),
		Dependency: []string{"google/api/httpbody.proto"},
		MessageType: []*descriptorpb.DescriptorProto{
			testMessage("Doc", extra()),
			testMessage("Bare"),
			testMessage("Long", testField("n", 1, descriptorpb.FieldDescriptorProto_TYPE_INT64, ""), extra()),
			testMessage("Nameless", nameless, extra()),
			presence(testMessage("Req", testField("id", 1, typeText, ""), testField("q", 2, typeText, ""), testField("body", 3, typeMsg, ".t.Doc")), 1),
			testMessage("Id", testField("id", 1, typeText, "")),
			testMessage("Raw", testField("body", 1, typeMsg, ".google.api.HttpBody")),
			testMessage("LongBody", testField("body", 1, typeMsg, ".t.Long")),
			testMessage("Listed", testField("items", 1, typeMsg, ".t.Doc")),
			testMessage("Nested", testField("id", 1, typeMsg, ".t.Id")),
			part,
		},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("S")}},
	}
	for _, m := range methods {
		opts := &descriptorpb.MethodOptions{}
		if m.rule != nil {
			proto.SetExtension(opts, annotations.E_Http, m.rule)
		}
		if m.operation != nil {
			proto.SetExtension(opts, optionsv1.E_Operation, m.operation)
		}
		file.Service[0].Method = append(file.Service[0].Method, &descriptorpb.MethodDescriptorProto{Name: proto.String(m.name),
			InputType: proto.String(m.in), OutputType: proto.String(m.out), Options: opts, ClientStreaming: &m.client, ServerStreaming: &m.server})
	}
	_ = (&httpbody.HttpBody{}).ProtoReflect() // registers its file
	fd, err := protodesc.NewFile(file, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	return fd.Services().Get(0)
}

func TestBadAnnotationsAreNamed(t *testing.T) {
	base := "/api/rainbow/x"
	csv := &optionsv1.Operation{RequestMediaType: "text/csv"}
	unaryRaw := rpc{"Import", ".t.Raw", ".t.Doc", postRule(base+"/import", "body"), csv, false, false}
	unaryCSV := rpc{"Template", ".t.Id", ".google.api.HttpBody", getRule(base + "/t/{id}"), &optionsv1.Operation{ResponseMediaType: "text/csv"}, false, false}
	unaryJSON := rpc{"Doc", ".t.Id", ".t.Doc", getRule(base + "/d/{id}"), plainOperation, false, false}
	fileOfDoc := &optionsv1.Operation{VariantOf: "t.S.Doc", ResponseMediaType: "text/csv"}
	for _, test := range []struct {
		name    string
		methods []rpc
		want    []string // in the error, each with the RPC
	}{
		{"no operation option", []rpc{{"M", ".t.Id", ".t.Doc", getRule(base + "/{id}"), nil, false, false}}, []string{"rpc t.S.M: option (rainbow.options.v1.operation) is missing"}},
		{"no rule", []rpc{{"M", ".t.Id", ".t.Doc", nil, plainOperation, false, false}}, []string{"rpc t.S.M: neither an HTTP rule nor variant_of"}},
		{"unknown field in the path", []rpc{{"M", ".t.Id", ".t.Doc", getRule(base + "/{id}/{user_id}"), plainOperation, false, false}}, []string{`rpc t.S.M: path /api/rainbow/x/{id}/{user_id}: segment "{user_id}": field user_id: not in t.Id`}},
		{"a message in the path", []rpc{{"M", ".t.Nested", ".t.Doc", getRule(base + "/{id}"), plainOperation, false, false}}, []string{"field id: not a single scalar"}},
		{"half a variable", []rpc{{"M", ".t.Id", ".t.Doc", getRule(base + "/{id}.csv"), plainOperation, false, false}}, []string{`segment "{id}.csv"`}},
		{"a verb", []rpc{{"M", ".t.Id", ".t.Doc", getRule(base + "/{id}/x:go"), plainOperation, false, false}}, []string{`segment "x:go": not a plain literal`}},
		{"a catch-all in the middle", []rpc{{"M", ".t.Id", ".t.Doc", getRule(base + "/{id=**}/y"), plainOperation, false, false}}, []string{"not the last segment"}},
		{"another tree", []rpc{{"M", ".t.Id", ".t.Doc", getRule("/v1/{id}"), plainOperation, false, false}}, []string{"not below /api/rainbow/"}},
		{"body *", []rpc{{"M", ".t.Req", ".t.Doc", postRule(base+"/{id}", "*"), plainOperation, false, false}}, []string{`body "*"`}},
		{"unknown body", []rpc{{"M", ".t.Req", ".t.Doc", postRule(base+"/{id}", "doc"), plainOperation, false, false}}, []string{"body field doc: not a message field of t.Req"}},
		{"a body that is a scalar", []rpc{{"M", ".t.Req", ".t.Doc", postRule(base+"/{id}", "q"), plainOperation, false, false}}, []string{"body field q: not a message field"}},
		{"a body left over", []rpc{{"M", ".t.Req", ".t.Doc", getRule(base + "/{id}"), plainOperation, false, false}}, []string{"field body: kind message can't be a parameter"}},
		{"a parameter without presence", []rpc{{"M", ".t.Id", ".t.Doc", getRule(base), plainOperation, false, false}}, []string{"field id: a query parameter must be optional"}},
		{"two RPCs on one path", []rpc{{"M", ".t.Id", ".t.Doc", getRule(base + "/{id}/y"), plainOperation, false, false}, {"N", ".t.Nested", ".t.Doc", getRule(base + "/{id.id}/y"), plainOperation, false, false}},
			[]string{"rpc t.S.N: path /api/rainbow/x/{id.id}/y: GET /api/rainbow/x/{id}/y is that of /t.S/M already"}},
		{"a 64-bit integer", []rpc{{"M", ".t.LongBody", ".t.Doc", postRule(base, "body"), plainOperation, false, false}}, []string{"field t.Long.n: kind int64 has no place"}},
		{"no json_name", []rpc{{"M", ".t.Id", ".t.Nameless", getRule(base + "/{id}"), plainOperation, false, false}}, []string{"field t.Nameless.some_name: no json_name"}},
		{"no extra_json", []rpc{{"M", ".t.Id", ".t.Bare", getRule(base + "/{id}"), plainOperation, false, false}}, []string{"reply: message t.Bare: no field"}},
		{"a raw body without media type", []rpc{{"M", ".t.Raw", ".t.Doc", postRule(base, "body"), plainOperation, false, false}}, []string{"body field body: google.api.HttpBody and request_media_type go together"}},
		{"a media type without raw answer", []rpc{{"M", ".t.Id", ".t.Doc", getRule(base + "/{id}"), &optionsv1.Operation{ResponseMediaType: "text/csv"}, false, false}}, []string{"reply: google.api.HttpBody and response_media_type go together"}},
		{"a media type without body", []rpc{{"M", ".t.Id", ".t.Doc", getRule(base + "/{id}"), csv, false, false}}, []string{"request_media_type without a body"}},
		{"an unknown response_body", []rpc{{"M", ".t.Id", ".t.Doc", &annotations.HttpRule{Pattern: &annotations.HttpRule_Get{Get: base + "/{id}"}, ResponseBody: "items"}, plainOperation, false, false}}, []string{"response_body items"}},
		{"streaming with a rule", []rpc{{"M", ".t.Id", ".t.Doc", getRule(base + "/{id}"), plainOperation, false, true}}, []string{"a streaming RPC can't have an HTTP rule"}},
		{"a twin of nothing", []rpc{{"UploadM", ".t.Part", ".t.Doc", nil, &optionsv1.Operation{VariantOf: "t.S.M"}, true, false}}, []string{`rpc t.S.UploadM: variant_of "t.S.M": not a unary RPC`}},
		{"a twin of a twin", []rpc{unaryRaw, {"A", ".t.Part", ".t.Doc", nil, &optionsv1.Operation{VariantOf: "t.S.Import", RequestMediaType: "text/csv"}, true, false}, {"B", ".t.Part", ".t.Doc", nil, &optionsv1.Operation{VariantOf: "t.S.A"}, true, false}}, []string{`rpc t.S.B: variant_of "t.S.A": not a unary RPC`}},
		{"a twin with a rule", []rpc{unaryRaw, {"U", ".t.Part", ".t.Doc", postRule(base+"/u", "request"), &optionsv1.Operation{VariantOf: "t.S.Import", RequestMediaType: "text/csv"}, true, false}}, []string{"a twin has no HTTP rule"}},
		{"a twin of other parts", []rpc{unaryRaw, {"U", ".t.Raw", ".t.Doc", nil, &optionsv1.Operation{VariantOf: "t.S.Import", RequestMediaType: "text/csv"}, true, false}}, []string{"t.Raw is not a oneof of request"}},
		{"a twin of another type", []rpc{unaryRaw, {"U", ".t.Part", ".t.Doc", nil, &optionsv1.Operation{VariantOf: "t.S.Import", RequestMediaType: "text/plain"}, true, false}}, []string{"its media types differ"}},
		{"a twin that is unary", []rpc{unaryRaw, {"U", ".t.Raw", ".t.Doc", nil, &optionsv1.Operation{VariantOf: "t.S.Import", RequestMediaType: "text/csv"}, false, false}}, []string{"a twin streams one way"}},
		{"a download of another request", []rpc{unaryCSV, {"D", ".t.Req", ".google.api.HttpBody", nil, &optionsv1.Operation{VariantOf: "t.S.Template", ResponseMediaType: "text/csv"}, false, true}}, []string{"a download takes its request"}},
		{"a download of a file that is not named", []rpc{unaryJSON, {"D", ".t.Id", ".google.api.HttpBody", nil, &optionsv1.Operation{VariantOf: "t.S.Doc"}, false, true}}, []string{`rpc t.S.D: variant_of "t.S.Doc": it answers JSON, so its download needs a response_media_type of its own`}},
		{"a download of a file that answers something else", []rpc{unaryJSON, {"D", ".t.Id", ".t.Doc", nil, &optionsv1.Operation{VariantOf: "t.S.Doc", ResponseMediaType: "text/csv"}, false, true}}, []string{"a download takes its request and answers google.api.HttpBody"}},
		{"two downloads of a file", []rpc{unaryJSON, {"D", ".t.Id", ".google.api.HttpBody", nil, fileOfDoc, false, true}, {"E", ".t.Id", ".google.api.HttpBody", nil, fileOfDoc, false, true}}, []string{`rpc t.S.E: variant_of "t.S.Doc": it has a download already`}},
		{"an upload with another answer", []rpc{unaryRaw, {"U", ".t.Part", ".t.Doc", nil, &optionsv1.Operation{VariantOf: "t.S.Import", RequestMediaType: "text/csv", ResponseMediaType: "text/csv"}, true, false}}, []string{"its media types differ"}},
		{"a bare list without extra_json", []rpc{{"M", ".t.Nested", ".t.Listed", &annotations.HttpRule{Pattern: &annotations.HttpRule_Get{Get: base}, ResponseBody: "items"}, plainOperation, false, false}}, []string{"response_body items: message t.Listed: no field"}},
		{"everything at once", []rpc{{"M", ".t.Id", ".t.Doc", getRule(base + "/{user}"), nil, false, false}, {"N", ".t.Req", ".t.Bare", postRule(base, "*"), plainOperation, false, false}},
			[]string{"rpc t.S.M: option", "rpc t.S.M: path", `rpc t.S.N: path /api/rainbow/x: body "*"`, "rpc t.S.N: path /api/rainbow/x: reply"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := CompileBindings([]protoreflect.ServiceDescriptor{testService(t, test.methods...)})
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("\n got %v\nwant %s", err, want)
				}
			}
		})
	}
}

func TestGoodAnnotationsCompile(t *testing.T) {
	base := "/api/rainbow/x"
	b, err := CompileBindings([]protoreflect.ServiceDescriptor{testService(t,
		rpc{"Import", ".t.Raw", ".t.Doc", postRule(base+"/import", "body"), &optionsv1.Operation{RequestMediaType: "text/csv"}, false, false},
		rpc{"AnUpload", ".t.Part", ".t.Doc", nil, &optionsv1.Operation{VariantOf: "t.S.Import", RequestMediaType: "text/csv"}, true, false},
		rpc{"File", ".t.Id", ".google.api.HttpBody", getRule(base + "/files/{id=**}"), &optionsv1.Operation{ResponseMediaType: "text/csv"}, false, false},
		rpc{"Audio", ".t.Req", ".google.api.HttpBody", nil, &optionsv1.Operation{VariantOf: "t.S.Create", ResponseMediaType: "audio/*"}, false, true},
		rpc{"Create", ".t.Req", ".t.Doc", postRule(base+"/{id}", "body"), plainOperation, false, false},
	)})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, one := range b.All() {
		names = append(names, one.FullMethod)
	}
	if got := strings.Join(names, " "); got != "/t.S/AnUpload /t.S/Audio /t.S/Create /t.S/File /t.S/Import" {
		t.Errorf("got %s", got)
	}
	if up := b.ByMethod("/t.S/AnUpload"); up.VariantOf != b.ByMethod("/t.S/Import") || up.Path.Template != base+"/import" || up.Method != "POST" {
		t.Errorf("the twin is %+v", up)
	}
	create := b.ByMethod("/t.S/Create")
	if audio := b.ByMethod("/t.S/Audio"); audio.Accept != "audio/*" || create.Accept != "application/json" || create.File != "audio/*" || create.ResponseMedia != "" {
		t.Errorf("the file asks for %q, its document for %q; that says %q", audio.Accept, create.Accept, create.File)
	}
	if file := b.ByMethod("/t.S/File"); file.Accept != "text/csv, application/json" {
		t.Errorf("a body that is not JSON is asked for by %q", file.Accept)
	}
	if len(create.Query) != 1 || create.Query[0].Name != "q" || create.Body.Name() != "body" || create.Repeatable() {
		t.Errorf("create is %+v", create)
	}
	if s := b.ByMethod("/t.S/File").Path.Segments; len(s) != 5 || !s[4].Multi || s[4].Variable != "id" || s[3].Literal != "files" {
		t.Errorf("segments are %+v", s)
	}
}
