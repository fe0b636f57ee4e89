// Package sandboxtest starts a sandbox for a test in one line:
//
//	rainbow := sandboxtest.Start(t, sandbox.Options{SeedUsers: 5})
//	client.BaseURL = rainbow.URL
//
// It listens on a free loopback port and is closed when the test ends.
package sandboxtest

import (
	"errors"
	"net"
	"net/http"

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
	// Sandbox gives access to journal, faults and reset.
	Sandbox *sandbox.Sandbox

	listener net.Listener
	http     *http.Server
	ended    chan error
}

// Start makes a sandbox and serves it until the test ends.
func Start(tb TB, options sandbox.Options) *Server {
	tb.Helper()
	s, err := sandbox.New(options)
	if err != nil {
		tb.Fatalf("sandbox: %v", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("sandbox: %v", err)
	}
	server := &Server{
		URL: "http://" + listener.Addr().String(), Sandbox: s, listener: listener,
		http: &http.Server{Handler: s.Handler()}, ended: make(chan error, 1),
	}
	go func() { server.ended <- server.http.Serve(listener) }()
	tb.Cleanup(func() { server.close(tb) })
	return server
}

// close ends the listener first: connections that are still open belong to
// clients that the test has left behind.
func (s *Server) close(tb TB) {
	s.http.Close()
	if err := <-s.ended; !errors.Is(err, http.ErrServerClosed) {
		tb.Errorf("sandbox: %v", err)
	}
	if err := s.Sandbox.Close(); err != nil {
		tb.Errorf("sandbox: %v", err)
	}
}
