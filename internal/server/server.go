// Package server runs the gateway: listeners, doors, health, metrics and an orderly stop.
//
// New opens the listeners and connects everything, Run serves until its context ends and then stops gracefully.
// OpenBackend is the same way to Rainbow without listeners, for verbs that run the engine in-process. A Server is
// started once; its methods are safe for concurrent use.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	goruntime "runtime"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	"github.com/rainbow-gateway/rainbow-gateway/internal/config"
	"github.com/rainbow-gateway/rainbow-gateway/internal/drift"
	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/rest"
)

// Options are what a Server is made of.
type Options struct {
	// Config has been completed.
	Config config.Config

	// Services makes the gateway's own services, such as the engine's; it may be nil.
	Services func(Parts) ([]Service, error)

	// Stderr gets the line that says where the gateway listens, and, unless Log is set, all logs. Default: os.Stderr.
	Stderr io.Writer

	// Log replaces the JSON log on Stderr.
	Log *slog.Logger

	// Reread is how often the files of certificates are looked at; default 10 s.
	Reread time.Duration
}

// Parts is what the gateway's own services are made from.
type Parts struct {
	// Conn reaches Rainbow as the service account, and the other local services.
	Conn grpc.ClientConnInterface

	// Upstream names the upstream, see Backend; GRPCAddr is where this gateway's gRPC door listens.
	Upstream, GRPCAddr string

	// HasAccount tells whether there is a service account to act as.
	HasAccount bool

	Log      *slog.Logger
	Registry prometheus.Registerer
}

// Service is a service of this process with its routes.
type Service struct {
	facade.Local

	// Register is the generated REST registration (see rest.Generated); nil for a service without routes.
	Register func(ctx context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error

	// RawBodies are the routes that take other bodies than JSON.
	RawBodies []rest.RawBody

	// Close is called when the gateway stops, after the last call; it may be nil.
	Close func() error
}

// Server is a gateway.
type Server struct {
	config   config.Config
	log      *slog.Logger
	stderr   io.Writer
	backend  *Backend
	services []Service
	health   *health.Server
	radar    *drift.Radar // nil when it is off
	registry *prometheus.Registry
	stopping atomic.Bool

	certificates *certificates // nil when the doors speak without TLS
	reread       time.Duration

	grpcListener, httpListener, adminListener net.Listener

	grpcServer  *grpc.Server
	httpServer  *http.Server
	adminServer *http.Server
}

// New opens the listeners and connects doors, local services and upstream. Close it when Run is not called.
func New(opts Options) (*Server, error) {
	if opts.Stderr == nil {
		opts.Stderr = os.Stderr
	}
	if opts.Log == nil {
		opts.Log = Logger(opts.Stderr, opts.Config.LogLevel)
	}
	s := &Server{
		config: opts.Config, log: opts.Log, stderr: opts.Stderr, registry: prometheus.NewRegistry(),
		reread: cmp.Or(opts.Reread, rereadEvery),
	}
	s.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if err := s.open(opts); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Logger writes JSON lines of at least the named level to w.
func Logger(w io.Writer, level string) *slog.Logger {
	var least slog.Level
	if least.UnmarshalText([]byte(level)) != nil {
		least = slog.LevelInfo
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: least}))
}

func (s *Server) open(opts Options) error {
	var err error
	if s.certificates, err = openCertificates(s.config.ListenerTLS, s.log, s.registry); err != nil {
		return err
	}
	if err := s.listen(); err != nil {
		return err
	}
	if s.backend, err = openBackend(s.config.Engine, s.log, s.registry, s.openRadar(),
		validation(s.config.Validate, s.log, s.registry)); err != nil {
		return err
	}
	if err := s.openServices(opts.Services); err != nil {
		return err
	}
	s.openGRPC()
	if err := s.addPublic(); err != nil {
		return err
	}
	s.addDoor()
	s.tellHealth()
	s.openAdmin()
	return s.openHTTP()
}

func (s *Server) listen() error {
	for _, l := range []struct {
		key, addr string
		listener  *net.Listener
	}{
		{"grpc-addr", s.config.GRPCAddr, &s.grpcListener},
		{"http-addr", s.config.HTTPAddr, &s.httpListener},
		{"admin-addr", s.config.AdminAddr, &s.adminListener},
	} {
		listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", l.addr)
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("%s: %w: stop what listens there, or choose another with --%s (port 0 picks a free one)", l.key, err, l.key)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", l.key, err)
		}
		*l.listener = listener
	}
	return nil
}

func (s *Server) openServices(services func(Parts) ([]Service, error)) error {
	if services == nil {
		return nil
	}
	var err error
	s.services, err = services(Parts{
		Conn:       s.backend.Dispatcher,
		Upstream:   s.backend.Upstream,
		GRPCAddr:   s.GRPCAddr(),
		HasAccount: HasAccount(s.config.Engine),
		Log:        s.log,
		Registry:   s.registry,
	})
	if err != nil {
		return err
	}
	for _, service := range s.services {
		if err := s.backend.Dispatcher.Add(service.Local); err != nil {
			return err
		}
	}
	return nil
}

// GRPCAddr, HTTPAddr and AdminAddr are where the gateway listens, with the ports that were picked.
func (s *Server) GRPCAddr() string { return s.grpcListener.Addr().String() }

// HTTPAddr is the address of the REST door.
func (s *Server) HTTPAddr() string { return s.httpListener.Addr().String() }

// AdminAddr is the address of metrics, health and pprof.
func (s *Server) AdminAddr() string { return s.adminListener.Addr().String() }

// Run serves until ctx ends, then lets calls under way finish for the configured time, and closes everything.
func (s *Server) Run(ctx context.Context) error {
	ballast := ballast()
	defer goruntime.KeepAlive(ballast)
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serveErr("grpc-addr", s.grpcServer.Serve(s.grpcListener)) })
	group.Go(func() error { return serveErr("http-addr", serveHTTP(s.httpServer, s.httpListener)) })
	group.Go(func() error { return serveErr("admin-addr", serveHTTP(s.adminServer, s.adminListener)) })
	if s.certificates != nil {
		group.Go(func() error {
			s.certificates.watch(gctx, s.reread)
			return nil
		})
	}
	group.Go(func() error {
		<-gctx.Done()
		s.stop()
		return nil
	})
	s.announce()
	err := group.Wait()
	return errors.Join(err, s.Close())
}

// announce writes the line that other tools wait for; it does not depend on the log level.
func (s *Server) announce() {
	line := []any{"grpc", s.GRPCAddr(), "http", s.HTTPAddr(), "admin", s.AdminAddr(), "upstream", s.backend.Upstream}
	if s.certificates != nil {
		line = append(line, "tls", "on")
	}
	slog.New(slog.NewJSONHandler(s.stderr, nil)).Info("listening", line...)
	s.log.Debug("configuration", "config", s.config)
}

// serveHTTP serves a listener, with TLS if the server is made for that.
func serveHTTP(server *http.Server, listener net.Listener) error {
	if server.TLSConfig != nil {
		return server.ServeTLS(listener, "", "")
	}
	return server.Serve(listener)
}

// serveErr is nil for a server that was stopped.
func serveErr(key string, err error) error {
	if err == nil || errors.Is(err, http.ErrServerClosed) || errors.Is(err, grpc.ErrServerStopped) {
		return nil
	}
	return fmt.Errorf("%s: %w", key, err)
}

// stop takes no new calls, tells watchers, and waits for the rest until the deadline; then it cuts them off.
func (s *Server) stop() {
	s.stopping.Store(true)
	s.health.Shutdown()
	s.backend.Dispatcher.Drain()
	ctx, cancel := context.WithTimeout(context.Background(), s.config.StopTimeout)
	defer cancel()
	var group errgroup.Group
	group.Go(func() error { s.stopGRPC(ctx); return nil })
	group.Go(func() error { shutdown(ctx, s.httpServer); return nil })
	_ = group.Wait()
	brief, cancelBrief := context.WithTimeout(context.Background(), time.Second)
	defer cancelBrief()
	shutdown(brief, s.adminServer)
}

func (s *Server) stopGRPC(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		s.grpcServer.GracefulStop()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		s.grpcServer.Stop()
		<-done
	}
}

func shutdown(ctx context.Context, server *http.Server) {
	if server.Shutdown(ctx) != nil {
		_ = server.Close()
	}
}

// Close frees what New opened. Run calls it.
func (s *Server) Close() error {
	var errs []error
	for _, listener := range []net.Listener{s.grpcListener, s.httpListener, s.adminListener} {
		if listener != nil {
			_ = listener.Close() // already closed by its server, if that ran
		}
	}
	for _, service := range s.services {
		if service.Close != nil {
			errs = append(errs, service.Close())
		}
	}
	s.services = nil
	if s.backend != nil {
		errs = append(errs, s.backend.Close())
		s.backend = nil
	}
	s.closeRadar()
	return errors.Join(errs...)
}

// loopback tells whether only this machine can reach a listener.
func loopback(l net.Listener) bool {
	addr, ok := l.Addr().(*net.TCPAddr)
	return ok && addr.IP.IsLoopback()
}
