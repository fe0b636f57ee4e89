package rest

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// ways are targets of each way through the door: mirrored, streamed, a file, unmodelled.
var ways = []string{users, userTemplate, greeting, "/api/rainbow/enduser/v1.0/x"}

// TestEveryKindOfBodyPassesByteExact: audio, PDF, ACTIS files, invoices and redirects, both ways.
func TestEveryKindOfBodyPassesByteExact(t *testing.T) {
	bin := make([]byte, 100_000)
	for i := range bin {
		bin[i] = byte(i * 7 >> 3)
	}
	const pbx = "/api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/5b7d"
	for _, tt := range []struct{ name, line, contentType, accept, answerType string }{
		{"a greeting up", "PUT " + pbx + "/greetings/music_on_hold?fileName=a%20b.wav&description=x", "audio/wav", "", "application/json"},
		{"a greeting down", "GET " + greeting, "", "audio/wav", "audio/wav"},
		{"a voicemail greeting up", "POST " + pbx + "/groups/g/voicemail-greetings?name=x", "audio/x-wav", "", "application/json"},
		{"a voicemail greeting anew", "PUT " + pbx + "/groups/g/voicemail-greetings/v", "audio/wav", "", "application/json"},
		{"a voicemail greeting down", "GET " + pbx + "/groups/g/voicemail-greetings/v", "", "audio/*", "audio/x-wav"},
		{"a recording down", "GET " + pbx + "/recordings/r", "", "audio/*", "audio/x-wav"},
		{"an invoice as CSV", "GET /api/rainbow/invoicing/v1.0/invoices/0001/2017-10/services/CDR%20%C3%A9.csv", "", "text/csv", "text/csv; charset=iso-8859-1"},
		{"an invoice as PDF", "GET /api/rainbow/subscription/v1.0/companies/c/invoices/i/file", "", "application/pdf", "application/pdf"},
		{"an ACTIS file", "POST /api/rainbow/subscription/v1.0/companies/c/subscriptions/files?preview=true", "application/xml", "", "application/json"},
		{"a zipped ACTIS file", "POST /api/rainbow/subscription/v1.0/companies/c/subscriptions/files", "application/zip", "", "application/json"},
		{"a directory as CSV", "POST /api/rainbow/massprovisioning/v1.0/directories/imports?companyId=c", "text/csv", "", "application/json"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := setup(t, reply(200, tt.answerType, string(bin)), nil)
			headers, body := []string{"Authorization: Bearer x"}, ""
			if tt.contentType != "" {
				headers, body = append(headers, "Content-Type: "+tt.contentType), string(bin)
			}
			if tt.accept != "" {
				headers = append(headers, "Accept: "+tt.accept)
			}
			got := d.send(t, tt.line, body, headers...)
			if got.status != 200 || got.body != string(bin) || got.header.Get("Content-Type") != tt.answerType {
				t.Errorf("answer %d %v, %d bytes", got.status, got.header, len(got.body))
			}
			sent := d.upstream.got()
			if sent.line != tt.line || sent.body != body || sent.header.Get("Content-Type") != tt.contentType || sent.header.Get("Accept") != tt.accept {
				t.Errorf("upstream got %s, %d bytes, %v", sent.line, len(sent.body), sent.header)
			}
		})
	}
}

// TestWhatCallsItselfJSONAndIsNotPassesUnchanged, also where a file might come.
func TestWhatCallsItselfJSONAndIsNotPassesUnchanged(t *testing.T) {
	for _, body := range []string{"{not json", "{\"a\":1,\"a\":\"\xff\"}x", "\ufeff{}", "<html>", " "} {
		d := setup(t, reply(200, "application/json", body), nil)
		for _, target := range ways {
			if got := d.send(t, "GET "+target, "", "Authorization: Bearer x"); got.status != 200 || got.body != body || got.header.Get("Content-Type") != "application/json" {
				t.Errorf("%s: %d %v %q, want %q", target, got.status, got.header, got.body, body)
			}
		}
	}
}

// TestDotSegmentsReachNobody, in no spelling and on no way; in the query they are just text.
func TestDotSegmentsReachNobody(t *testing.T) {
	d := setup(t, reply(200, "application/json", "{}"), nil)
	for _, target := range ways {
		for _, dots := range []string{"/..", "/../..", "/.", "/%2e%2e", "/%2E./x", "/..%2f..%2fadmin", "/%2e%2e%5cx", "/%252e%252e/x", "/..;a=b/x"} {
			d.upstream.last = received{}
			got := d.send(t, "GET "+target+dots, "", "Authorization: Bearer x")
			if got.status != 400 || !strings.Contains(got.body, "dot segments") || d.upstream.got().line != "" {
				t.Errorf("%s%s: %d %s, upstream got %s", target, dots, got.status, got.body, d.upstream.got().line)
			}
		}
		if got := d.send(t, "GET "+target+"?next=/../%2e%2e", "", "Authorization: Bearer x"); got.status != 200 || d.upstream.got().line != "GET "+target+"?next=/../%2e%2e" {
			t.Errorf("%s: %d, upstream got %s", target, got.status, d.upstream.got().line)
		}
	}
}

func TestDepthIsBoundedAtAHundred(t *testing.T) {
	d := setup(t, reply(200, "application/json", "{}"), nil)
	for depth, want := range map[int]int{100: 200, 101: 400, 100_000: 400} {
		if got := d.send(t, "POST "+ddi, strings.Repeat("[", depth)+strings.Repeat("]", depth)); got.status != want {
			t.Errorf("%d: %d %s, want %d", depth, got.status, got.body, want)
		}
	}
}

func TestHeadAndOptionsOnEveryWay(t *testing.T) {
	d := setup(t, reply(200, "application/json", `{"data":[]}`), nil)
	for target, want := range map[string]string{userTemplate: "GET", greeting: "GET", "/api/rainbow/enduser/v1.0/x": "HEAD"} {
		got := d.send(t, "HEAD "+target, "", "Accept: audio/*")
		if got.status != 200 || got.header.Get("Content-Length") != "11" || got.body != "" || d.upstream.got().line != want+" "+target {
			t.Errorf("HEAD %s: %d %v, upstream %s", target, got.status, got.header, d.upstream.got().line)
		}
	}
	for target, want := range map[string]struct {
		status int
		line   string
	}{userTemplate: {204, ""}, greeting: {204, ""}, "/api/rainbow/enduser/v1.0/x": {200, "OPTIONS /api/rainbow/enduser/v1.0/x"}} {
		d.upstream.last = received{}
		if got := d.send(t, "OPTIONS "+target, ""); got.status != want.status || d.upstream.got().line != want.line {
			t.Errorf("OPTIONS %s: %d, upstream %q", target, got.status, d.upstream.got().line)
		}
	}
}

// TestAnEmptyObjectReachesUpstream where no body is documented, too.
func TestAnEmptyObjectReachesUpstream(t *testing.T) {
	d := setup(t, reply(200, "application/json", "{}"), nil)
	for _, line := range []string{"DELETE " + users + "/7", "GET " + users, "DELETE " + ddi + "/1", "DELETE /api/rainbow/enduser/v1.0/x",
		"POST /api/rainbow/massprovisioning/v1.0/users/synchronizeTask/t"} {
		d.send(t, line, "{}", "Content-Type: application/json")
		if got := d.upstream.got(); got.line != line || got.body != "{}" {
			t.Errorf("%s: upstream got %s %q", line, got.line, got.body)
		}
	}
}

// flaky is an upstream that answers one request on each connection, and hangs up on the next without an answer.
type flaky struct {
	net.Listener
	mu   sync.Mutex
	seen []string // request lines
}

func newFlaky(t *testing.T) *flaky {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &flaky{Listener: l}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go f.serve(conn)
		}
	}()
	return f
}

func (f *flaky) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	for n := range 2 {
		head := make([]byte, 0, 4096)
		for !bytes.Contains(head, []byte("\r\n\r\n")) {
			piece := make([]byte, 1024)
			n, err := conn.Read(piece)
			if err != nil {
				return
			}
			head = append(head, piece[:n]...)
		}
		line, _, _ := strings.Cut(string(head), " HTTP")
		f.mu.Lock()
		f.seen = append(f.seen, line)
		f.mu.Unlock()
		if n == 0 {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
		}
	}
}

// TestAPostGoesUpstreamOnce, even when the connection that it is sent on breaks.
func TestAPostGoesUpstreamOnce(t *testing.T) {
	for _, target := range []string{ddi, "/api/rainbow/enduser/v1.0/x"} {
		f := newFlaky(t)
		d := setup(t, nil, nil)
		d.upstream.URL = "http://" + f.Addr().String()
		d.useAccount(t)
		if got := d.send(t, "GET "+users, "", "Authorization: Bearer x"); got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		got := d.send(t, "POST "+target, "", "Authorization: Bearer x")
		f.mu.Lock()
		if got.status != 502 || strings.Join(f.seen, ", ") != "GET "+users+", POST "+target {
			t.Errorf("%d %s; upstream got %v", got.status, got.body, f.seen)
		}
		f.mu.Unlock()
	}
}

// TestNoSecretIsInARefusal: neither of the caller's headers, nor of path, query and body.
func TestNoSecretIsInARefusal(t *testing.T) {
	const secret = "s3cr3t-Value"
	d := setup(t, nil, nil)
	d.upstream.CloseClientConnections()
	d.upstream.Server.Close()
	headers := []string{"Authorization: Bearer " + secret, "X-Rainbow-Api-Key: " + secret, "X-Rainbow-App-Auth: " + secret, "Apikey: " + secret, "Cookie: " + secret, "Content-Type: " + secret}
	for _, line := range []string{
		"POST " + ddi + "?token=" + secret, "GET " + users + "?token=" + secret, "GET " + users + "/" + secret + "/..", "PURGE /api/rainbow/" + secret,
		"POST " + imports + "?token=" + secret, "GET /elsewhere/" + secret + "?" + secret, "GET /api/rainbow/x/" + secret, "PUT " + users + "/" + secret,
	} {
		for _, body := range []string{"", `{"password":"` + secret, `{"password":"` + secret + `"}` + secret, `"` + secret + "\x00\"", `"` + strings.Repeat(secret, 100_000) + `"`} {
			got := d.send(t, line, body, headers...)
			if got.status < 400 || strings.Contains(got.body, secret) || strings.Contains(got.header.Get("Location"), secret) {
				t.Errorf("%s: %d %s", line, got.status, got.body)
			}
		}
	}
	if strings.Contains(d.log.String(), secret) {
		t.Errorf("the log shows it: %s", d.log)
	}
}

// TestACallerWhoLeavesWithinAnUploadEndsIt, and upstream never takes the part that it got for the whole.
func TestACallerWhoLeavesWithinAnUploadEndsIt(t *testing.T) {
	got := make(chan error, 1)
	d := setup(t, nil, nil)
	d.upstream.Config.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		got <- err
	})
	body, feed := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _ = io.WriteString(feed, "a;b\n")
		cancel()
		_ = feed.CloseWithError(context.Canceled) // a plain end would be the whole of it, if it is noticed first
	}()
	req, err := http.NewRequestWithContext(ctx, "POST", d.URL+imports, body)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := http.DefaultClient.Do(req); err == nil {
		_ = resp.Body.Close()
	}
	select {
	case err := <-got:
		if err == nil {
			t.Error("upstream took the part for the whole")
		}
	case <-time.After(5 * time.Second):
		t.Error("upstream still waits")
	}
}
