package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

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
  REST   127.0.0.1:8080   Rainbow's own paths and JSON; /v1/ for plans and runs; /docs describes them
  admin  127.0.0.1:9091   /metrics, /drift, /healthz, /readyz, /debug/pprof

Once all listen, one JSON line on stderr says where. Callers' own Rainbow credentials pass through; without any, a caller on
this machine uses the service account.

--tls-cert and --tls-key make the gRPC and REST doors speak TLS (1.2 or later), the admin listener too unless it is for this machine
only. --tls-client-ca takes client certificates: their holder is who made, approved or applied a plan. --tls-client-allow lists the
holders who may use the engine, and the service account, from elsewhere than this machine. New files are taken over within ten
seconds, or at once on SIGHUP (docs/tls.md).

Examples:
  gateway serve
  GATEWAY_PASSWORD=… GATEWAY_APP_SECRET=… gateway serve --upstream https://openrainbow.com --login admin@corp.example --app-id 1234
  gateway serve --grpc-addr :9090 --tls-cert gw.pem --tls-key gw.key --tls-client-ca people.pem --tls-client-allow '*@corp.example'`
}

// Run serves until ctx ends.
func (c *serveCmd) Run(ctx context.Context, t *terminal) error {
	if err := c.Complete(t.getenv); err != nil {
		return err
	}
	store, err := openState(c.Engine)
	if err != nil {
		return err
	}
	s, err := server.New(server.Options{Config: c.Config, Services: syncServices(c.Engine, c.DriftWatch, store), Stderr: t.stderr})
	if err != nil {
		return errors.Join(err, store.Close())
	}
	if c.UsesTLS() {
		defer reloadOnHangup(s)()
	}
	return s.Run(ctx)
}

// reloadOnHangup reads the certificates again on SIGHUP, until the function that it returns is called. What is wrong with them is
// in the log.
func reloadOnHangup(s *server.Server) (stop func()) {
	hangups, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		defer close(done)
		for range hangups {
			_ = s.Reload()
		}
	}()
	return func() {
		signal.Stop(hangups)
		close(hangups)
		<-done
	}
}
