package reference_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/gen/openapi"
	"github.com/rainbow-gateway/rainbow-gateway/internal/reference"
)

// serve starts the reference on loopback.
func serve(t *testing.T) *httptest.Server {
	t.Helper()
	h, err := reference.New()
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// ask sends a request that follows no redirect and unpacks nothing; headers are names and values in turn.
func ask(t *testing.T, method, url string, headers ...string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

func TestEachPathHasItsTypeAndHeaders(t *testing.T) {
	s := serve(t)
	cases := []struct{ path, contentType, contains string }{
		{"/docs", "text/html; charset=utf-8", "docs/reference.js"},
		{"/docs/openapi.json", "application/json", `"openapi": "3.1.0"`},
		{"/docs/swagger.json", "application/json", `"swagger": "2.0"`},
		{"/docs/reference.js", "text/javascript; charset=utf-8", "SwaggerUIBundle("},
		{"/docs/reference.css", "text/css; charset=utf-8", "body"},
		{"/docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8", "SwaggerUI"},
		{"/docs/swagger-ui.css", "text/css; charset=utf-8", ".swagger-ui"},
		{"/docs/favicon-32x32.png", "image/png", "PNG"},
		{"/docs/LICENSE", "text/plain; charset=utf-8", "Apache License"},
	}
	for _, c := range cases {
		t.Run(c.path, func(t *testing.T) {
			resp, body := ask(t, http.MethodGet, s.URL+c.path)
			if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != c.contentType || !bytes.Contains(body, []byte(c.contains)) {
				t.Errorf("answer is %d %s, %d bytes", resp.StatusCode, resp.Header.Get("Content-Type"), len(body))
			}
			policy := resp.Header.Get("Content-Security-Policy")
			if !strings.HasPrefix(policy, "default-src 'none'; script-src 'self'; style-src 'self'") || strings.Contains(policy, "unsafe") {
				t.Errorf("policy is %q", policy)
			}
			if resp.Header.Get("X-Content-Type-Options") != "nosniff" || resp.Header.Get("Cache-Control") != "no-cache" {
				t.Errorf("headers are %v", resp.Header)
			}
			head, none := ask(t, http.MethodHead, s.URL+c.path)
			if head.StatusCode != http.StatusOK || len(none) != 0 || head.ContentLength != int64(len(body)) {
				t.Errorf("HEAD answers %d, %d bytes, length %d of %d", head.StatusCode, len(none), head.ContentLength, len(body))
			}
		})
	}
}

func TestOtherPathsAndMethodsAreRefused(t *testing.T) {
	s := serve(t)
	cases := []struct {
		name, method, path string
		status             int
		header, value      string
	}{
		{"the address alone leads to the page", http.MethodGet, "/", http.StatusFound, "Location", "docs"},
		{"a slash too many leads back", http.MethodGet, "/docs/", http.StatusPermanentRedirect, "Location", "../docs"},
		{"there is no second address of the page", http.MethodGet, "/docs/index.html", http.StatusNotFound, "", ""},
		{"there is no list of the files", http.MethodGet, "/docs/swagger-ui", http.StatusNotFound, "", ""},
		{"nothing is written", http.MethodPost, "/docs", http.StatusMethodNotAllowed, "Allow", "GET, HEAD, OPTIONS"},
		{"what may be done can be asked", http.MethodOptions, "/docs", http.StatusNoContent, "Allow", "GET, HEAD, OPTIONS"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			resp, _ := ask(t, c.method, s.URL+c.path)
			if resp.StatusCode != c.status || c.header != "" && resp.Header.Get(c.header) != c.value {
				t.Errorf("answer is %d, %v", resp.StatusCode, resp.Header)
			}
		})
	}
}

func TestADocumentIsCompressedAndSentOnce(t *testing.T) {
	s := serve(t)
	resp, packed := ask(t, http.MethodGet, s.URL+"/docs/openapi.json", "Accept-Encoding", "br, gzip")
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(z); err != nil || !bytes.Equal(text, openapi.OpenAPI) {
		t.Errorf("unpacked: %d bytes, %v; want the %d of the document", len(text), err, len(openapi.OpenAPI))
	}
	if len(packed)*4 > len(openapi.OpenAPI) {
		t.Errorf("packed: %d bytes of %d", len(packed), len(openapi.OpenAPI))
	}
	for _, encoding := range []string{"gzip", "identity"} {
		again, body := ask(t, http.MethodGet, s.URL+"/docs/openapi.json", "Accept-Encoding", encoding, "If-None-Match", resp.Header.Get("ETag"))
		if again.StatusCode != http.StatusNotModified || len(body) != 0 {
			t.Errorf("%s: asked again: %d, %d bytes", encoding, again.StatusCode, len(body))
		}
	}
	if plain, _ := ask(t, http.MethodGet, s.URL+"/docs/openapi.json", "Accept-Encoding", "gzip;q=0"); plain.Header.Get("Content-Encoding") != "" {
		t.Errorf("who does not take gzip gets %s", plain.Header.Get("Content-Encoding"))
	}
}

// TestThePageLoadsNothingFromElsewhere follows every address of the page and of our own script and style sheet; what
// the viewer might ask beyond them, the policy forbids.
func TestThePageLoadsNothingFromElsewhere(t *testing.T) {
	s := serve(t)
	_, page := ask(t, http.MethodGet, s.URL+"/docs")
	if regexp.MustCompile(`(?i)<script[^>]*>[^<]|<style|\son\w+=|style=`).Match(page) {
		t.Error("the page has a script, style or handler of its own within it")
	}
	addresses := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(string(page), -1)
	_, script := ask(t, http.MethodGet, s.URL+"/docs/reference.js")
	addresses = append(addresses, regexp.MustCompile(`URL\("([^"]*)"`).FindAllStringSubmatch(string(script), -1)...)
	if len(addresses) < 7 {
		t.Fatalf("%d addresses in the page and its script", len(addresses))
	}
	for _, address := range addresses {
		if resp, _ := ask(t, http.MethodGet, s.URL+"/"+address[1]); resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", address[1], resp.StatusCode)
		}
	}
	_, sheet := ask(t, http.MethodGet, s.URL+"/docs/swagger-ui.css")
	for name, text := range map[string][]byte{"page": page, "reference.js": script, "swagger-ui.css": sheet} {
		foreign := regexp.MustCompile(`(?i)(?:src|href)\s*=\s*"(?:https?:)?//|url\(["']?(?:https?:)?//|@import`)
		if found := foreign.Find(text); found != nil {
			t.Errorf("%s: loads %s…", name, found)
		}
	}
	if !bytes.Contains(script, []byte(`validatorUrl: "none"`)) {
		t.Error("the viewer shows its badge, which asks a host on the internet")
	}
}

// TestTheViewerIsWhatCame holds the files against the checksums that tools/viewer.sh wrote.
func TestTheViewerIsWhatCame(t *testing.T) {
	sums, err := os.ReadFile("swagger-ui/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	checked := 1 // SHA256SUMS itself
	for line := range strings.Lines(string(sums)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		want, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		text, err := os.ReadFile("swagger-ui/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s is not what tools/viewer.sh fetched: sha256 is %x, want %s", name, sum, want)
		}
		checked++
	}
	entries, err := os.ReadDir("swagger-ui")
	if err != nil || len(entries) != checked {
		t.Errorf("%d files, %d of them known (%v)", len(entries), checked, err)
	}
}

func TestBothDocumentsAreJSON(t *testing.T) {
	for name, text := range map[string][]byte{"OpenAPI": openapi.OpenAPI, "Swagger": openapi.Swagger} {
		var document struct{ Paths map[string]any }
		if err := json.Unmarshal(text, &document); err != nil || len(document.Paths) < 100 {
			t.Errorf("%s: %d paths, %v", name, len(document.Paths), err)
		}
	}
}
