package drift

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// canned answers every request with the same document, without a network.
type canned string

// RoundTrip answers.
func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(c)),
		Body: io.NopCloser(strings.NewReader(string(c))), Request: r,
	}, nil
}

// users is a page of about 2 KB.
var users = canned(`{"data":[` + strings.Repeat(`{"id":"5b7d0c0ffee0000000000001","loginEmail":"user000001@sandbox.example","isActive":true},`, 22) + `{}],"total":23}`)

// BenchmarkCall is a verbatim call through the client without its network, which would hide the radar: off, with the
// radar after its first answers, and with one that inspects all it can.
func BenchmarkCall(b *testing.B) {
	for _, bench := range []struct {
		name string
		opts *Options
	}{{"off", nil}, {"on", &Options{First: 1}}, {"everything", &Options{Rate: 1e9}}} {
		b.Run(bench.name, func(b *testing.B) {
			opts := upstream.Options{BaseURL: "http://127.0.0.1:1", Bindings: bindings(b), Transport: users}
			if bench.opts != nil {
				radar := New(*bench.opts)
				defer radar.Close()
				opts.Radar = radar
			}
			client, err := upstream.New(opts)
			if err != nil {
				b.Fatal(err)
			}
			ctx := upstream.WithCaller(context.Background(), upstream.Caller{})
			b.ReportAllocs()
			for b.Loop() {
				x := &upstream.Exchange{WantRaw: true, Request: &upstream.RawRequest{Method: "GET", Target: "/api/rainbow/admin/v1.0/users"}}
				if err := client.Invoke(upstream.WithExchange(ctx, x), "/"+listUsers, nil, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkInspect is what the radar's own goroutine does with one answer.
func BenchmarkInspect(b *testing.B) {
	r, op := quiet(b), binding(b, listUsers)
	body := bytes.Clone([]byte(users))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r.inspect(op, "application/json", body)
	}
}
