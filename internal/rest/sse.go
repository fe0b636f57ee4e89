package rest

import (
	"bytes"
	"net/http"

	"google.golang.org/protobuf/proto"
)

// contentTypeSSE asks for, and names, server-sent events.
const contentTypeSSE = "text/event-stream"

// sseHeader makes grpc-gateway choose sseMarshaler. It is never written to.
var sseHeader = http.Header{"Accept": {contentTypeSSE}}

// sseMarshaler writes the messages of a server stream as server-sent events: each message is the data of one event,
// without the {"result": …} around it; an error is the data of an event named "error".
type sseMarshaler struct{ localMarshaler }

// Marshal writes one event, or plain JSON for what is not part of a stream.
func (m sseMarshaler) Marshal(v any) ([]byte, error) {
	switch chunk := v.(type) {
	case map[string]any:
		return m.event("", chunk["result"])
	case map[string]proto.Message:
		return m.event("error", chunk["error"])
	}
	return m.localMarshaler.Marshal(v)
}

func (m sseMarshaler) event(name string, v any) ([]byte, error) {
	data, err := m.localMarshaler.Marshal(v)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if name != "" {
		b.WriteString("event: " + name + "\n")
	}
	b.WriteString("data: ")
	b.Write(data)
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// Delimiter is the empty line that ends an event.
func (sseMarshaler) Delimiter() []byte { return []byte("\n") }

// StreamContentType names the stream; an error before it is plain JSON.
func (sseMarshaler) StreamContentType(any) string { return contentTypeSSE }
