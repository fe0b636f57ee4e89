package conformance_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream/jsoncodec"
)

// wav is a WAV file of so many seconds: 8 kHz, 8 bit, silence.
func wav(seconds int) []byte {
	n := uint32(8000 * seconds)
	b := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data")
	b = binary.LittleEndian.AppendUint32(b, n)
	return append(b, bytes.Repeat([]byte{0x80}, int(n))...)
}

// content is a file of a media type of the catalogue, and the type it is sent with.
func content(t testing.TB, media string) (string, []byte) {
	t.Helper()
	switch {
	case strings.HasPrefix(media, "text/csv"):
		return "text/csv; charset=utf-8", []byte("\ufeff__action__;loginEmail;firstName\r\ncreate;ana@sandbox.example;\"A;n\"\"a\" % é\r\n")
	case strings.HasPrefix(media, "audio/"):
		return "audio/wav", wav(1)
	case media == "application/xml":
		return "application/xml", []byte("<?xml version=\"1.0\"?>\n<ACTIS><OFFERS/></ACTIS>\n")
	case media == "application/pdf":
		return "application/pdf", []byte("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n%%EOF\n")
	case media == "application/x-www-form-urlencoded":
		return media, []byte("grant_type=authorization_code&code=a%2Bb+c&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcallback")
	case media == "text/html":
		return "text/html; charset=utf-8", []byte("<!DOCTYPE html><title>Sign in</title>")
	}
	t.Fatalf("no content of type %q", media)
	return "", nil
}

// sample is a document with every member that a message has, for operations whose guides print none.
func sample(md protoreflect.MessageDescriptor, depth int) map[string]any {
	doc := map[string]any{}
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		if fd.Name() == jsoncodec.ExtraName {
			continue
		}
		v := sampleValue(fd, depth)
		if v == nil {
			continue
		}
		if fd.IsList() {
			v = []any{v, v}
		}
		doc[fd.JSONName()] = v
	}
	return doc
}

func sampleValue(fd protoreflect.FieldDescriptor, depth int) any {
	switch fd.Kind() {
	case protoreflect.MessageKind:
		if depth > 6 {
			return nil
		}
		return sample(fd.Message(), depth+1)
	case protoreflect.BoolKind:
		return fd.Number()%2 == 0
	case protoreflect.StringKind:
		return "é \"" + fd.JSONName() + "\" 😀"
	case protoreflect.DoubleKind:
		return float64(fd.Number()) + 0.5
	default:
		return fd.Number()
	}
}

func sampleText(t testing.TB, md protoreflect.MessageDescriptor) []byte {
	t.Helper()
	text, err := json.MarshalIndent(sample(md, 0), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// success is an answer that a stub gives: documented, or made where no guide prints one.
type success struct {
	name   string
	accept string // what asks for it, if it matters
	answer reply
}

func (o operation) successes(t testing.TB) []success {
	t.Helper()
	var all []success
	add := func(name, accept string, r reply) {
		if r.header == nil {
			r.header = http.Header{}
		}
		r.header.Set("X-Rainbow-Request-Id", "id of "+o.ID)
		all = append(all, success{name, accept, r})
	}
	if media := o.binding.ResponseMedia; media != "" {
		status, header := o.Response.Status, http.Header{"Content-Disposition": {`attachment; filename="f"`}}
		if status == http.StatusFound {
			header = http.Header{"Location": {"https://app.example/cb?code=a%2Bb&state=s"}}
		}
		kind, file := content(t, media)
		add("a file", "", reply{max(status, 200), header, kind, file})
	}
	if o.binding.File != "" {
		kind, file := content(t, o.binding.File)
		add("a file instead of the document", kind, reply{200, nil, kind, file})
	}
	files := len(all)
	for _, d := range o.answers(t) {
		if d.status == 200 && !rendering[o.ID] {
			add(d.file, "", reply{200, nil, "application/json; charset=utf-8", d.text})
		}
	}
	if len(all) == files && o.binding.ResponseMedia == "" {
		add("made", "", reply{200, nil, "application/json", sampleText(t, o.binding.Output.Descriptor())})
	}
	return all
}

// rendering are samples by which the guides print how a file looks.
var rendering = map[string]bool{"GetGroupVoicemailGreeting": true, "GetUsersTemplate": true, "GetInvoiceFile": true}

// sent is a request of an operation, as documented, or made where no guide prints one.
func (o operation) sent(t testing.TB) request {
	t.Helper()
	r := request{op: o, header: http.Header{"Authorization": {"Bearer e30.e30.x"}}}
	for i := range o.variables() {
		r.values = append(r.values, fmt.Sprintf("5b7d0c0ffee00000000000%02x", i))
	}
	if last := o.binding.Path.Segments[len(o.binding.Path.Segments)-1]; last.Multi {
		r.values[len(r.values)-1] = "5b7d/2024-01/services/CDR_SERV.csv"
	}
	var pairs []string
	for _, p := range o.Query {
		pairs = append(pairs, p.Name+"="+url.QueryEscape(o.queryText(t, p)))
	}
	r.query = strings.Join(pairs, "&")
	switch {
	case o.binding.RequestMedia != "":
		r.media, r.body = content(t, o.binding.RequestMedia)
	case o.body(t) != nil:
		r.media, r.body = "application/json", o.body(t)
	case o.binding.Body != nil:
		r.media, r.body = "application/json", sampleText(t, o.binding.Body.Message())
	}
	return r
}

func (o operation) queryText(t testing.TB, p parameter) string {
	t.Helper()
	switch {
	case p.Default != nil:
		return fmt.Sprint(p.Default)
	case len(p.Enum) > 0:
		return fmt.Sprint(p.Enum[0])
	}
	fd := o.binding.Descriptor.Input().Fields().ByJSONName(p.Name)
	if fd == nil {
		t.Fatalf("%s: query parameter %s has no field", o.name(), p.Name)
	}
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return "true"
	case protoreflect.Int32Kind, protoreflect.DoubleKind:
		return "1"
	}
	return "a b&c=é+%"
}

// accepting is the request with an Accept header; "" leaves it as it is.
func (r request) accepting(media string) request {
	if media != "" {
		r.header.Set("Accept", media)
	}
	return r
}
