// Package sandboxtest starts a sandbox for a test of this module in one line:
//
//	rainbow := sandboxtest.Start(t, sandbox.Options{SeedUsers: 5})
//	client.BaseURL = rainbow.URL
//
// It listens on a free loopback port and is closed when the test ends. Its face
// for the tests of other modules, without internal types, is the package
// sandboxtest at the top of the module.
package sandboxtest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// TB is the part of testing.TB that Start needs.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Cleanup(func())
}

// Server is a sandbox that listens.
type Server struct {
	// URL is the base of every Rainbow path, without a trailing slash.
	URL string
	// Sandbox gives access to journal, faults, snapshots and reset.
	Sandbox *sandbox.Sandbox

	http    *http.Server
	ended   chan error
	closing sync.Once
	failure error
}

// Start makes a sandbox and serves it until the test ends.
func Start(tb TB, options sandbox.Options) *Server {
	tb.Helper()
	s, err := Serve(options)
	if err != nil {
		tb.Fatalf("%v", err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("sandbox: %v", err)
		}
	})
	return s
}

// Serve makes a sandbox and serves it until Close.
func Serve(options sandbox.Options) (*Server, error) {
	box, err := sandbox.New(options)
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, box.Close())
	}
	s := &Server{
		URL: "http://" + listener.Addr().String(), Sandbox: box, ended: make(chan error, 1),
		http: &http.Server{Handler: box.Handler(), ReadHeaderTimeout: 10 * time.Second},
	}
	go func() { s.ended <- s.http.Serve(listener) }()
	return s, nil
}

// Close ends the listener first: connections that are still open belong to
// clients that were left behind. It may be called twice.
func (s *Server) Close() error {
	s.closing.Do(func() {
		s.failure = s.http.Close()
		if err := <-s.ended; !errors.Is(err, http.ErrServerClosed) {
			s.failure = errors.Join(s.failure, err)
		}
		s.failure = errors.Join(s.failure, s.Sandbox.Close())
	})
	return s.failure
}
