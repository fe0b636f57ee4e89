package server

import (
	"net/http"

	"github.com/rainbow-gateway/rainbow-gateway/internal/drift"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// openRadar starts the drift radar, with its metrics; nil when it is off.
func (s *Server) openRadar() upstream.Radar {
	if s.config.DriftSample == 0 {
		return nil
	}
	s.radar = drift.New(drift.Options{Rate: s.config.DriftSample, Log: s.log})
	s.registry.MustRegister(s.radar)
	return s.radar
}

func (s *Server) closeRadar() {
	if s.radar != nil {
		s.radar.Close()
		s.radar = nil
	}
}

// addRadar serves what the radar has found.
func (s *Server) addRadar(mux *http.ServeMux) {
	page := drift.Handler(s.radar)
	mux.Handle("/drift", page)
	mux.Handle("/drift.json", page)
	mux.Handle("/drift/", page)
}
