package rest

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/reference"
)

func TestTheReferenceIsForAnybodyAndTakesNoPathOfARoute(t *testing.T) {
	pages, err := reference.New()
	if err != nil {
		t.Fatal(err)
	}
	on := func(o *Options, _ *facade.Dispatcher) { o.Reference, o.Listener = pages, facade.Listener{} }
	off := func(o *Options, _ *facade.Dispatcher) { o.Listener = facade.Listener{} }
	cases := []struct {
		name, method, path string
		change             func(*Options, *facade.Dispatcher)
		status             int
		contains           string
	}{
		{"the page", http.MethodGet, "/docs", on, http.StatusOK, "docs/reference.js"},
		{"the document", http.MethodGet, "/docs/openapi.json", on, http.StatusOK, `"openapi": "3.1.0"`},
		{"a file that is not there", http.MethodGet, "/docs/nothing", on, http.StatusNotFound, `"message"`},
		{"nothing is written", http.MethodPost, "/docs/openapi.json", on, http.StatusMethodNotAllowed, "only read"},
		{"a dot segment", http.MethodGet, "/docs/%2e%2e/v1", on, http.StatusBadRequest, "dot segments"},
		{"a path of Rainbow's goes upstream", http.MethodGet, "/api/rainbow/docs/v1.0/openapi.json", on, http.StatusOK, `"from":"upstream"`},
		{"switched off", http.MethodGet, "/docs", off, http.StatusNotFound, `"message"`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := setup(t, reply(http.StatusOK, contentTypeJSON, `{"from":"upstream"}`), c.change)
			r, err := http.NewRequestWithContext(t.Context(), c.method, d.URL+c.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer x") // which the page does not ask for, and does not mind
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != c.status || !strings.Contains(string(body), c.contains) {
				t.Errorf("got %d %.200s (%v), want %d with %s", resp.StatusCode, body, err, c.status, c.contains)
			}
		})
	}
}
