package main

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

// newProxy is the baseline of REST: net/http's reverse proxy with a tuned transport and pooled buffers.
func newProxy(upstream string) (func(net.Listener) error, error) {
	target, err := url.Parse(upstream)
	if err != nil {
		return nil, err
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:    func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:  tunedTransport(),
		BufferPool: &buffers{pool: sync.Pool{New: func() any { return make([]byte, 32<<10) }}},
	}
	return (&http.Server{Handler: proxy}).Serve, nil
}

func tunedTransport() *http.Transport {
	return &http.Transport{MaxIdleConns: 1024, MaxIdleConnsPerHost: 1024, IdleConnTimeout: 90 * time.Second, DisableCompression: true}
}

type buffers struct{ pool sync.Pool }

// Get and Put are what a ReverseProxy asks of its pool.
func (b *buffers) Get() []byte  { return b.pool.Get().([]byte) }
func (b *buffers) Put(p []byte) { b.pool.Put(p) } //nolint:staticcheck // SA6002: the interface has slices, and 32 KiB is worth a header
