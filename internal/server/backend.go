package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rainbow-gateway/rainbow-gateway/internal/config"
	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// Backend is the way to Rainbow, without doors: the client, the policies, and the sandbox when that is the upstream.
// The engine's verbs that run in-process open one by itself; a Server has one inside.
type Backend struct {
	// Dispatcher is the connection on which every call runs.
	Dispatcher *facade.Dispatcher

	// Upstream names what is spoken to: the URL, or "sandbox", whose address changes with every start. A state file
	// is bound to this name.
	Upstream string

	// URL is the address that is spoken to.
	URL string

	client  *upstream.Client
	radar   upstream.Radar
	more    []policyOf
	sandbox *embedded
}

// OpenBackend connects to the upstream that e names; e has been completed. It starts the sandbox when that is the
// upstream, and does not log in yet.
func OpenBackend(e config.Engine, log *slog.Logger, reg prometheus.Registerer) (*Backend, error) {
	return openBackend(e, log, reg, nil)
}

// openBackend is OpenBackend for a server, whose radar sees the answers; it may be nil. More policies, for what comes in by
// its doors, go behind authentication.
func openBackend(e config.Engine, log *slog.Logger, reg prometheus.Registerer, radar upstream.Radar, more ...policyOf) (*Backend, error) {
	b := &Backend{Upstream: e.Upstream, URL: e.Upstream, radar: radar, more: more}
	account := accountOf(e)
	if e.UsesSandbox() {
		var err error
		if b.sandbox, err = openSandbox(e, log); err != nil {
			return nil, err
		}
		b.URL = b.sandbox.url
		if account == nil {
			account = sandboxAccount()
		}
	}
	if err := b.connect(e, account, log, reg); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func (b *Backend) connect(e config.Engine, account *upstream.Account, log *slog.Logger, reg prometheus.Registerer) error {
	bindings, err := upstream.CompileBindings(upstream.RainbowServices())
	if err != nil {
		return fmt.Errorf("bindings: %w", err)
	}
	b.client, err = upstream.New(upstream.Options{
		BaseURL:       b.URL,
		Bindings:      bindings,
		Account:       account,
		CAFile:        e.UpstreamCA,
		DialTimeout:   e.DialTimeout,
		AnswerTimeout: e.UpstreamTimeout,
		Rate:          e.RateLimit,
		Burst:         e.RateBurst,
		UserAgent:     "rainbow-gateway",
		Radar:         b.radar,
	})
	if err != nil {
		return fmt.Errorf("upstream %s: %w", b.Upstream, err)
	}
	policies := []facade.Policy{facade.Metrics(reg), facade.Audit(log), facade.Authenticate(account != nil), facade.Identify(b.whose)}
	for _, of := range b.more {
		policy, err := of(bindings)
		if err != nil {
			return err
		}
		policies = append(policies, policy)
	}
	b.Dispatcher = facade.NewDispatcher(bindings, b.client, log, policies...)
	return nil
}

// HasAccount tells whether calls can be made as a service account.
func HasAccount(e config.Engine) bool { return e.UsesSandbox() || e.HasAccount() }

func accountOf(e config.Engine) *upstream.Account {
	if !e.HasAccount() {
		return nil
	}
	return &upstream.Account{Login: e.Login, Password: e.Password.Reveal(), AppID: e.AppID, AppSecret: e.AppSecret.Reveal()}
}

func sandboxAccount() *upstream.Account {
	return &upstream.Account{
		Login: sandbox.AdminLogin, Password: sandbox.AdminPassword, AppID: sandbox.AppID, AppSecret: sandbox.AppSecret,
	}
}

// Close ends the connections and stops the sandbox, which writes its world.
func (b *Backend) Close() error {
	var errs []error
	if b.client != nil {
		errs = append(errs, b.client.Close())
	}
	if b.sandbox != nil {
		errs = append(errs, b.sandbox.close())
	}
	return errors.Join(errs...)
}

// embedded is a sandbox on a loopback address of its own: the gateway speaks HTTP to it as to any Rainbow.
type embedded struct {
	url    string
	world  *sandbox.Sandbox
	server *http.Server
	served chan struct{}
}

func openSandbox(e config.Engine, log *slog.Logger) (*embedded, error) {
	seed := e.SeedUsers
	if seed == 0 {
		seed = -1 // the sandbox's own zero is its default
	}
	file := SandboxFile(e.State)
	if file != "" {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return nil, fmt.Errorf("sandbox: %w", err)
		}
	}
	faults, err := sandbox.CollectFaults(e.Fault, e.Faults)
	if err != nil {
		return nil, err
	}
	world, err := sandbox.New(sandbox.Options{SeedUsers: seed, DataFile: file, Logger: log, Faults: faults, FaultSeed: uint64(e.FaultSeed)})
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sandbox: %w", err), world.Close())
	}
	s := &embedded{
		url:    "http://" + listener.Addr().String(),
		world:  world,
		server: &http.Server{Handler: world.Handler(), ReadHeaderTimeout: headerTimeout},
		served: make(chan struct{}),
	}
	log.Info("sandbox listening", "http", listener.Addr().String())
	go func() {
		defer close(s.served)
		if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("sandbox stopped", "error", err)
		}
	}()
	return s, nil
}

func (s *embedded) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if s.server.Shutdown(ctx) != nil {
		_ = s.server.Close()
	}
	<-s.served
	return s.world.Close()
}

// SandboxFile is where the sandbox's world is kept: beside the state file, under its name.
func SandboxFile(state string) string {
	if state == "" {
		return ""
	}
	return strings.TrimSuffix(state, filepath.Ext(state)) + ".sandbox"
}
