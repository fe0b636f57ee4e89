package upstream

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream/jsoncodec"
)

// maxErrorText caps the decompressed body of an error in bytes.
const maxErrorText = 1 << 20

// maxMsg caps what becomes Msg of an error that is not JSON, in bytes.
const maxMsg = 512

// decode puts a success into the reply, and returns the document: the body as it was before Content-Encoding. What is
// JSON is never an error, and an answer without a body is a reply without members.
func (b *Binding) decode(a *answer, codec *jsoncodec.Message, reply any, limit int64) (document []byte, err error) {
	if wire, ok := reply.(*WireReply); ok {
		return b.decodeWire(a, wire, limit)
	}
	msg, ok := reply.(proto.Message)
	if !ok || msg.ProtoReflect().Descriptor() != b.Output.Descriptor() {
		return nil, fmt.Errorf("reply is %T, not %s", reply, b.Output.Descriptor().FullName())
	}
	body, err := decompress(a.header, a.body, limit)
	if err != nil {
		return nil, err
	}
	switch {
	case codec == nil:
		setHTTPBody(msg.ProtoReflect(), a.header.Get("Content-Type"), body)
	case len(bytes.TrimSpace(body)) == 0:
		proto.Reset(msg)
	case b.ResponseBody != nil:
		err = b.notJSON(codec.UnmarshalField(body, b.ResponseBody, msg), a.header)
	default:
		err = b.notJSON(codec.Unmarshal(body, msg), a.header)
	}
	return body, err
}

// notJSON says of a document that can't be read what it calls itself, and where it stops being JSON.
func (b *Binding) notJSON(err error, h http.Header) error {
	if err == nil {
		return nil
	}
	what := "no content type"
	if contentType := h.Get("Content-Type"); contentType != "" {
		what = fmt.Sprintf("content type %q", shortText([]byte(contentType)))
	}
	if b.File != "" {
		return fmt.Errorf("%s: %w; the operation's Download… twin takes files", what, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// decompress returns the body as it was before Content-Encoding, at most limit bytes of it.
func decompress(h http.Header, body []byte, limit int64) ([]byte, error) {
	switch encoding := strings.ToLower(h.Get("Content-Encoding")); encoding {
	case "", "identity":
		return body, nil
	case "gzip", "x-gzip":
		if len(body) == 0 {
			return body, nil
		}
		r, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		out, err := readAll(r, -1, limit)
		if err != nil && !errors.Is(err, ErrTooLarge) {
			err = fmt.Errorf("gzip: %w", err)
		}
		return out, err
	default:
		return nil, fmt.Errorf("content encoding %q is not known", encoding)
	}
}

// refusal makes the error of an answer that is not a success.
func (k *call) refusal(a *answer, limit int64) *Error {
	e := &Error{
		Status:      a.status,
		Method:      k.method,
		Path:        k.path,
		RetryAfter:  retryAfter(a.status, a.header),
		RequestID:   a.header.Get(headerRequestID),
		Header:      a.header,
		ContentType: a.header.Get("Content-Type"),
		unsure:      k.unsure,
	}
	body, err := decompress(a.header, a.body, min(limit, maxErrorText))
	if err != nil {
		return e
	}
	e.Body = body
	if envelope := parseEnvelope(body); envelope.ok {
		e.Code, e.Msg, e.Details = envelope.Code, envelope.Msg, envelope.Details
	} else {
		e.Msg, e.Foreign = shortText(visible(body)), true
	}
	return e
}

// envelope is the error document of the Rainbow portals. Members of another type are left out, not refused.
type envelope struct {
	Msg     string
	Details json.RawMessage
	Code    int
	ok      bool
}

func parseEnvelope(body []byte) envelope {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil || members == nil {
		return envelope{}
	}
	e := envelope{Details: members["errorDetails"], ok: true}
	if string(e.Details) == "null" {
		e.Details = nil
	}
	if json.Unmarshal(members["errorMsg"], &e.Msg) != nil {
		e.Msg = ""
	}
	if json.Unmarshal(members["errorDetailsCode"], &e.Code) != nil {
		e.Code = 0
	}
	return e
}

// visible is what a person would read first of an HTML page, its title; any other text as it is.
func visible(body []byte) []byte {
	if trimmed := bytes.TrimSpace(body); len(trimmed) == 0 || trimmed[0] != '<' {
		return body
	}
	lower := bytes.Clone(body) // bytes.ToLower would move what is behind a byte that is not UTF-8
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	_, title, found := bytes.Cut(lower, []byte("<title>"))
	end := bytes.Index(title, []byte("</title>"))
	if !found || end < 0 {
		return nil
	}
	from := len(body) - len(title)
	return body[from : from+end]
}

// shortText is the beginning of a text that is not JSON, on one line.
func shortText(body []byte) string {
	if len(body) > maxMsg {
		body = body[:maxMsg]
	}
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(string(body), ""), func(r rune) bool {
		return r == utf8.RuneError || r <= ' ' || r == 0x7f
	}), " ")
}

// answerMetadata shows the headers of an answer as gRPC metadata. A value that gRPC has no way to send is left out:
// grpc-go would drop all the others with it.
func answerMetadata(h http.Header) metadata.MD {
	md := metadata.MD{}
	for name, values := range h {
		switch {
		case name == "Content-Type" || name == "Content-Encoding": // gRPC has its own
		case slices.ContainsFunc(values, func(value string) bool { return !printableASCII(value) }):
		default:
			md[strings.ToLower(name)] = values
		}
	}
	return md
}

func printableASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func setHeaderOption(opts []grpc.CallOption, h http.Header) {
	for _, opt := range opts {
		if o, ok := opt.(grpc.HeaderCallOption); ok {
			*o.HeaderAddr = answerMetadata(h)
		}
	}
}
