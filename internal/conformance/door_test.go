package conformance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	errorsv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/errors/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream/jsoncodec"
)

// request is a call of an operation, in HTTP's words. A door that speaks otherwise translates.
type request struct {
	op     operation
	values []string // of the path's variables, escaped
	query  string   // escaped
	header http.Header
	media  string // of the body
	body   []byte // nil: none
}

// reply is what a caller sees, in HTTP's words.
type reply struct {
	status int
	header http.Header
	media  string
	body   []byte
}

// door is a way to call operations.
type door interface {
	call(t testing.TB, r request) reply
}

// restDoor is an HTTP client that knows nothing of us.
type restDoor struct{ *gateway }

func (d restDoor) call(t testing.TB, r request) reply {
	t.Helper()
	target := r.op.path(r.values...)
	if r.query != "" {
		target += "?" + r.query
	}
	header := r.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if r.media != "" {
		header.Set("Content-Type", r.media)
	}
	return d.send(t, r.op.Method, target, header, r.body)
}

// send sends a request whose target is written as it is.
func (d restDoor) send(t testing.TB, method, target string, header http.Header, body []byte) reply {
	t.Helper()
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, d.url+"/", content)
	if err != nil {
		t.Fatal(err)
	}
	req.URL.Opaque, req.Header = "//"+req.URL.Host+target, header
	if header == nil {
		req.Header = http.Header{}
	}
	resp, err := d.http.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	return reply{resp.StatusCode, resp.Header, resp.Header.Get("Content-Type"), text}
}

// grpcDoor is a gRPC client that has nothing but descriptors: messages are dynamic, their JSON goes through the codec.
type grpcDoor struct {
	*gateway
	tables *jsoncodec.Tables
	stream bool // call the streaming twin where there is one
}

func newGRPCDoor(g *gateway) grpcDoor { return grpcDoor{gateway: g, tables: &jsoncodec.Tables{}} }

// streaming is the same door, which calls the streaming twin where there is one.
func (d grpcDoor) streaming() grpcDoor {
	d.stream = true
	return d
}

func (d grpcDoor) call(t testing.TB, r request) reply {
	t.Helper()
	b := r.op.binding
	in, out := dynamicpb.NewMessage(b.Input.Descriptor()), dynamicpb.NewMessage(b.Output.Descriptor())
	d.fill(t, r, in)
	header := r.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	for _, p := range b.Header { // a header that the RPC has a field for
		if v := header.Get(p.Name); v != "" {
			setScalar(t, in, p.Field, v)
			header.Del(p.Name)
		}
	}
	ctx := metadata.NewOutgoingContext(t.Context(), outgoing(header))
	var answer metadata.MD
	if r.byTwin(d.stream) {
		return d.callTwin(ctx, t, r, in)
	}
	if err := d.conn.Invoke(ctx, b.FullMethod, in, out, grpc.Header(&answer)); err != nil {
		return refused(t, r.op, err)
	}
	return d.read(t, r.op, out, answer)
}

// byTwin tells whether a call is one for the streaming twin. Where an operation answers a document or a file, the RPC
// is for the document and its twin for the file.
func (r request) byTwin(stream bool) bool {
	if r.op.binding.File != "" {
		accept := r.header.Get("Accept")
		return accept != "" && accept != "application/json"
	}
	return r.op.twin != nil && stream
}

func outgoing(h http.Header) metadata.MD {
	md := metadata.MD{}
	for name, values := range h {
		md[strings.ToLower(name)] = values
	}
	return md
}

// fill puts path, query and body into the request message.
func (d grpcDoor) fill(t testing.TB, r request, in *dynamicpb.Message) {
	t.Helper()
	b := r.op.binding
	values := slices.Clone(r.values)
	for _, s := range b.Path.Segments {
		if s.Variable == "" {
			continue
		}
		text, err := url.PathUnescape(values[0])
		if err != nil {
			t.Fatal(err)
		}
		values = values[1:]
		setScalar(t, in, in.Descriptor().Fields().ByName(protoreflect.Name(s.Variable)), text)
	}
	for _, pair := range strings.Split(r.query, "&") {
		name, value, is := strings.Cut(pair, "=")
		if !is {
			continue
		}
		text, err := url.QueryUnescape(value)
		fd := in.Descriptor().Fields().ByJSONName(name)
		if err != nil || fd == nil {
			t.Fatalf("%s: query %s: no field (%v)", r.op.name(), pair, err)
		}
		setScalar(t, in, fd, text)
	}
	if r.body != nil && b.Body != nil {
		d.fillBody(t, r, in.Mutable(in.Descriptor().Fields().ByNumber(b.Body.Number())).Message())
	}
}

func (d grpcDoor) fillBody(t testing.TB, r request, body protoreflect.Message) {
	t.Helper()
	if r.op.binding.RequestMedia != "" {
		fields := body.Descriptor().Fields()
		body.Set(fields.ByName("content_type"), protoreflect.ValueOfString(r.media))
		body.Set(fields.ByName("data"), protoreflect.ValueOfBytes(r.body))
		return
	}
	codec, err := d.tables.Message(body.Descriptor())
	if err != nil {
		t.Fatal(err)
	}
	if err := codec.Unmarshal(r.body, body.Interface()); err != nil {
		t.Fatalf("%s: %v", r.op.name(), err)
	}
}

// setScalar sets a field given its text; a list gets it as one more element.
func setScalar(t testing.TB, m protoreflect.Message, fd protoreflect.FieldDescriptor, text string) {
	t.Helper()
	if fd == nil {
		t.Fatalf("%s: no field for %q", m.Descriptor().FullName(), text)
	}
	var v protoreflect.Value
	var err error
	switch fd.Kind() {
	case protoreflect.BoolKind:
		var b bool
		b, err = strconv.ParseBool(text)
		v = protoreflect.ValueOfBool(b)
	case protoreflect.Int32Kind:
		var n int64
		n, err = strconv.ParseInt(text, 10, 32)
		v = protoreflect.ValueOfInt32(int32(n))
	case protoreflect.DoubleKind:
		var f float64
		f, err = strconv.ParseFloat(text, 64)
		v = protoreflect.ValueOfFloat64(f)
	case protoreflect.StringKind:
		v = protoreflect.ValueOfString(text)
	default:
		err = fmt.Errorf("kind %s", fd.Kind())
	}
	if err != nil {
		t.Fatalf("%s: %v", fd.FullName(), err)
	}
	if fd.IsList() {
		m.Mutable(fd).List().Append(v)
		return
	}
	m.Set(fd, v)
}

// read turns an answer back into HTTP's words.
func (d grpcDoor) read(t testing.TB, op operation, out *dynamicpb.Message, md metadata.MD) reply {
	t.Helper()
	r := reply{status: http.StatusOK, header: http.Header{}, media: "application/json"}
	for name, values := range md {
		r.header[http.CanonicalHeaderKey(name)] = values
	}
	if op.binding.ResponseMedia != "" {
		fields := out.Descriptor().Fields()
		r.media, r.body = out.Get(fields.ByName("content_type")).String(), out.Get(fields.ByName("data")).Bytes()
		return r
	}
	r.body = d.encode(t, op, out)
	return r
}

// encode writes an answer as the document that it was.
func (d grpcDoor) encode(t testing.TB, op operation, out *dynamicpb.Message) []byte {
	t.Helper()
	whole := op.binding.ResponseBody
	if whole == nil {
		return d.appendMessage(t, nil, out)
	}
	if extra := out.Get(out.Descriptor().Fields().ByName(jsoncodec.ExtraName)).Bytes(); len(extra) > 0 {
		return extra // no list of objects
	}
	list := out.Get(out.Descriptor().Fields().ByNumber(whole.Number())).List()
	text := []byte{'['}
	for i := range list.Len() {
		if i > 0 {
			text = append(text, ',')
		}
		text = d.appendMessage(t, text, list.Get(i).Message())
	}
	return append(text, ']')
}

func (d grpcDoor) appendMessage(t testing.TB, dst []byte, m protoreflect.Message) []byte {
	t.Helper()
	codec, err := d.tables.Message(m.Descriptor())
	if err != nil {
		t.Fatal(err)
	}
	text, err := codec.Append(dst, m.Interface())
	if err != nil {
		t.Fatalf("%s: %v", m.Descriptor().FullName(), err)
	}
	return text
}

// refused rebuilds Rainbow's error document from the details of a status.
func refused(t testing.TB, op operation, err error) reply {
	t.Helper()
	for _, detail := range status.Convert(err).Details() {
		e, is := detail.(*errorsv1.UpstreamError)
		if !is {
			continue
		}
		members := map[string]json.RawMessage{}
		if extra := e.GetExtraJson(); len(extra) > 0 {
			if err := json.Unmarshal(extra, &members); err != nil {
				t.Fatalf("%s: extra_json: %v", op.name(), err)
			}
		}
		members["errorCode"] = json.RawMessage(strconv.Itoa(int(e.GetHttpStatus())))
		members["errorMsg"], _ = json.Marshal(e.GetErrorMsg())
		if e.GetErrorDetailsCode() != 0 {
			members["errorDetailsCode"] = json.RawMessage(strconv.Itoa(int(e.GetErrorDetailsCode())))
		}
		if e.GetErrorDetailsJson() != "" {
			members["errorDetails"] = json.RawMessage(e.GetErrorDetailsJson())
		}
		text, merr := json.Marshal(members)
		if merr != nil {
			t.Fatal(merr)
		}
		return reply{status: int(e.GetHttpStatus()), header: http.Header{}, media: "application/json", body: text}
	}
	t.Fatalf("%s: no answer of upstream: %v", op.name(), err)
	return reply{}
}

// callTwin makes the same call by the streaming twin.
func (d grpcDoor) callTwin(ctx context.Context, t testing.TB, r request, in *dynamicpb.Message) reply {
	t.Helper()
	twin := r.op.twin.Descriptor
	full := fmt.Sprintf("/%s/%s", twin.Parent().FullName(), twin.Name())
	desc := &grpc.StreamDesc{StreamName: string(twin.Name()), ClientStreams: twin.IsStreamingClient(), ServerStreams: twin.IsStreamingServer()}
	stream, err := d.conn.NewStream(ctx, desc, full)
	if err != nil {
		return refused(t, r.op, err)
	}
	if twin.IsStreamingServer() {
		return d.download(t, r, stream, in)
	}
	first := dynamicpb.NewMessage(twin.Input())
	fields := twin.Input().Fields()
	if b := r.op.binding.Body; b != nil {
		in.Clear(in.Descriptor().Fields().ByNumber(b.Number()))
	}
	first.Set(fields.ByName("request"), protoreflect.ValueOfMessage(in))
	messages := []*dynamicpb.Message{first}
	for rest := r.body; len(rest) > 0; {
		n := min(len(rest), 1000)
		chunk := dynamicpb.NewMessage(twin.Input())
		chunk.Set(fields.ByName("chunk"), protoreflect.ValueOfBytes(rest[:n]))
		messages, rest = append(messages, chunk), rest[n:]
	}
	for _, m := range messages {
		if err := stream.SendMsg(m); err != nil {
			break // the reason comes with the answer
		}
	}
	_ = stream.CloseSend()
	out := dynamicpb.NewMessage(twin.Output())
	if err := stream.RecvMsg(out); err != nil {
		return refused(t, r.op, err)
	}
	md, _ := stream.Header()
	return d.read(t, r.op, out, md)
}

func (d grpcDoor) download(t testing.TB, r request, stream grpc.ClientStream, in *dynamicpb.Message) reply {
	t.Helper()
	twin := r.op.twin.Descriptor
	_ = stream.SendMsg(in)
	_ = stream.CloseSend()
	whole := reply{status: http.StatusOK, header: http.Header{}}
	for {
		out := dynamicpb.NewMessage(twin.Output())
		err := stream.RecvMsg(out)
		if err == io.EOF {
			return whole
		}
		if err != nil {
			return refused(t, r.op, err)
		}
		fields := out.Descriptor().Fields()
		if whole.body == nil {
			md, _ := stream.Header()
			for name, values := range md {
				whole.header[http.CanonicalHeaderKey(name)] = values
			}
			whole.media = out.Get(fields.ByName("content_type")).String()
		}
		whole.body = append(whole.body, out.Get(fields.ByName("data")).Bytes()...)
	}
}
