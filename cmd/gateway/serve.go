package main

import (
	"context"
	"errors"

	"github.com/rainbow-gateway/rainbow-gateway/internal/config"
	"github.com/rainbow-gateway/rainbow-gateway/internal/server"
)

type serveCmd struct {
	config.Config
}

// Help is shown below the usage of the verb.
func (serveCmd) Help() string {
	return `Serves three doors until it is told to stop (Ctrl-C or SIGTERM; calls under way are finished):

  gRPC   127.0.0.1:9090   every operation typed, rainbow.sync.v1, health, reflection
  REST   127.0.0.1:8080   Rainbow's own paths and JSON; /v1/ for plans and runs
  admin  127.0.0.1:9091   /metrics, /healthz, /readyz, /debug/pprof

Once all listen, one JSON line on stderr says where. Callers' own Rainbow credentials pass through; without any, a caller on
this machine uses the service account.

Examples:
  gateway serve
  GATEWAY_PASSWORD=… GATEWAY_APP_SECRET=… gateway serve --upstream https://openrainbow.com --login admin@corp.example --app-id 1234`
}

// Run serves until ctx ends.
func (c *serveCmd) Run(ctx context.Context, t *terminal) error {
	if err := c.Complete(t.getenv); err != nil {
		return err
	}
	store, err := openState(c.Engine, 0)
	if err != nil {
		return err
	}
	s, err := server.New(server.Options{Config: c.Config, Services: syncServices(c.Engine, c.DriftWatch, store), Stderr: t.stderr})
	if err != nil {
		return errors.Join(err, store.Close())
	}
	return s.Run(ctx)
}
