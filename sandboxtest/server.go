// Package sandboxtest starts an embedded Rainbow for a test, in one line:
//
//	rainbow := sandboxtest.Start(t)
//	client := NewMyClient(rainbow.URL, rainbow.Token(sandboxtest.AdminLogin))
//
// It is a real HTTP server on a free loopback port: the portals of Rainbow
// with their rules, roles and error codes, over a seeded world of companies
// (docs/sandbox.md of the module describes both). Each server has a world of
// its own, so tests may run in parallel; it ends with the test.
//
// SetFaults makes it misbehave, Requests tells what it was asked, Snapshot and
// Restore share one prepared world between tests. New is Start for where there
// is no test, such as TestMain.
//
// What can only go wrong by the test's own fault, such as an unknown snapshot,
// fails the test at once; a server made by New panics instead. All methods may
// be used from many goroutines; those that fail a test belong on the test's
// own, as testing.T asks.
package sandboxtest

import (
	"fmt"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	server "github.com/rainbow-gateway/rainbow-gateway/internal/sandbox/sandboxtest"
)

// TB is the part of testing.TB that Start needs.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Cleanup(func())
}

// Server is an embedded Rainbow that listens.
type Server struct {
	// URL is the base of every Rainbow path, without a trailing slash.
	URL string

	tb      TB
	sandbox *sandbox.Sandbox
	server  *server.Server
}

// Start serves an embedded Rainbow until the test ends.
func Start(tb TB, options ...Option) *Server {
	tb.Helper()
	s := serve(tb, options)
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("sandboxtest: %v", err)
		}
	})
	return s
}

// New serves an embedded Rainbow until Close. It panics where Start would fail
// the test.
func New(options ...Option) *Server { return serve(panicking{}, options) }

func serve(tb TB, list []Option) *Server {
	tb.Helper()
	s := &Server{tb: tb}
	var options sandbox.Options
	for _, o := range list {
		s.must(o.apply(&options))
	}
	running, err := server.Serve(options)
	s.must(err)
	s.URL, s.sandbox, s.server = running.URL, running.Sandbox, running
	return s
}

// Close ends the server, also for connections that are still open, and writes
// the world that KeptIn keeps. It may be called twice.
func (s *Server) Close() error { return s.server.Close() }

// must fails the test when there is an error.
func (s *Server) must(err error) {
	s.tb.Helper()
	if err != nil {
		s.tb.Fatalf("sandboxtest: %v", err)
	}
}

// panicking is the TB of a server without a test.
type panicking struct{}

func (panicking) Helper()                           {}
func (panicking) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (panicking) Errorf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (panicking) Cleanup(func())                    {}
