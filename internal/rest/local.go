package rest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream/jsoncodec"
)

// local serves a route of the gateway's own services through its generated handler, with protojson both ways.
func (h *Handler) local(ctx context.Context, w http.ResponseWriter, r *http.Request, rt *route, p *path) {
	if err := h.opts.Dispatcher.Admit(ctx, rt.op); err != nil {
		h.refuse(w, r, err)
		return
	}
	if r.ContentLength != 0 && r.Body != nil {
		media, err := mediaType(r)
		if err != nil {
			h.refuse(w, r, err)
			return
		}
		if raw := rt.rawBody(media); raw != nil {
			h.rawBody(ctx, w, r, rt, p, raw)
			return
		}
		if media != contentTypeJSON {
			h.refuse(w, r, status.Errorf(codes.InvalidArgument, "content type %q: not taken here: want %s", media, rt.takes()))
			return
		}
		body, err := h.readBody(w, r, h.opts.MaxUpload)
		if err != nil {
			h.refuse(w, r, h.opts.Dispatcher.Refused(ctx, rt.op, err))
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	params := rt.params(p)
	rt.generated(w, plain(withDocumentName(ctx, params["name"]), r), params)
}

// mediaType is the media type of the body; JSON when the caller names none.
func mediaType(r *http.Request) (string, error) {
	text := r.Header.Get("Content-Type")
	if text == "" {
		return contentTypeJSON, nil
	}
	media, _, err := mime.ParseMediaType(text)
	if err != nil {
		return "", status.Errorf(codes.InvalidArgument, "content type %q: malformed", text)
	}
	return media, nil
}

// plain is a request for a local service as its generated handler may see it: with its query and body, but of the
// headers only what chooses between server-sent events and JSON.
func plain(ctx context.Context, r *http.Request) *http.Request {
	b := r.WithContext(ctx)
	b.Header, b.Host, b.RemoteAddr = noHeader, "", ""
	if strings.Contains(r.Header.Get("Accept"), contentTypeSSE) {
		b.Header = sseHeader
	}
	b.Form = r.URL.Query()
	b.PostForm = noValues
	return b
}

// localOptions make a grpc-gateway mux for local services.
func localOptions() []runtime.ServeMuxOption {
	return []runtime.ServeMuxOption{
		runtime.WithMarshalerOption(runtime.MIMEWildcard, localMarshaler{}),
		runtime.WithMarshalerOption(contentTypeSSE, sseMarshaler{}),
		runtime.WithIncomingHeaderMatcher(func(string) (string, bool) { return "", false }),
		runtime.WithOutgoingHeaderMatcher(func(string) (string, bool) { return "", false }),
		runtime.WithErrorHandler(localError),
		runtime.WithForwardResponseOption(document),
		runtime.WithStreamErrorHandler(func(_ context.Context, err error) *status.Status { return facade.Status(err) }),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithDisablePathLengthFallback(),
	}
}

func localError(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
	writeFault(w, r, err)
}

// localMarshaler is protojson, strict in what it reads: one value, no duplicate and no unknown names.
type localMarshaler struct{}

// Marshal writes messages as protojson, an HttpBody as the document that it holds, and the wrappers in which
// grpc-gateway puts the messages of a stream.
func (localMarshaler) Marshal(v any) ([]byte, error) {
	switch m := v.(type) {
	case *httpbody.HttpBody:
		return m.GetData(), nil
	case proto.Message:
		return protojson.Marshal(m)
	}
	return (&runtime.JSONPb{}).Marshal(v)
}

// Unmarshal reads one message.
func (localMarshaler) Unmarshal(data []byte, v any) error {
	if err := jsoncodec.Check(data, jsoncodec.Limits{}); err != nil {
		return err
	}
	return (&runtime.JSONPb{}).Unmarshal(data, v)
}

// NewDecoder reads the whole of r as one value; an empty r is io.EOF.
func (m localMarshaler) NewDecoder(r io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(v any) error {
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if len(data) == 0 {
			return io.EOF
		}
		return m.Unmarshal(data, v)
	})
}

// NewEncoder writes one value.
func (m localMarshaler) NewEncoder(w io.Writer) runtime.Encoder {
	return encoder(w, m.Marshal)
}

// ContentType is JSON's, or what an HttpBody says of itself.
func (localMarshaler) ContentType(v any) string {
	if body, ok := v.(*httpbody.HttpBody); ok && body.GetContentType() != "" {
		return body.GetContentType()
	}
	return contentTypeJSON
}

// Delimiter separates the messages of a stream, which is newline-delimited JSON.
func (localMarshaler) Delimiter() []byte { return []byte("\n") }

// RawBody lets a route of a local service take a body that is not JSON, such as a manifest: the body as it comes,
// options as query parameters.
type RawBody struct {
	// Method is the full method name of a unary RPC: "/rainbow.sync.v1.SyncService/CreatePlan".
	Method string

	// Media are the media types, without parameters: "text/csv", "application/yaml".
	Media []string

	// Message makes the request message from path variables, query (r.URL.Query()) and body. Its error should be a
	// gRPC status.
	Message func(r *http.Request, path map[string]string, body []byte) (proto.Message, error)
}

func (h *Handler) addRawBodies() error {
	for _, raw := range h.opts.RawBodies {
		found := false
		for _, rt := range h.routes {
			if rt.op.FullMethod == raw.Method && rt.op.Local && rt.method != http.MethodGet {
				rt.rawBodies = append(rt.rawBodies, raw)
				found = true
			}
		}
		if !found {
			return fmt.Errorf("raw body of %s: no local route with a body", raw.Method)
		}
	}
	return nil
}

func (rt *route) rawBody(media string) *RawBody {
	for i, raw := range rt.rawBodies {
		for _, m := range raw.Media {
			if m == media {
				return &rt.rawBodies[i]
			}
		}
	}
	return nil
}

// takes names the media types of bodies that the route takes, in words.
func (rt *route) takes() string {
	media := []string{contentTypeJSON}
	for _, raw := range rt.rawBodies {
		media = append(media, raw.Media...)
	}
	return strings.Join(media, ", ")
}

// rawBody calls the RPC with a message made from a raw body.
func (h *Handler) rawBody(ctx context.Context, w http.ResponseWriter, r *http.Request, rt *route, p *path, raw *RawBody) {
	body, err := h.readBody(w, r, h.opts.MaxUpload)
	if err != nil {
		h.refuse(w, r, h.opts.Dispatcher.Refused(ctx, rt.op, err))
		return
	}
	req, err := raw.Message(r, rt.params(p), body)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	reply := rt.op.NewReply()
	if err := h.opts.Dispatcher.Invoke(ctx, rt.op.FullMethod, req, reply); err != nil {
		h.refuse(w, r, err)
		return
	}
	b, err := localMarshaler{}.Marshal(reply)
	if err != nil {
		h.refuse(w, r, fmt.Errorf("answer of %s: %w", rt.op.Name, err))
		return
	}
	w.Header().Set("Content-Type", localMarshaler{}.ContentType(reply))
	_, _ = w.Write(b)
}
