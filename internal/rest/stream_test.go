package rest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
)

const (
	imports      = "/api/rainbow/massprovisioning/v1.0/users/imports"
	userTemplate = "/api/rainbow/massprovisioning/v1.0/users/template"
)

func TestCSVAndFormsPassByteExact(t *testing.T) {
	csv := "%c\r\n\"Enterprise Demo\" ;x\xff\x00\r\n" + strings.Repeat("a;b\n", 50_000)
	tests := []struct{ name, line, contentType, body, answerType, answer string }{
		{"CSV import", "POST " + imports + "?companyId=5b7d&comment=%25&delimiter=;", "text/csv; charset=utf-8", csv, "application/json", `{"data":{}}`},
		{"CSV import without a type", "POST " + imports, "", csv, "application/json", `{"data":{}}`},
		{"CSV template", "GET " + userTemplate + "?mode=user", "", "", "text/csv", csv},
		{"form", "POST /api/rainbow/authentication/v1.0/oauth/token", "application/x-www-form-urlencoded", "grant_type=refresh_token&refresh_token=a%2Bb", "application/json", "{}"},
		{"redirect", "GET /api/rainbow/authentication/v1.0/oauth/authorize?client_id=x", "", "", "text/html", "<a>"},
		{"unmodelled path", "PATCH /api/rainbow/enduser/v1.0/a%2fb//c;d?q", "application/octet-stream", csv, "image/png", csv},
		{"unmodelled method on a modelled path", "PATCH " + users + "/7", "application/json", "{not json", "application/json", "{}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status := 200
			if tt.name == "redirect" {
				status = 302
			}
			d := setup(t, reply(status, tt.answerType, tt.answer), nil)
			headers := []string{"Authorization: Bearer x"}
			if tt.contentType != "" {
				headers = append(headers, "Content-Type: "+tt.contentType)
			}
			got := d.send(t, tt.line, tt.body, headers...)
			if got.status != status || got.body != tt.answer || got.header.Get("Content-Type") != tt.answerType {
				t.Errorf("answer %d %v, %d bytes", got.status, got.header, len(got.body))
			}
			sent := d.upstream.got()
			if sent.line != tt.line || sent.body != tt.body || sent.header.Get("Content-Type") != tt.contentType {
				t.Errorf("upstream got %s, %d bytes, %v", sent.line, len(sent.body), sent.header)
			}
		})
	}
}

func TestStreamedRefusalsPassUnchanged(t *testing.T) {
	d := setup(t, reply(413, "application/json", `{"errorDetailsCode":413000 }`), nil)
	got := d.send(t, "POST "+imports, "a;b", "Content-Type: text/csv")
	if got.status != 413 || got.body != `{"errorDetailsCode":413000 }` || got.header.Get("X-Error-Origin") != "upstream" {
		t.Errorf("%d %v %s", got.status, got.header, got.body)
	}
}

// TestUploadsAreNotBuffered sends the second half only after upstream has seen the first.
func TestUploadsAreNotBuffered(t *testing.T) {
	seen := make(chan string, 2)
	d := setup(t, nil, nil)
	d.upstream.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			seen <- lines.Text()
		}
		reply(200, "application/json", "{}")(w, r)
	})
	body, feed := io.Pipe()
	go func() {
		_, _ = io.WriteString(feed, "one\n")
		if line := receive(t, seen); line != "one" {
			t.Errorf("upstream saw %q", line)
		}
		_, _ = io.WriteString(feed, "two\n")
		_ = feed.Close()
	}()
	resp, err := http.Post(d.URL+imports, "text/csv", body)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if line := receive(t, seen); line != "two" || resp.StatusCode != 200 {
		t.Errorf("%s, then upstream saw %q", resp.Status, line)
	}
}

// TestDownloadsAreNotBuffered reads the first line before upstream writes the second.
func TestDownloadsAreNotBuffered(t *testing.T) {
	goOn := make(chan string, 1)
	d := setup(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/csv")
		_, _ = io.WriteString(w, "one\n")
		_ = http.NewResponseController(w).Flush()
		receive(t, goOn)
		_, _ = io.WriteString(w, "two\n")
	}, nil)
	resp, err := http.Get(d.URL + userTemplate)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	lines := bufio.NewReader(resp.Body)
	if line, err := lines.ReadString('\n'); line != "one\n" || err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	goOn <- ""
	if line, err := lines.ReadString('\n'); line != "two\n" || err != nil {
		t.Errorf("%q, %v", line, err)
	}
}

// TestAnAnswerBeforeTheEndOfTheBodyIsNotHeldBack: upstream refuses after the head; the caller sees it without sending
// more.
func TestAnAnswerBeforeTheEndOfTheBodyIsNotHeldBack(t *testing.T) {
	d := setup(t, nil, nil)
	d.upstream.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close") // answer before the body has come
		reply(401, "application/json", `{"errorCode":401}`)(w, r)
	})
	for _, framing := range []string{"Content-Length: 100000", "Transfer-Encoding: chunked"} {
		resp, took := d.begin(t, "POST "+imports, framing, 0, "4\r\na;b\n\r\n")
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 401 || string(body) != `{"errorCode":401}` || !resp.Close || took > 5*time.Second {
			t.Errorf("%s: %s %s after %s, closed %v", framing, resp.Status, body, took, resp.Close)
		}
	}
	d.upstream.Config.Handler = reply(200, "application/json", "{}")
	if resp, _ := d.begin(t, "POST "+imports, "Content-Length: 4", 0, "a;b\n"); resp.StatusCode != 200 || resp.Close {
		t.Errorf("a whole body: %s, closed %v", resp.Status, resp.Close)
	}
	d.upstream.CloseClientConnections()
	d.upstream.Server.Close()
	if resp, took := d.begin(t, "POST "+imports, "Content-Length: 100000", 0, "a;b\n"); resp.StatusCode != 502 || took > 5*time.Second {
		t.Errorf("nobody there: %s after %s", resp.Status, took)
	}
}

func receive(t *testing.T, c chan string) string {
	t.Helper()
	select {
	case text := <-c:
		return text
	case <-time.After(5 * time.Second):
		t.Error("nothing came")
		return ""
	}
}

// TestABrokenAnswerDoesNotLookWhole holds when upstream breaks off in the middle of a download.
func TestABrokenAnswerDoesNotLookWhole(t *testing.T) {
	for _, length := range []string{"", "100"} {
		d := setup(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/csv")
			if length != "" {
				w.Header().Set("Content-Length", length)
			}
			_, _ = io.WriteString(w, "one\n")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, nil)
		resp, err := http.Get(d.URL + userTemplate)
		if err != nil {
			continue // broken off before the head was out
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err == nil {
			t.Errorf("length %q: %q looks whole", length, body)
		}
	}
}

// TestCompressedAnswersStayCompressed for callers that ask for it, and only for them.
func TestCompressedAnswersStayCompressed(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, `{"data":[]}`)
	_ = z.Close()
	for _, target := range []string{users, userTemplate} {
		for _, status := range []int{200, 404} {
			d := setup(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Accept-Encoding") != "gzip" {
					reply(status, "application/json", `{"data":[]}`)(w, r)
					return
				}
				w.Header().Set("Content-Encoding", "gzip")
				reply(status, "application/json", packed.String())(w, r)
			}, nil)
			got := d.send(t, "GET "+target, "", "Accept-Encoding: gzip")
			if got.body != packed.String() || got.header.Get("Content-Encoding") != "gzip" || got.status != status {
				t.Errorf("%s %d: %v %q", target, status, got.header, got.body)
			}
			if got = d.send(t, "GET "+target, ""); got.body != `{"data":[]}` || got.header.Get("Content-Encoding") != "" {
				t.Errorf("%s: %v %q", target, got.header, got.body)
			}
		}
	}
}

func TestWithoutCatchAllOnlyModelledPathsAreServed(t *testing.T) {
	d := setup(t, reply(200, "application/json", "{}"), func(o *Options, _ *facade.Dispatcher) { o.CatchAll = false })
	if got := d.send(t, "GET /api/rainbow/enduser/v1.0/x", ""); got.status != 404 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := d.send(t, "GET "+userTemplate, ""); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
}
