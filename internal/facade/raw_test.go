package facade_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	rawv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/raw/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
)

// rawGateway is a gateway whose gRPC door serves RawService.
type rawGateway struct {
	*gateway
	rawv1.RawServiceClient

	mu   sync.Mutex
	seen []sentRequest // what upstream got
}

type sentRequest struct {
	line, body string
	header     http.Header
}

func setupRaw(t *testing.T, rainbow http.HandlerFunc, account bool, opts facade.Raw) *rawGateway {
	t.Helper()
	r := &rawGateway{}
	r.gateway = setup(t, func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		r.seen = append(r.seen, sentRequest{req.Method + " " + req.RequestURI, string(body), req.Header})
		r.mu.Unlock()
		rainbow(w, req)
	}, account)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	facade.RegisterRaw(server, r.dispatcher, facade.Listener{Loopback: true}, opts)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	r.RawServiceClient = rawv1.NewRawServiceClient(conn)
	return r
}

// sent is what upstream got; none means that nothing came.
func (r *rawGateway) sent() []sentRequest {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

var rawOn = facade.Raw{On: true, MaxBody: 100, MaxUpload: 1 << 20, MaxAnswer: 1 << 20}

func TestRawCallsPassByteExact(t *testing.T) {
	tests := []struct {
		name string
		req  *rawv1.CallRequest
	}{
		{"an unmodelled path with escapes", &rawv1.CallRequest{Method: "GET", Target: "/api/rainbow/enduser/v1.0/a%2fb//c;d?q&=&x[y]=%zz&a=%2E%2e"}},
		{"a modelled path", &rawv1.CallRequest{Method: "GET", Target: "/api/rainbow/admin/v1.0/users?offset=undefined&limit=1&limit=2"}},
		{"only a question mark", &rawv1.CallRequest{Method: "DELETE", Target: "/api/rainbow/x?"}},
		{"a JSON body", &rawv1.CallRequest{Method: "PATCH", Target: "/api/rainbow/x", ContentType: "application/json; charset=utf-8", Body: []byte(`{ "a" : 1.10 }` + "\n")}},
		{"any other body", &rawv1.CallRequest{Method: "POST", Target: "/api/rainbow/x", ContentType: "application/octet-stream", Body: []byte("{\xff\x00")}},
		{"an empty object where none is documented", &rawv1.CallRequest{Method: "DELETE", Target: "/api/rainbow/x/1", ContentType: "application/json", Body: []byte("{}")}},
		{"OPTIONS", &rawv1.CallRequest{Method: "OPTIONS", Target: "/api/rainbow/x"}},
	}
	const reply = "{\"x\":1.10}\xff\x00"
	r := setupRaw(t, answer(207, "image/x-odd; a=b", reply), false, rawOn)
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := r.Call(bearer(t.Context()), tt.req)
			if err != nil {
				t.Fatal(err)
			}
			if got.GetStatus() != 207 || got.GetContentType() != "image/x-odd; a=b" || string(got.GetBody()) != reply {
				t.Errorf("answer %v", got)
			}
			sent := r.sent()[i]
			if sent.line != tt.req.GetMethod()+" "+tt.req.GetTarget() || sent.body != string(tt.req.GetBody()) || sent.header.Get("Content-Type") != tt.req.GetContentType() {
				t.Errorf("upstream got %+v", sent)
			}
		})
	}
}

func TestRawHeadersPassByTheAllowList(t *testing.T) {
	r := setupRaw(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/elsewhere")
		w.Header().Add("X-Rainbow-Two", "2")
		w.Header().Add("X-Rainbow-Two", "1")
		w.Header().Set("Set-Cookie", "secret")
		answer(302, "text/html", "<a>")(w, r)
	}, false, rawOn)
	ctx := metadata.AppendToOutgoingContext(bearer(t.Context()), "x-rainbow-client", "metadata", "x-rainbow-other", "metadata", "x-forwarded-for", "1.2.3.4", "cookie", "c")
	got, err := r.Call(ctx, &rawv1.CallRequest{Method: "GET", Target: "/api/rainbow/x", Headers: []*rawv1.Header{
		{Name: "x-rainbow-client", Value: "message"}, {Name: "RANGE", Value: "bytes=0-9"}, {Name: "accept", Value: "a/b"}, {Name: "Accept", Value: "c/d"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	header := r.sent()[0].header
	for name, want := range map[string]string{
		"Authorization": "Bearer mine", "X-Rainbow-Client": "message", "X-Rainbow-Other": "metadata", "Range": "bytes=0-9",
		"Accept": "a/b,c/d", "X-Forwarded-For": "", "Cookie": "",
	} {
		if have := strings.Join(header[name], ","); have != want {
			t.Errorf("%s is %q upstream, want %q", name, have, want)
		}
	}
	var lines []string
	for _, h := range got.GetHeaders() {
		if h.GetName() != "Date" {
			lines = append(lines, h.GetName()+": "+h.GetValue())
		}
	}
	if want := "Content-Length: 3, Location: /elsewhere, X-Rainbow-Request-Id: r-1, X-Rainbow-Two: 2, X-Rainbow-Two: 1"; strings.Join(lines, ", ") != want {
		t.Errorf("headers %v, want %s", lines, want)
	}
	if got.GetStatus() != 302 || got.GetContentType() != "text/html" {
		t.Errorf("answer %v", got)
	}
}

func TestRawRequestsThatAreRefused(t *testing.T) {
	const x = "/api/rainbow/x"
	header := func(name, value string) []*rawv1.Header { return []*rawv1.Header{{Name: name, Value: value}} }
	tests := []struct {
		name string
		req  *rawv1.CallRequest
		code codes.Code
		want string
	}{
		{"no method", &rawv1.CallRequest{Target: x}, codes.Unimplemented, "method not allowed"},
		{"lower case", &rawv1.CallRequest{Method: "get", Target: x}, codes.Unimplemented, "in capitals"},
		{"CONNECT", &rawv1.CallRequest{Method: "CONNECT", Target: x}, codes.Unimplemented, "method not allowed"},
		{"a method with a blank", &rawv1.CallRequest{Method: "GET /", Target: x}, codes.Unimplemented, "method not allowed"},
		{"no target", &rawv1.CallRequest{Method: "GET"}, codes.InvalidArgument, "/api/rainbow/"},
		{"another path", &rawv1.CallRequest{Method: "GET", Target: "/metrics"}, codes.InvalidArgument, "/api/rainbow/"},
		{"another host", &rawv1.CallRequest{Method: "GET", Target: "http://evil.example/api/rainbow/x"}, codes.InvalidArgument, "/api/rainbow/"},
		{"dot segments", &rawv1.CallRequest{Method: "GET", Target: "/api/rainbow/../../x"}, codes.InvalidArgument, "dot segment"},
		{"escaped dot segments", &rawv1.CallRequest{Method: "GET", Target: "/api/rainbow/%2e%2E/x"}, codes.InvalidArgument, "dot segment"},
		{"dot segments escaped twice", &rawv1.CallRequest{Method: "GET", Target: "/api/rainbow/%252e%252e/x"}, codes.InvalidArgument, "dot segment"},
		{"dot segments with parameters", &rawv1.CallRequest{Method: "GET", Target: "/api/rainbow/..;a=b/x"}, codes.InvalidArgument, "dot segment"},
		{"dot segments behind an escaped slash", &rawv1.CallRequest{Method: "GET", Target: "/api/rainbow/a%2f../x"}, codes.InvalidArgument, "dot segment"},
		{"backslash", &rawv1.CallRequest{Method: "GET", Target: "/api/rainbow/%5c..%5cx"}, codes.InvalidArgument, "backslash"},
		{"blank", &rawv1.CallRequest{Method: "GET", Target: "/api/rainbow/x HTTP/1.1"}, codes.InvalidArgument, "percent-encoded"},
		{"line break", &rawv1.CallRequest{Method: "GET", Target: "/api/rainbow/x\r\nA: b"}, codes.InvalidArgument, "percent-encoded"},
		{"not ASCII", &rawv1.CallRequest{Method: "GET", Target: "/api/rainbow/é"}, codes.InvalidArgument, "percent-encoded"},
		{"fragment", &rawv1.CallRequest{Method: "GET", Target: x + "#y"}, codes.InvalidArgument, "percent-encoded"},
		{"broken escape", &rawv1.CallRequest{Method: "GET", Target: "/api/rainbow/%zz"}, codes.InvalidArgument, "escape"},
		{"a very long target", &rawv1.CallRequest{Method: "GET", Target: x + strings.Repeat("y", 64<<10)}, codes.InvalidArgument, "longer"},
		{"JSON that is none", &rawv1.CallRequest{Method: "POST", Target: x, ContentType: "application/json", Body: []byte(`{"a":1,}`)}, codes.InvalidArgument, "body: "},
		{"a name twice", &rawv1.CallRequest{Method: "POST", Target: x, ContentType: "Application/Merge-Patch+JSON; q", Body: []byte(`{"a":1,"a":2}`)}, codes.InvalidArgument, "twice"},
		{"too much JSON", &rawv1.CallRequest{Method: "POST", Target: x, ContentType: "application/json", Body: bytes.Repeat([]byte(" "), 101)}, codes.ResourceExhausted, "100 bytes"},
		{"compressed JSON", &rawv1.CallRequest{Method: "POST", Target: x, ContentType: "application/json", Body: []byte("{}"), Headers: header("Content-Encoding", "gzip")}, codes.InvalidArgument, "content encoding"},
		{"too much of anything", &rawv1.CallRequest{Method: "POST", Target: x, Body: make([]byte, 1<<20+1)}, codes.ResourceExhausted, "1048576 bytes"},
		{"a credential in the message", &rawv1.CallRequest{Method: "GET", Target: x, Headers: header("authorization", "Bearer x")}, codes.InvalidArgument, "metadata"},
		{"an application token in the message", &rawv1.CallRequest{Method: "GET", Target: x, Headers: header("APIKey", "x")}, codes.InvalidArgument, "metadata"},
		{"a header that is not passed", &rawv1.CallRequest{Method: "GET", Target: x, Headers: header("x-forwarded-for", "x")}, codes.InvalidArgument, "X-Forwarded-For is not passed"},
		{"a method override", &rawv1.CallRequest{Method: "GET", Target: x, Headers: header("X-HTTP-Method-Override", "DELETE")}, codes.InvalidArgument, "not passed"},
		{"a hop-by-hop header", &rawv1.CallRequest{Method: "GET", Target: x, Headers: header("connection", "range")}, codes.InvalidArgument, "not passed"},
		{"a content type among the headers", &rawv1.CallRequest{Method: "GET", Target: x, Headers: header("content-type", "a/b")}, codes.InvalidArgument, "content_type"},
		{"a header name with a line break", &rawv1.CallRequest{Method: "GET", Target: x, Headers: header("x-rainbow-a\r\nb", "x")}, codes.InvalidArgument, "no HTTP header's"},
		{"a header value with a line break", &rawv1.CallRequest{Method: "GET", Target: x, Headers: header("x-rainbow-a", "x\r\nb: c")}, codes.InvalidArgument, "control character"},
		{"a content type with a line break", &rawv1.CallRequest{Method: "GET", Target: x, ContentType: "a/b\nc: d"}, codes.InvalidArgument, "control character"},
	}
	r := setupRaw(t, answer(200, "text/plain", ""), false, rawOn)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := r.Call(bearer(t.Context()), tt.req)
			if status.Code(err) != tt.code || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, %v; want %v with %q", got, err, tt.code, tt.want)
			}
			stream, err := r.Download(bearer(t.Context()), tt.req)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := stream.Recv(); status.Code(err) != tt.code {
				t.Errorf("download: %v, want %v", err, tt.code)
			}
		})
	}
	if sent := r.sent(); len(sent) > 0 {
		t.Errorf("upstream got %v", sent)
	}
	if n := counted(t, r.gateway, "InvalidArgument"); n < 20 {
		t.Errorf("%v refusals counted", n)
	}
	if strings.Contains(r.log.String(), "Bearer") {
		t.Errorf("the log shows a credential: %s", r.log)
	}
}

func TestRawStatusIsNoError(t *testing.T) {
	r := setupRaw(t, answer(409, "application/json", `{"errorDetailsCode":409550}`), false, rawOn)
	got, err := r.Call(bearer(t.Context()), &rawv1.CallRequest{Method: "POST", Target: "/api/rainbow/admin/v1.0/users", ContentType: "application/json", Body: []byte("{}")})
	if err != nil || got.GetStatus() != 409 || string(got.GetBody()) != `{"errorDetailsCode":409550}` {
		t.Errorf("got %v, %v", got, err)
	}
	if n := counted(t, r.gateway, "AlreadyExists"); n != 1 {
		t.Errorf("%v calls counted, want 1: the policies run once", n)
	}
	if log := r.log.String(); strings.Count(log, "rpc=rainbow.raw.v1.RawService/Call") != 1 || !strings.Contains(log, "method=POST") || !strings.Contains(log, "http_status=409") {
		t.Errorf("log: %s", log)
	}
}

func TestRawFailuresAreOnesOfTheTable(t *testing.T) {
	tests := []struct {
		name    string
		rainbow http.HandlerFunc
		code    codes.Code
	}{
		{"upstream breaks off before the answer", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, codes.Unavailable},
		{"upstream breaks off within the answer", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "123")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, codes.Unavailable},
		{"the answer is larger than a message", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(make([]byte, 1<<20))
		}, codes.ResourceExhausted},
		{"the time is over", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, codes.DeadlineExceeded},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := setupRaw(t, tt.rainbow, false, rawOn)
			ctx, cancel := context.WithTimeout(bearer(t.Context()), 2*time.Second)
			defer cancel()
			if tt.code == codes.DeadlineExceeded {
				ctx, cancel = context.WithTimeout(ctx, 50*time.Millisecond)
				defer cancel()
			}
			got, err := r.Call(ctx, &rawv1.CallRequest{Method: "POST", Target: "/api/rainbow/x"})
			if status.Code(err) != tt.code {
				t.Errorf("got %v, %v; want %v", got, err, tt.code)
			}
		})
	}
}

func TestRawCallsAsTheServiceAccount(t *testing.T) {
	const login = `{"token":"eyJhbGciOiJIUzI1NiJ9.eyJpYXQiOjE3MDAwMDAwMDAsImV4cCI6OTk5OTk5OTk5OX0.x"}`
	tests := []struct {
		name, target string
		metadata     []string
		want         string // credentials that upstream sees
	}{
		{"a caller without credentials", "/api/rainbow/x", nil, "account"},
		{"own credentials", "/api/rainbow/x", []string{"authorization", "Bearer mine"}, "Bearer mine"},
		{"a page of another site", "/api/rainbow/x", []string{"origin", "https://evil.example"}, ""},
		{"the authentication portal", "/api/rainbow/authentication/v1.0/x", nil, ""},
		{"the same, escaped", "/api/rainbow/%61uthentication/v1.0/x", nil, ""},
		{"the same, escaped twice and in capitals", "/api/rainbow/%2541UTHENTICATION;a=b/v1.0/x", nil, ""},
		{"the same behind an escaped slash", "/api/rainbow/x%2fauthentication%2fv1.0", nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := setupRaw(t, func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/login") {
					answer(200, "application/json", login)(w, r)
					return
				}
				answer(200, "text/plain", "")(w, r)
			}, true, rawOn)
			if _, err := r.Call(metadata.AppendToOutgoingContext(t.Context(), tt.metadata...), &rawv1.CallRequest{Method: "GET", Target: tt.target}); err != nil {
				t.Fatal(err)
			}
			sent := r.sent()
			got := sent[len(sent)-1].header.Get("Authorization")
			if strings.HasPrefix(got, "Bearer eyJ") {
				got = "account"
			}
			if got != tt.want {
				t.Errorf("upstream saw %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRawCallsAreOffBySetting(t *testing.T) {
	r := setupRaw(t, answer(200, "text/plain", ""), false, facade.Raw{})
	_, err := r.Call(bearer(t.Context()), &rawv1.CallRequest{Method: "GET", Target: "/api/rainbow/x"})
	if status.Code(err) != codes.Unimplemented || !strings.Contains(err.Error(), "--catch-all=on") {
		t.Errorf("got %v", err)
	}
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok && info.GetReason() == "RAW_OFF" {
			return
		}
	}
	t.Errorf("details %v", status.Convert(err).Details())
}

func TestRawDownloads(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", 40<<10) // 640 KiB
	for _, body := range []string{big, "", "short"} {
		t.Run(fmt.Sprint(len(body), " bytes"), func(t *testing.T) {
			r := setupRaw(t, answer(206, "text/csv", body), false, facade.Raw{On: true, MaxAnswer: 1})
			stream, err := r.Download(bearer(t.Context()), &rawv1.CallRequest{Method: "GET", Target: "/api/rainbow/x"})
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			for n := 0; ; n++ {
				piece, err := stream.Recv()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if len(piece.GetData()) > 64<<10 || piece.GetContentType() != "text/csv" || (n == 0) != (len(piece.GetExtensions()) == 1) {
					t.Errorf("piece %d: %d bytes of %s, %d extensions", n, len(piece.GetData()), piece.GetContentType(), len(piece.GetExtensions()))
				}
				if n == 0 {
					var head rawv1.CallResponse
					if err := piece.GetExtensions()[0].UnmarshalTo(&head); err != nil || head.GetStatus() != 206 || len(head.GetBody()) > 0 {
						t.Errorf("head %v, %v", &head, err)
					}
				}
				got.Write(piece.GetData())
			}
			if got.String() != body {
				t.Errorf("got %d bytes, want %d", got.Len(), len(body))
			}
			if n := counted(t, r.gateway, "OK"); n != 1 {
				t.Errorf("%v calls counted", n)
			}
		})
	}
}

// TestARawDownloadThatBreaksOffDoesNotLookWhole also when upstream has sent most of it.
func TestARawDownloadThatBreaksOffDoesNotLookWhole(t *testing.T) {
	r := setupRaw(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, 100<<10))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}, false, rawOn)
	stream, err := r.Download(bearer(t.Context()), &rawv1.CallRequest{Method: "GET", Target: "/api/rainbow/x"})
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = stream.Recv()
	}
	if status.Code(err) != codes.Unavailable {
		t.Errorf("the stream ends with %v", err)
	}
}
