package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

type sandboxCmd struct {
	HTTPAddr      string        `name:"http-addr" env:"GATEWAY_SANDBOX_ADDR" default:"127.0.0.1:8090" placeholder:"HOST:PORT" help:"Where the sandbox answers; port 0 picks a free one."`
	SeedUsers     int           `env:"GATEWAY_SEED_USERS" default:"20" help:"Users of the seeded company."`
	Data          string        `placeholder:"FILE" help:"Keep the world in this file; without it nothing is kept."`
	TokenLifetime time.Duration `default:"20m" help:"How long a token lives."`
	ImportDelay   time.Duration `default:"0s" help:"How long an import stays Pending."`

	Fault     []string `env:"GATEWAY_FAULT" sep:"none" placeholder:"RULE" help:"Make requests go wrong, such as 'operation: ListUsers, status: 503, times: 2'; repeatable."`
	Faults    string   `env:"GATEWAY_FAULTS" placeholder:"FILE" help:"File of such rules, YAML or JSON; those of --fault come first."`
	FaultSeed uint64   `env:"GATEWAY_FAULT_SEED" default:"0" help:"Chooses among the reproducible courses of faults that have a probability."`
}

// Help is shown below the usage of the verb.
func (sandboxCmd) Help() string {
	return `Runs the embedded Rainbow alone: a stateful server with Rainbow's paths, rules and error codes, for tests and rehearsals.

Its administrator is admin@sandbox.example / Sandbox-Pass-1, the application sandbox-app / sandbox-secret. docs/sandbox.md
describes its world and its rules.

A fault is a YAML mapping without its braces: which requests (operation, method, path, login), when (skip, times, probability,
after, for), and what goes wrong (latency, status, limit, cut, lost, expire, lock, slowRequest, slowAnswer, stale, extraMembers,
drift; for imports rowCode, pending). The same words stand in --faults files and in POST /sandbox/faults, which changes them at
run time; docs/sandbox.md has an example of each.

Example:
  gateway sandbox --seed-users 1000
  gateway sandbox --fault 'latency: {distribution: lognormal, median: 80ms, p99: 900ms}' --fault 'probability: 0.02, lost: reset'
  curl -X POST http://127.0.0.1:8090/sandbox/faults -d '{"operation": "List*", "limit": {"rate": 5, "burst": 10}}'`
}

// Run serves the sandbox until ctx ends.
func (c *sandboxCmd) Run(ctx context.Context, t *terminal) (err error) {
	log := slog.New(slog.NewJSONHandler(t.stderr, nil))
	faults, err := sandbox.CollectFaults(c.Fault, c.Faults)
	if err != nil {
		return err
	}
	box, err := sandbox.New(sandbox.Options{
		SeedUsers: c.SeedUsers, TokenLifetime: c.TokenLifetime, ImportDelay: c.ImportDelay, DataFile: c.Data, Logger: log,
		Faults: faults, FaultSeed: c.FaultSeed,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.HTTPAddr)
	if err != nil {
		return fmt.Errorf("http-addr: %w", err)
	}
	// Clients keep idle connections for 55 s (Node SDK); a server that closes earlier resets them.
	// The requests end with ctx, so that a fault which keeps callers waiting does not keep the sandbox from stopping.
	srv := &http.Server{
		Handler: box.Handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 75 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(listener) }()
	log.Info("listening", "http", listener.Addr().String())
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	brief, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return srv.Shutdown(brief)
}
