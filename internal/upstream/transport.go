package upstream

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

const (
	// idleConns is how many connections are kept; the default of net/http, 2 a host, makes most calls dial.
	idleConns = 256

	// idleTimeout is below the about 60 s after which Rainbow closes idle connections (Rainbow Node SDK: 55 s), so that
	// a call seldom meets a closed one.
	idleTimeout = 50 * time.Second
)

// newTransport makes the tuned transport. Bodies pass as they are (no transparent gzip), redirects aren't followed
// since that is a client's work, and the proxy is the environment's, which is never used for loopback addresses.
func newTransport(opts Options) (*http.Transport, error) {
	roots, err := authorities(opts.CAFile)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: opts.DialTimeout, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout:    opts.DialTimeout,
		ResponseHeaderTimeout:  opts.AnswerTimeout,
		MaxIdleConns:           0, // the cap a host is enough: there is one host
		MaxIdleConnsPerHost:    idleConns,
		MaxConnsPerHost:        opts.MaxConns,
		IdleConnTimeout:        idleTimeout,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: 1 << 20,
		ReadBufferSize:         16 << 10,
		WriteBufferSize:        8 << 10,
	}, nil
}

// authorities reads the CA file; nil, the system's authorities, when there is none.
func authorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("CA file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("CA file %s: no certificate in it", file)
	}
	return pool, nil
}
