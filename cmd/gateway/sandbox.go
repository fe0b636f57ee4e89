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
	TokenLifetime time.Duration `default:"1h" help:"How long a token lives."`
	ImportDelay   time.Duration `default:"0s" help:"How long an import stays Pending."`
}

// Help is shown below the usage of the verb.
func (sandboxCmd) Help() string {
	return `Runs the embedded Rainbow alone: a stateful server with Rainbow's paths, rules and error codes, for tests and rehearsals.

Its administrator is admin@sandbox.example / Sandbox-Pass-1, the application sandbox-app / sandbox-secret. docs/sandbox.md
describes its world, its rules, and how to ask for faults.

Example:
  gateway sandbox --seed-users 1000`
}

// Run serves the sandbox until ctx ends.
func (c *sandboxCmd) Run(ctx context.Context, t *terminal) (err error) {
	log := slog.New(slog.NewJSONHandler(t.stderr, nil))
	box, err := sandbox.New(sandbox.Options{SeedUsers: c.SeedUsers, TokenLifetime: c.TokenLifetime, ImportDelay: c.ImportDelay, DataFile: c.Data, Logger: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.HTTPAddr)
	if err != nil {
		return fmt.Errorf("http-addr: %w", err)
	}
	// Clients keep idle connections for 55 s (Node SDK); a server that closes earlier resets them.
	srv := &http.Server{Handler: box.Handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 75 * time.Second}
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
