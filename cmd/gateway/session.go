package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/config"
	"github.com/rainbow-gateway/rainbow-gateway/internal/server"
)

// engineFlags say which engine a verb talks to.
type engineFlags struct {
	config.Engine
	Server  string `placeholder:"ADDR" env:"GATEWAY_SERVER" group:"Engine" help:"gRPC address of a running gateway, HOST:PORT, or https://HOST:PORT for one with a certificate; without it the engine runs in this process."`
	Company string `placeholder:"ID" default:"-" group:"Engine" help:"Rainbow company (default: that of the account)."`
	transportFlags
	callerFlags

	// lockWait is how long to wait for another process at the state file; 0 is a moment.
	lockWait time.Duration
}

// session is a connection to the engine, in this process or another.
type session struct {
	plans      syncv1.PlanServiceClient
	runs       syncv1.RunServiceClient
	states     syncv1.StateServiceClient
	drifts     syncv1.DriftServiceClient
	operations longrunningpb.OperationsClient
	company    string
	// json: the run is shown as JSON when it ends; report, if given, gets the report of its entries.
	json   bool
	report func([]*syncv1.RunRow) error
	// files are the manifest's, as the command line named them.
	files []string
	close func() error
}

// open connects to the engine that the flags name.
func (f *engineFlags) open(ctx context.Context, t *terminal) (*session, error) {
	if f.Server != "" {
		conn, err := f.dial()
		if err != nil {
			return nil, err
		}
		known, err := f.identify(ctx, t, conn, false)
		if err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		return f.session(known, conn.Close), nil
	}
	return f.openHere(ctx, t)
}

// openHere runs the engine in this process, on the same services that a gateway serves.
func (f *engineFlags) openHere(ctx context.Context, t *terminal) (*session, error) {
	if err := f.Complete(t.getenv); err != nil {
		return nil, err
	}
	store, err := f.awaitState(ctx, t)
	if err != nil {
		return nil, err
	}
	log := server.Logger(t.stderr, quieter(f.LogLevel))
	registry := prometheus.NewRegistry()
	backend, err := server.OpenBackend(f.Engine, log, registry)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	services, err := syncServices(f.Engine, config.DriftWatch{}, store)(server.Parts{
		Conn: backend.Dispatcher, Upstream: backend.Upstream, HasAccount: server.HasAccount(f.Engine), Log: log, Registry: registry,
	})
	if err != nil {
		return nil, errors.Join(err, backend.Close(), store.Close())
	}
	closeAll := func() error {
		var errs []error
		for _, s := range services {
			if s.Close != nil {
				errs = append(errs, s.Close())
			}
		}
		return errors.Join(append(errs, backend.Close())...)
	}
	for _, s := range services {
		if err := backend.Dispatcher.Add(s.Local); err != nil {
			return nil, errors.Join(err, closeAll())
		}
	}
	known, err := f.identify(ctx, t, backend.Dispatcher, true)
	if err != nil {
		return nil, errors.Join(err, closeAll())
	}
	return f.session(known, closeAll), nil
}

// quieter keeps the log of a verb that runs for a moment to errors, unless more was asked for.
func quieter(level string) string {
	if level == "info" {
		return slog.LevelError.String()
	}
	return level
}

func (f *engineFlags) session(conn grpc.ClientConnInterface, closeConn func() error) *session {
	return &session{
		plans: syncv1.NewPlanServiceClient(conn), runs: syncv1.NewRunServiceClient(conn), states: syncv1.NewStateServiceClient(conn),
		drifts: syncv1.NewDriftServiceClient(conn), operations: longrunningpb.NewOperationsClient(conn), company: "companies/" + f.Company, close: closeConn,
	}
}
