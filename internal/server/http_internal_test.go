package server

import (
	"log/slog"
	"testing"
	"time"
)

// TestIdleConnectionsOutliveThoseOfTheSDK: Rainbow's Node SDK keeps idle connections for 55 s and may wait 120 s for an
// answer; a server that hangs up before gives its next request ECONNRESET.
func TestIdleConnectionsOutliveThoseOfTheSDK(t *testing.T) {
	s := &Server{log: slog.New(slog.DiscardHandler)}
	h := s.newHTTP(nil)
	if h.IdleTimeout < 60*time.Second {
		t.Errorf("idle connections are closed after %s, want 60 s or more", h.IdleTimeout)
	}
	if h.WriteTimeout != 0 || h.ReadTimeout != 0 {
		t.Errorf("answers end after %s, requests after %s; want neither: downloads and uploads last as long as they last", h.WriteTimeout, h.ReadTimeout)
	}
}
