// Package syncserver serves the engine as gRPC services: rainbow.sync.v1's PlanService, RunService, StateService and DriftService, and
// google.longrunning.Operations for what takes its time.
//
// [New] makes a Server over an engine; [Server.Register] puts its services on a gRPC server, [Server.Services] lists them
// for doors of other kinds, [RawBodies] and [RegisterOperationsHandlerClient] are what a REST door needs beside the
// generated handlers. [Server.Close] brings everything under way to an orderly end.
//
// A Server is safe for concurrent use. It owns the runs and refreshes that it starts: they go on when the caller goes
// away, and one at a time changes a company. It must be the only one that works on its engine's store. Who may call is
// decided before a call gets here.
package syncserver

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// Options are what a Server is made of.
type Options struct {
	// Engine does the work.
	Engine *bulksync.Engine

	// Company gives the id of the company of the account that the engine works under; it may ask upstream.
	Company func(ctx context.Context) (string, error)

	// Principal gives the caller of a call, for the books. Default, also for a caller without a name: "local".
	Principal func(ctx context.Context) bulksync.Principal

	// Caller gives the caller in words. Default: the principal's name.
	Caller func(ctx context.Context) string

	// Approval says which approval a plan needs before it is applied.
	Approval bulksync.ApprovalPolicy

	// Retention says how much of the history is kept. Nothing is removed when it is zero.
	Retention bulksync.Retention

	// Status translates errors of the engine's Target, for a door's callers; nil, or a nil answer, means Internal.
	Status func(error) *status.Status

	// Drift says how often the server compares upstream with the manifests in force by itself, and whom it tells.
	Drift DriftOptions

	// Registry gets the metrics of runs; nil keeps none.
	Registry prometheus.Registerer

	// Log gets what callers are not told. Default: slog.Default().
	Log *slog.Logger
}

// Server serves an engine.
type Server struct {
	opts      Options
	shelf     *shelf
	requests  *requestMemory
	refreshes *refreshBoard
	drift     *driftWatch
	metrics   *runMetrics
	lastRows  rowsMemory
	pruned    chan struct{} // closed when nothing is pruned any more

	// life ends when runs and refreshes must break off.
	life context.Context
	kill context.CancelFunc

	mu      sync.Mutex // guards the rest
	closed  bool
	lanes   map[string]*lane
	running sync.WaitGroup // runs, refreshes, the schedule and messages about drift
}

// New makes a server. Runs that an earlier process left running are put right when their company is first spoken of.
func New(opts Options) (*Server, error) {
	if opts.Engine == nil || opts.Company == nil {
		return nil, errors.New("sync server: an engine and its company are needed")
	}
	whose := opts.Principal
	opts.Principal = func(ctx context.Context) (p bulksync.Principal) {
		if whose != nil {
			p = whose(ctx)
		}
		p.Name = cmp.Or(p.Name, "local")
		return p
	}
	if opts.Caller == nil {
		opts.Caller = func(ctx context.Context) string { return opts.Principal(ctx).Name }
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	life, kill := context.WithCancel(context.Background())
	s := &Server{
		opts: opts, life: life, kill: kill, lanes: map[string]*lane{},
		shelf: newShelf(), requests: newRequestMemory(), refreshes: newRefreshBoard(), drift: newDriftWatch(opts.Drift), metrics: newRunMetrics(opts.Registry),
		pruned: make(chan struct{}),
	}
	if opts.Drift.Every > 0 {
		s.running.Add(1)
		go func() {
			defer s.running.Done()
			s.watchDrift()
		}()
	}
	go func() {
		defer close(s.pruned)
		if opts.Retention != (bulksync.Retention{}) {
			s.prunes()
		}
	}()
	return s, nil
}

// Register puts the services on a gRPC server.
func (s *Server) Register(r grpc.ServiceRegistrar) {
	for _, service := range s.Services() {
		r.RegisterService(service.Desc, service.Impl)
	}
}

// Service is one service with its implementation, as generated Register functions take them.
type Service struct {
	Desc *grpc.ServiceDesc
	Impl any
}

// Services lists the services.
func (s *Server) Services() []Service {
	return []Service{
		{&syncv1.PlanService_ServiceDesc, planService{Server: s}},
		{&syncv1.RunService_ServiceDesc, runService{Server: s}},
		{&syncv1.StateService_ServiceDesc, stateService{Server: s}},
		{&syncv1.DriftService_ServiceDesc, driftService{Server: s}},
		{&longrunningpb.Operations_ServiceDesc, operationsService{Server: s}},
	}
}

// Close takes no new work, breaks refreshes off and asks runs to stop: calls in flight are finished. When ctx ends before
// that, the calls are cut off; their outcome is looked up when the run is resumed. Close returns when everything has
// ended, with ctx's error if it came to that. Watchers are told the last state.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	lanes := slices.Collect(maps.Values(s.lanes))
	s.mu.Unlock()
	s.drift.stop()
	for _, l := range lanes { // a lane is never waited for under the server's lock: launch takes them the other way round
		l.shutDown()
	}
	ended := make(chan struct{})
	go func() {
		s.running.Wait()
		close(ended)
	}()
	defer func() {
		s.kill()
		<-s.pruned
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		s.kill()
		<-ended
		return ctx.Err()
	}
}
