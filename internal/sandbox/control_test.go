package sandbox_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox/sandboxtest"
)

// TestControlPathsAreForTheNamesOfThisMachine: a page whose name its owner
// leads to this machine (DNS rebinding) asks without an Origin.
func TestControlPathsAreForTheNamesOfThisMachine(t *testing.T) {
	server := sandboxtest.Start(t, sandbox.Options{})
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	for host, want := range map[string]int{
		"127.0.0.1:" + port: 200, "127.0.0.1": 200, "localhost:" + port: 200, "LOCALHOST": 200, "rainbow.localhost:" + port: 200, "[::1]:" + port: 200, "[::1]": 200,
		"evil.example:" + port: 403, "evil.example": 403, "localhost.evil.example": 403, "10.0.0.7": 403, "127.0.0.1.evil.example": 403,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/sandbox/journal", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != want {
			t.Errorf("Host %s: status %d, want %d", host, resp.StatusCode, want)
		}
		_ = resp.Body.Close()
	}
}
