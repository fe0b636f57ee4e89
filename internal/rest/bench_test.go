package rest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// BenchmarkDoorAgainstReverseProxy compares a mirrored call with the same call through net/http's reverse proxy, the
// least that anything between caller and Rainbow costs; "direct" is the cost of caller and Rainbow alone. All have tuned transports and one caller.
func BenchmarkDoorAgainstReverseProxy(b *testing.B) {
	body := `{"data":[` + strings.Repeat(`{"id":"5b7d0c0ffee0000000000001","number":"33298300513","unknown":1.10},`, 30) + `{}],"total":31}`
	var through [3]*httptest.Server
	d := setup(b, reply(200, "application/json", body), nil)
	through[0] = d.Server
	upstreamURL, err := url.Parse(d.upstream.URL)
	if err != nil {
		b.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(upstreamURL)
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	through[1] = httptest.NewServer(proxy)
	b.Cleanup(through[1].Close)
	through[2] = d.upstream.Server
	for i, name := range []string{"door", "proxy", "direct"} {
		b.Run(name, func(b *testing.B) {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
			b.ReportAllocs()
			for b.Loop() {
				req, _ := http.NewRequest("GET", through[i].URL+users+"?companyId=5b7d&format=full&limit=100", nil)
				req.Header.Set("Authorization", "Bearer x")
				resp, err := client.Do(req)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
}
