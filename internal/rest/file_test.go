package rest

import (
	"bufio"
	"io"
	"net/http"
	"testing"
)

const (
	greeting = "/api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/5b7d/greetings/5fd0"
	export   = "/api/rainbow/massprovisioning/v1.0/users/synchronize"
)

// TestFilesThatMayBeDocumentsAreNotBuffered reads the first line before upstream writes the second, where the answer may
// be a file; where it is the document, the answer comes at once.
func TestFilesThatMayBeDocumentsAreNotBuffered(t *testing.T) {
	for _, tt := range []struct {
		name, target, accept string
		streamed             bool
	}{
		{"audio", greeting, "audio/*", true},
		{"audio rather than the document", greeting, "application/json;q=0.1, audio/x-wav", true},
		{"any file", greeting, "application/octet-stream", true},
		{"a recording", "/api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/5b7d/recordings/5fc5", "audio/wav", true},
		{"CSV by Accept", export, "TEXT/CSV", true},
		{"CSV by format", export + "?companyId=c&format=csv", "application/json", true},
		{"CSV by format, escaped", "/api/rainbow/massprovisioning/v1.0/directories/synchronize?format=%63sv", "", true},
		{"a tenant", "/api/rainbow/massprovisioning/v1.0/users/synchronize/t?format=csv", "*/*", true},
		{"a tenant's task", "/api/rainbow/massprovisioning/v1.0/users/synchronizeTask/t?format=csv", "*/*", true},
		{"the document", greeting, "application/json; charset=utf-8, */*;q=0.5", false},
		{"no wish", greeting, "", false},
		{"both forms", export + "?format=all", "", false},
		{"an operation without a file", users + "?format=csv", "text/csv", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			goOn := make(chan string, 1)
			d := setup(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "audio/x-wav")
				_, _ = io.WriteString(w, "one\n")
				_ = http.NewResponseController(w).Flush()
				if tt.streamed {
					receive(t, goOn)
				}
				_, _ = io.WriteString(w, "two\n")
			}, nil)
			req, err := http.NewRequest("GET", d.URL+tt.target, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer x")
			if tt.accept != "" {
				req.Header.Set("Accept", tt.accept)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			lines := bufio.NewReader(resp.Body)
			line, err := lines.ReadString('\n')
			goOn <- ""
			rest, _ := io.ReadAll(lines)
			if err != nil || line+string(rest) != "one\ntwo\n" || resp.Header.Get("Content-Type") != "audio/x-wav" {
				t.Errorf("got %q, %q (%v), %v", line, rest, err, resp.Header)
			}
			if streamed := resp.ContentLength < 0; streamed != tt.streamed {
				t.Errorf("length %d; streamed: want %v", resp.ContentLength, tt.streamed)
			}
			if sent := d.upstream.got(); sent.line != "GET "+tt.target || sent.header.Get("Accept") != tt.accept {
				t.Errorf("upstream got %s, Accept %q", sent.line, sent.header.Get("Accept"))
			}
		})
	}
}

// TestWhatIsNoFileAfterAll: a refusal, and the document where a file was asked for, pass as they are.
func TestWhatIsNoFileAfterAll(t *testing.T) {
	for _, status := range []int{200, 404} {
		d := setup(t, reply(status, "application/json", `{"data" : ["a;b"]}`), nil)
		for _, line := range []string{"GET " + greeting, "HEAD " + greeting} {
			got := d.send(t, line, "", "Authorization: Bearer x", "Accept: audio/*")
			want := `{"data" : ["a;b"]}`
			if line[0] == 'H' {
				want = ""
			}
			if got.status != status || got.body != want || got.header.Get("Content-Type") != "application/json" || got.header.Get("Content-Length") != "18" {
				t.Errorf("%s: %d %v %q", line, got.status, got.header, got.body)
			}
		}
	}
}

// TestABodyBesideTheWishForAFileIsChecked as every JSON body is.
func TestABodyBesideTheWishForAFileIsChecked(t *testing.T) {
	d := setup(t, reply(200, "application/json", "{}"), nil)
	if got := d.send(t, "GET "+greeting, "{", "Accept: audio/*"); got.status != 400 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := d.send(t, "GET "+greeting, "{}", "Accept: audio/*"); got.status != 200 || d.upstream.got().body != "{}" {
		t.Errorf("%d, upstream got %q", got.status, d.upstream.got().body)
	}
}
