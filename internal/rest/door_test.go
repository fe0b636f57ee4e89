package rest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// recorder is an upstream that remembers what it was sent, byte by byte, and answers as told.
type recorder struct {
	*httptest.Server
	answer http.HandlerFunc

	mu   sync.Mutex
	last received
}

type received struct {
	line   string // method and target
	header http.Header
	body   string
}

func (u *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	u.mu.Lock()
	u.last = received{line: r.Method + " " + r.RequestURI, header: r.Header, body: string(body)}
	u.mu.Unlock()
	u.answer(w, r)
}

func (u *recorder) got() received {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.last
}

// reply answers every request the same way. An empty content type sends none.
func reply(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// door is a REST door on loopback in front of a recorder.
type door struct {
	*httptest.Server
	upstream *recorder
	handler  *Handler
	log      *bytes.Buffer
}

// setup starts a door. change may be nil.
func setup(t testing.TB, answer http.HandlerFunc, change func(*Options, *facade.Dispatcher)) *door {
	t.Helper()
	u := &recorder{answer: answer}
	u.Server = httptest.NewServer(u)
	t.Cleanup(u.Close)
	bindings, err := upstream.CompileBindings(upstream.RainbowServices())
	if err != nil {
		t.Fatal(err)
	}
	client, err := upstream.New(upstream.Options{BaseURL: u.URL, Bindings: bindings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	d := &door{upstream: u, log: &bytes.Buffer{}}
	log := slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	dispatcher := facade.NewDispatcher(bindings, client, log, facade.Authenticate(false))
	opts := Options{
		Dispatcher: dispatcher, Listener: facade.Listener{Loopback: true}, Services: RainbowServices(), CatchAll: true,
		MaxBody: 1 << 20, MaxUpload: 4 << 20, Log: log,
	}
	if change != nil {
		change(&opts, dispatcher)
	}
	if d.handler, err = New(opts); err != nil {
		t.Fatal(err)
	}
	d.Server = httptest.NewServer(d.handler)
	t.Cleanup(d.Close)
	return d
}

// answered is what the door answered.
type answered struct {
	status int
	header http.Header
	body   string
}

// send writes a request as bytes, so that nothing is repaired on the way, and reads the answer.
func (d *door) send(t testing.TB, line, body string, headers ...string) answered {
	t.Helper()
	conn, err := net.Dial("tcp", d.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	method, _, _ := strings.Cut(line, " ")
	var b strings.Builder
	fmt.Fprintf(&b, "%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", line, d.Listener.Addr())
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	_, _ = io.WriteString(conn, b.String()+"\r\n"+body) // a refusal may come before the last byte is out
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{status: resp.StatusCode, header: resp.Header, body: string(text)}
}

const (
	users = "/api/rainbow/admin/v1.0/users"
	ddi   = "/api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/5b7d/phone-numbers/ddi"
)

func TestBytesPassUnchangedBothWays(t *testing.T) {
	const answer = "{ \"data\" : [ {\"number\":1.10, \"x\\u0041\":null,\"unknown\":[[],{}]} ]\n,\"total\":1e0 }\n"
	tests := []struct{ name, method, target, body string }{
		{"plain list", "GET", users + "?companyId=5b7d&format=full", ""},
		{"literal undefined, a parameter twice", "GET", ddi + "?limit=100&offset=undefined&limit=false&sortOrder=1", ""},
		{"odd query: no value, empty, unknown, broken escape, bracket", "GET", users + "?a&=&&x[y]=%zz&b=+%20;c", ""},
		{"only a question mark", "GET", users + "?", ""},
		{"percent-encoding kept in path and query", "GET", users + "/a%2fb%20C%41?x=%41%2F", ""},
		{"colon and at-sign in a path value", "GET", users + "/aa:bb:cc@x.example", ""},
		{"unknown and odd members", "POST", ddi, "{\"number\": 1.10 ,\n\"customData\":{\"a\":null},\"1\":1e400,\"été\":\"\\ud800\"}"},
		{"duplicate-looking but distinct names", "POST", ddi, `{"a":1,"A":2}`},
		{"a body that is no object", "POST", ddi, ` [1,"x",null] `},
		{"an empty body", "POST", ddi, ""},
		{"DELETE with a body", "DELETE", users + "/7", "{}"},
	}
	for _, status := range []int{200, 201, 202} {
		d := setup(t, reply(status, "application/json; charset=utf-8", answer), nil)
		for _, tt := range tests {
			t.Run(fmt.Sprint(tt.name, " ", status), func(t *testing.T) {
				got := d.send(t, tt.method+" "+tt.target, tt.body, "Authorization: Bearer x", "Content-Type: application/json")
				if got.status != status || got.body != answer || got.header.Get("Content-Type") != "application/json; charset=utf-8" {
					t.Errorf("answer %d %v %q", got.status, got.header, got.body)
				}
				sent := d.upstream.got()
				if sent.line != tt.method+" "+tt.target || sent.body != tt.body {
					t.Errorf("upstream got  %s %q\nwant          %s %q", sent.line, sent.body, tt.method+" "+tt.target, tt.body)
				}
			})
		}
	}
}

func TestUpstreamRefusalsPassUnchanged(t *testing.T) {
	const envelope = `{"errorCode":409, "errorMsg":"Conflict","errorDetails":[{"param":"x","msg":"y"}],"errorDetailsCode":409550,"errorDetailsData":{"conflictWith":1.0}}`
	tests := []struct {
		status            int
		contentType, body string
	}{
		{409, "application/json", envelope},
		{400, "application/json; charset=utf-8", envelope},
		{401, "application/json", `{"errorCode":401,"errorDetails":"jwt expired"}`},
		{412, "application/json", envelope},
		{429, "text/plain", "Too Many Requests"},
		{500, "text/html", "<html>oops</html>"},
		{503, "", ""},
		{302, "text/html", "moved"},
		{418, "application/json", "{not json"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.status), func(t *testing.T) {
			d := setup(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Retry-After", "7")
				w.Header().Set("X-Rainbow-Request-Id", "r-1")
				w.Header().Set("Location", "https://elsewhere.example/")
				reply(tt.status, tt.contentType, tt.body)(w, r)
			}, nil)
			got := d.send(t, "POST "+ddi, "{}", "Authorization: Bearer x")
			if got.status != tt.status || got.body != tt.body || got.header.Get("Content-Type") != tt.contentType {
				t.Errorf("got %d %q %q", got.status, got.header.Get("Content-Type"), got.body)
			}
			if got.header.Get("Retry-After") != "7" || got.header.Get("X-Rainbow-Request-Id") != "r-1" {
				t.Errorf("headers lost: %v", got.header)
			}
			if want := map[bool]string{true: "upstream"}[tt.status >= 400]; got.header.Get("X-Error-Origin") != want {
				t.Errorf("X-Error-Origin %q, want %q", got.header.Get("X-Error-Origin"), want)
			}
		})
	}
}

func TestTheGatewaysOwnRefusalsHaveRainbowsShape(t *testing.T) {
	d := setup(t, reply(200, "application/json", "{}"), func(o *Options, _ *facade.Dispatcher) { o.CatchAll = false })
	tests := []struct {
		name, line, body string
		header           string
		want             string // status and body
	}{
		{"trailing text", "POST " + ddi, `{"a":1}x`, "", `400 {"errorCode":400,"errorMsg":"Bad Request","errorDetails":[{"param":"body","msg":"something after the JSON value at byte 7"}],"errorDetailsCode":400000}`},
		{"a name twice", "POST " + ddi, `{"a":1,"\u0061":2}`, "", `400 {"errorCode":400,"errorMsg":"Bad Request","errorDetails":[{"param":"body",`},
		{"not UTF-8", "POST " + ddi, "{\"a\":\"\xff\"}", "", "400 "},
		{"too deep", "POST " + ddi, strings.Repeat("[", 200) + strings.Repeat("]", 200), "", "400 "},
		{"too large", "POST " + ddi, `"` + strings.Repeat("x", 1<<20) + `"`, "", `413 {"errorCode":413,"errorMsg":"Request Entity Too Large","errorDetails":"body too large: at most 1048576 bytes","errorDetailsCode":413000}`},
		{"a compressed body", "POST " + ddi, "\x1f\x8b", "Content-Encoding: gzip", "415 "},
		{"a dot segment", "GET /api/rainbow/admin/v1.0/../x", "", "", `400 {"errorCode":400,"errorMsg":"Bad Request","errorDetails":"path: dot segments are not taken","errorDetailsCode":400000}`},
		{"an escaped dot segment", "GET " + users + "/%2e%2E", "", "", "400 "},
		{"no such path", "GET /api/rainbow/admin/v1.0/nothing", "", "", `404 {"errorCode":404,"errorMsg":"Not Found","errorDetails":"no such route","errorDetailsCode":404000}`},
		{"another method", "PATCH " + users + "/7", "{}", "", `405 {"errorCode":405,"errorMsg":"Method Not Allowed","errorDetails":"method not allowed","errorDetailsCode":405000}`},
		{"TRACE", "TRACE " + users, "", "", "405 "},
		{"method override", "POST " + users + "/7", "{}", "X-HTTP-Method-Override: DELETE", "405 "},
		{"outside Rainbow", "GET /elsewhere", "", "", `404 {"code":5,`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d.upstream.last = received{}
			headers := []string{"Authorization: Bearer x"}
			if tt.header != "" {
				headers = append(headers, tt.header)
			}
			got := d.send(t, tt.line, tt.body, headers...)
			if text := fmt.Sprintf("%d %s", got.status, got.body); !strings.HasPrefix(text, tt.want) {
				t.Errorf("got  %s\nwant %s", text, tt.want)
			}
			if got.header.Get("X-Error-Origin") != "gateway" || got.header.Get("Content-Type") != "application/json" {
				t.Errorf("headers %v", got.header)
			}
			if sent := d.upstream.got(); sent.line != "" {
				t.Errorf("upstream got %s", sent.line)
			}
		})
	}
	if allow := d.send(t, "PATCH "+users+"/7", "{}").header.Get("Allow"); allow != "DELETE, GET, HEAD, PUT, OPTIONS" {
		t.Errorf("Allow: %s", allow)
	}
}

func TestBodyOfUnknownLengthIsBounded(t *testing.T) {
	d := setup(t, reply(200, "application/json", "{}"), nil)
	for _, path := range []string{ddi, "/api/rainbow/massprovisioning/v1.0/users/imports?companyId=1"} {
		body := io.MultiReader(strings.NewReader(`"`), io.LimitReader(endless{}, 5<<20), strings.NewReader(`"`))
		req, err := http.NewRequest("POST", d.URL+path, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer x")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

func TestHeadAndOptions(t *testing.T) {
	d := setup(t, reply(200, "application/json", `{"data":[]}`), nil)
	got := d.send(t, "HEAD "+users, "", "Authorization: Bearer x")
	if got.status != 200 || got.header.Get("Content-Length") != "11" || got.body != "" || d.upstream.got().line != "GET "+users {
		t.Errorf("HEAD: %d %v, upstream %s", got.status, got.header, d.upstream.got().line)
	}
	d.upstream.last = received{}
	got = d.send(t, "OPTIONS "+users, "")
	if got.status != 204 || got.header.Get("Allow") != "GET, HEAD, POST, OPTIONS" || d.upstream.got().line != "" {
		t.Errorf("OPTIONS: %d %v, upstream %s", got.status, got.header, d.upstream.got().line)
	}
}

func TestAmpersandWhereAQuestionMarkBelongs(t *testing.T) {
	d := setup(t, reply(200, "application/json", "{}"), nil)
	const imports = "/api/rainbow/massprovisioning/v1.0/users/imports"
	d.send(t, "GET "+imports+"&companyId=5b7d", "", "Authorization: Bearer x")
	if got := d.upstream.got().line; got != "GET "+imports+"?companyId=5b7d" {
		t.Errorf("upstream got %s", got)
	}
	// An ampersand that belongs to a value stays.
	d.send(t, "GET "+users+"/a&b=c", "", "Authorization: Bearer x")
	if got := d.upstream.got().line; got != "GET "+users+"/a&b=c" {
		t.Errorf("upstream got %s", got)
	}
}

func TestPathsKeepTheirEscapes(t *testing.T) {
	d := setup(t, reply(200, "application/json", "{}"), nil)
	for sent, want := range map[string]string{
		"/a%2Fb":       "/a%2Fb",
		"/a%2fb|c":     "/a%2fb%7Cc", // net/url would make it /a/b%7Cc
		"/a%2fb\xe9#c": "/a%2fb%E9%23c",
		"/a%7eb":       "/a%7eb",
	} {
		d.send(t, "GET "+users+sent, "", "Authorization: Bearer x")
		if got := d.upstream.got().line; got != "GET "+users+want {
			t.Errorf("%s: upstream got %s", sent, got)
		}
	}
}

func TestTheCatchAllPassesNoOddMethods(t *testing.T) {
	d := setup(t, reply(200, "application/json", "{}"), nil)
	for method, want := range map[string]int{"PATCH": 200, "OPTIONS": 200, "PURGE": 405, "get": 405, "CONNECT": 405} {
		if got := d.send(t, method+" /api/rainbow/enduser/v1.0/x", "", "Authorization: Bearer x"); got.status != want {
			t.Errorf("%s: %d, want %d", method, got.status, want)
		}
	}
}

func TestMissingContentTypeStaysMissing(t *testing.T) {
	d := setup(t, reply(200, "", "{}"), nil)
	got := d.send(t, "GET "+users, "", "Authorization: Bearer x")
	if _, there := got.header["Content-Type"]; there || got.body != "{}" {
		t.Errorf("%v %q", got.header, got.body)
	}
}
