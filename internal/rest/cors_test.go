package rest

import (
	"net/http"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
)

func TestPagesOfConfiguredOriginsOnlyMayCall(t *testing.T) {
	const console, evil = "Origin: https://console.example", "Origin: https://evil.example"
	d := setup(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Accept-Encoding")
		w.Header().Set("Access-Control-Allow-Origin", "*") // upstream's word is for pages of upstream
		reply(200, "application/json", "{}")(w, r)
	}, func(o *Options, _ *facade.Dispatcher) { o.Listener.Origins = []string{"https://console.example"} })

	preflight := []string{"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization, content-type", "Access-Control-Request-Private-Network: true"}
	got := d.send(t, "OPTIONS "+users, "", append(preflight, console)...)
	if got.status != 204 || got.header.Get("Access-Control-Allow-Origin") != "https://console.example" ||
		got.header.Get("Access-Control-Allow-Headers") != "authorization, content-type" || got.header.Get("Access-Control-Allow-Methods") == "" ||
		got.header.Get("Access-Control-Allow-Private-Network") != "true" {
		t.Errorf("preflight: %d %v", got.status, got.header)
	}
	for _, tt := range []struct{ name, origin, allowed string }{
		{"a configured origin", console, "https://console.example"},
		{"another origin", evil, ""},
		{"no page", "X-Rainbow-A: b", ""},
	} {
		got := d.send(t, "GET "+users, "", tt.origin, "Authorization: Bearer x")
		if got.status != 200 || got.header.Get("Access-Control-Allow-Origin") != tt.allowed {
			t.Errorf("%s: %d %v", tt.name, got.status, got.header)
		}
		if vary := got.header.Values("Vary"); len(vary) != 2 {
			t.Errorf("%s: Vary %v", tt.name, vary)
		}
	}
	for _, origin := range []string{evil, "Origin: null"} {
		got := d.send(t, "OPTIONS "+users, "", append(preflight, origin)...)
		for name := range got.header {
			if len(name) > 15 && name[:15] == "Access-Control-" {
				t.Errorf("preflight of %s: %v", origin, got.header)
			}
		}
	}
}
