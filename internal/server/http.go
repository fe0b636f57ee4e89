package server

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/reference"
	"github.com/rainbow-gateway/rainbow-gateway/internal/rest"
)

const (
	// headerTimeout bounds how long a caller may take to send the head of a request.
	headerTimeout = 10 * time.Second

	// idleTimeout is longer than the 55 s for which Rainbow's Node SDK keeps idle connections "below the server's
	// 60 s"; a shorter one would break its next request.
	idleTimeout = 75 * time.Second

	maxHeaderBytes = 64 << 10
)

// openHTTP makes the REST door. There is no write time-out: downloads and event streams last as long as they last.
func (s *Server) openHTTP() error {
	listener := s.facing(s.httpListener)
	opts := rest.Options{
		Dispatcher: s.backend.Dispatcher,
		Listener:   listener,
		Services:   rest.RainbowServices(),
		CatchAll:   s.catchesAll(listener),
		MaxBody:    s.config.MaxBodyBytes,
		MaxUpload:  s.config.MaxUploadBytes,
		Log:        s.log,
	}
	if s.config.Docs != "off" {
		pages, err := reference.New()
		if err != nil {
			return err
		}
		opts.Reference = pages
	}
	for _, service := range s.services {
		if service.Register != nil {
			opts.Services = append(opts.Services, rest.Service{
				Name: protoreflect.FullName(service.Desc.ServiceName), Register: service.Register,
			})
		}
		opts.RawBodies = append(opts.RawBodies, service.RawBodies...)
	}
	door, err := rest.New(opts)
	if err != nil {
		return err
	}
	s.httpServer = s.newHTTP(door)
	s.secure(s.httpServer)
	return nil
}

// catchesAll tells whether a listener's door passes what no RPC models.
func (s *Server) catchesAll(l facade.Listener) bool {
	return s.config.CatchAll == "on" || s.config.CatchAll != "off" && l.Loopback
}

func (s *Server) newHTTP(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

// adminIndex is what the admin listener answers to its address alone.
const adminIndex = `The admin port of Rainbow Gateway:

/drift         where Rainbow's answers differ from their documentation, as a page
/drift.json    the same for programs
/metrics       for Prometheus
/healthz       whether the process is alive
/readyz        whether it can serve
/debug/pprof/  profiles
`

// openAdmin makes the listener for operators: metrics, drift, liveness, readiness and profiles.
func (s *Server) openAdmin() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, adminIndex) })
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	s.addRadar(mux)
	s.adminServer = s.newHTTP(s.guardAdmin(mux))
	if !loopback(s.adminListener) {
		s.secure(s.adminServer)
	}
}

// secure makes a server speak TLS, if the doors do.
func (s *Server) secure(server *http.Server) {
	if s.certificates == nil {
		return
	}
	server.TLSConfig = s.certificates.config("h2", "http/1.1")
	if s.config.TLSClientCA != "" {
		server.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, bornKey{}, time.Now())
		}
		server.Handler = aging(server.Handler)
	}
}

// bornKey is where the context of a request has when its connection was made.
type bornKey struct{}

// aging ends connections, after the answer to a request, that have lived for certifiedAge or longer than the certificate that
// they were made with. Who calls is then judged anew.
func aging(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		born, _ := r.Context().Value(bornKey{}).(time.Time)
		lapsed := r.TLS != nil && len(r.TLS.PeerCertificates) > 0 && now.After(r.TLS.PeerCertificates[0].NotAfter)
		if lapsed || now.Sub(born) > certifiedAge {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// guardAdmin keeps pages of other sites, whose name may lead to this machine, from a listener that is for this machine
// only. A listener on the network is the operator's to guard.
func (s *Server) guardAdmin(next http.Handler) http.Handler {
	if !loopback(s.adminListener) {
		return next
	}
	listener := facade.Listener{Loopback: true}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !listener.Trusts(r.Host, r.Header) {
			http.Error(w, "for this machine's own programs: loopback Host, no foreign Origin", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ready answers 503 from the moment the gateway begins to stop, so that load balancers look elsewhere.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	if s.stopping.Load() {
		http.Error(w, "stopping", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ready\n"))
}
