package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rainbow-gateway/rainbow-gateway/internal/config"
)

// rereadEvery is how often the files of certificates are looked at. They are read as a whole: what replaces them may be a
// symbolic link to another folder (as in Kubernetes), which watching the file would not tell, nor its time.
const rereadEvery = 10 * time.Second

// certifiedAge is how long a connection may live whose caller may have a certificate. Clients make a new one by themselves, and
// calls under way are finished; certificates that ran out, and authorities that are trusted no more, don't last longer.
const certifiedAge = time.Hour

// certificates is what the doors prove themselves with and judge their callers by. New connections get what was read last;
// a change that can't be used is logged and leaves what there is.
type certificates struct {
	files   config.ListenerTLS
	log     *slog.Logger
	current atomic.Pointer[tls.Config]
	expiry  prometheus.Gauge
	reads   *prometheus.CounterVec

	mu     sync.Mutex // one read at a time
	digest [sha256.Size]byte
	failed string // the last failure, which is told once
}

// openCertificates reads the files; nil when the doors speak without TLS.
func openCertificates(files config.ListenerTLS, log *slog.Logger, reg prometheus.Registerer) (*certificates, error) {
	if !files.UsesTLS() {
		return nil, nil
	}
	c := &certificates{files: files, log: log,
		expiry: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "gateway_tls_certificate_expiry_timestamp_seconds", Help: "When the certificate of the doors runs out.",
		}),
		reads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gateway_tls_reloads_total", Help: "Changes of the certificate files: taken over (ok), or not usable (failed).",
		}, []string{"result"}),
	}
	reg.MustRegister(c.expiry, c.reads)
	if _, err := c.read(); err != nil {
		return nil, err
	}
	return c, nil
}

// reload takes over what the files hold now, if that is something else.
func (c *certificates) reload() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed, err := c.read()
	switch {
	case err != nil:
		if c.failed != err.Error() {
			c.failed = err.Error()
			c.reads.WithLabelValues("failed").Inc()
			c.log.Error("certificates not reloaded; those read before stay in use", "error", err)
		}
		return err
	case changed:
		c.reads.WithLabelValues("ok").Inc()
		c.log.Info("certificates reloaded", "cert", c.files.TLSCert)
	}
	c.failed = ""
	return nil
}

// watch reloads now and then until ctx ends.
func (c *certificates) watch(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			_ = c.reload() // has told
		}
	}
}

// read makes the files' contents what new connections get, and tells whether that is a change.
func (c *certificates) read() (changed bool, err error) {
	cert, key, authorities, err := c.contents()
	if err != nil {
		return false, err
	}
	sum := sha256.New()
	for _, b := range [][]byte{cert, key, authorities} {
		part := sha256.Sum256(b)
		sum.Write(part[:])
	}
	digest := [sha256.Size]byte(sum.Sum(nil))
	if digest == c.digest {
		return false, nil
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return false, fmt.Errorf("tls-cert %s, tls-key %s: %w: want both in PEM, the key not encrypted", c.files.TLSCert, c.files.TLSKey, err)
	}
	next := &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{pair},
	}
	if c.files.TLSClientCA != "" {
		if err := c.judge(next, authorities); err != nil {
			return false, err
		}
	}
	if pair.Leaf != nil {
		c.expiry.Set(float64(pair.Leaf.NotAfter.Unix()))
		if time.Now().After(pair.Leaf.NotAfter) {
			c.log.Warn("the certificate of the doors has run out", "cert", c.files.TLSCert, "not_after", pair.Leaf.NotAfter)
		}
	}
	c.digest = digest
	c.current.Store(next)
	return true, nil
}

// judge adds how callers' certificates are looked at. Sessions are not resumed, so that each connection is judged by the
// authorities of the day.
func (c *certificates) judge(next *tls.Config, authorities []byte) error {
	next.ClientCAs = x509.NewCertPool()
	if !next.ClientCAs.AppendCertsFromPEM(authorities) {
		return fmt.Errorf("tls-client-ca %s: holds no certificate in PEM", c.files.TLSClientCA)
	}
	next.ClientAuth = tls.RequireAndVerifyClientCert
	if c.files.TLSClientAuth == "optional" {
		next.ClientAuth = tls.VerifyClientCertIfGiven
	}
	next.SessionTicketsDisabled = true
	return nil
}

// contents reads the three files; the last is nil when callers need no certificate.
func (c *certificates) contents() (cert, key, authorities []byte, err error) {
	var errs []error
	read := func(name, path string) []byte {
		if path == "" {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
		return bytes.TrimSpace(b)
	}
	cert, key, authorities = read("tls-cert", c.files.TLSCert), read("tls-key", c.files.TLSKey), read("tls-client-ca", c.files.TLSClientCA)
	return cert, key, authorities, errors.Join(errs...)
}

// config is what a listener of some protocols speaks TLS by: for each connection, what was read last.
func (c *certificates) config(protocols ...string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: protocols,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			current := c.current.Load().Clone()
			current.NextProtos = protocols
			return current, nil
		},
	}
}

// Reload reads the files of the doors' certificates again. What can't be used is logged, returned, and changes nothing.
// Without TLS it does nothing.
func (s *Server) Reload() error {
	if s.certificates == nil {
		return nil
	}
	return s.certificates.reload()
}
