package facade

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"

	rawv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/raw/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// FuzzRawRequest: what is let through is one HTTP request, to Rainbow's paths, with the headers that it names and no
// others.
func FuzzRawRequest(f *testing.F) {
	f.Add("GET", "/api/rainbow/x?y=%20&&z", "Range", "bytes=0-1", "application/json", []byte(`{"a":1}`))
	f.Add("POST", "/api/rainbow/x\r\nHost: y", "x-rainbow-a", "b\r\nc: d", "a/b\nc", []byte("x"))
	f.Add("GET / HTTP/1.1\r\n", "http://evil.example/", "transfer-encoding", "chunked", "", []byte(nil))
	f.Add("PUT", "/api/rainbow/#", "x-rainbow-\x00", "\x7f", "text/csv", []byte("\xff"))
	f.Fuzz(func(t *testing.T, method, target, name, value, contentType string, body []byte) {
		opts := Raw{On: true, MaxBody: 1 << 10, MaxUpload: 1 << 10}
		x, err := opts.request(&rawv1.CallRequest{
			Method: method, Target: target, ContentType: contentType, Body: body, Headers: []*rawv1.Header{{Name: name, Value: value}},
		}, upstream.Caller{})
		if err != nil {
			return
		}
		var wire bytes.Buffer
		wire.WriteString(x.Request.Method + " " + x.Request.Target + " HTTP/1.1\r\nHost: x\r\n")
		if err := x.Request.Header.Write(&wire); err != nil {
			t.Fatal(err)
		}
		wire.WriteString("\r\n")
		got, err := http.ReadRequest(bufio.NewReader(&wire))
		if err != nil && !strings.Contains(err.Error(), "invalid URL escape") { // which the client refuses
			t.Fatalf("%q: %v", wire.String(), err)
		}
		if err != nil {
			return
		}
		if got.Method != method || got.RequestURI != target || !strings.HasPrefix(got.URL.Path, "/api/rainbow/") || len(got.Header) != len(x.Request.Header) {
			t.Errorf("%s %s %v is read as %s %s %v", method, target, x.Request.Header, got.Method, got.RequestURI, got.Header)
		}
		for header := range got.Header {
			if upstream.IsCredential(header) || header == "Transfer-Encoding" {
				t.Errorf("%s passed", header)
			}
		}
	})
}
