package syncserver_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/state"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
	"github.com/rainbow-gateway/rainbow-gateway/internal/syncserver"
)

const parent = "companies/" + companyID

// gateway is a server on loopback over a state file and an upstream in memory, with clients of its services.
type gateway struct {
	t        *testing.T
	upstream *upstream
	path     string
	store    *state.Store
	server   *syncserver.Server
	log      bytes.Buffer
	drift    syncserver.DriftOptions
	// tune changes the server's options before it is made; may be nil.
	tune func(*syncserver.Options)

	plans      syncv1.PlanServiceClient
	runs       syncv1.RunServiceClient
	states     syncv1.StateServiceClient
	operations longrunningpb.OperationsClient
	drifts     syncv1.DriftServiceClient
}

// newGateway gives a gateway whose state is recorded.
func newGateway(t *testing.T, users int) *gateway {
	t.Helper()
	g := &gateway{t: t, upstream: newUpstream(users), path: filepath.Join(t.TempDir(), "state.db")}
	g.start(true)
	g.refresh()
	return g
}

// start opens the state file and serves; toEnd closes it when the test ends.
func (g *gateway) start(toEnd bool) {
	t := g.t
	t.Helper()
	var err error
	if g.store, err = state.Open(g.path, state.Options{UpstreamURL: "sandbox"}); err != nil {
		t.Fatal(err)
	}
	options := syncserver.Options{
		Engine:  &bulksync.Engine{Store: g.store, Target: g.upstream, Parallel: 2},
		Company: func(context.Context) (string, error) { return companyID, nil },
		Log:     slog.New(slog.NewTextHandler(&g.log, nil)),
		Drift:   g.drift,
	}
	if g.tune != nil {
		g.tune(&options)
	}
	g.server, err = syncserver.New(options)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	g.server.Register(server)
	go server.Serve(listener)
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	g.plans, g.runs = syncv1.NewPlanServiceClient(conn), syncv1.NewRunServiceClient(conn)
	g.states, g.operations = syncv1.NewStateServiceClient(conn), longrunningpb.NewOperationsClient(conn)
	g.drifts = syncv1.NewDriftServiceClient(conn)
	if toEnd {
		t.Cleanup(func() {
			g.close(5 * time.Second)
			conn.Close()
			server.Stop()
		})
	}
}

// close ends the server and lets go of the state file.
func (g *gateway) close(within time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if err := g.server.Close(ctx); err != nil {
		g.t.Errorf("close: %v", err)
	}
	g.store.Close()
}

func (g *gateway) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	g.t.Cleanup(cancel)
	return ctx
}

// refresh records the upstream's state.
func (g *gateway) refresh() *syncv1.State {
	g.t.Helper()
	op, err := g.states.RefreshState(g.ctx(), &syncv1.RefreshStateRequest{Name: parent + "/state"})
	if err != nil {
		g.t.Fatal(err)
	}
	state := &syncv1.State{}
	g.unpack(g.wait(op.GetName()), state)
	return state
}

// wait waits until an operation is done.
func (g *gateway) wait(name string) *longrunningpb.Operation {
	g.t.Helper()
	op, err := g.operations.WaitOperation(g.ctx(), &longrunningpb.WaitOperationRequest{Name: name})
	if err != nil {
		g.t.Fatal(err)
	}
	if !op.GetDone() {
		g.t.Fatalf("operation %s is not done", name)
	}
	return op
}

// unpack reads an operation's response.
func (g *gateway) unpack(op *longrunningpb.Operation, into proto.Message) {
	g.t.Helper()
	if op.GetError() != nil {
		g.t.Fatalf("operation %s: %v", op.GetName(), op.GetError())
	}
	if err := op.GetResponse().UnmarshalTo(into); err != nil {
		g.t.Fatal(err)
	}
}

// plan makes a plan of a manifest.
func (g *gateway) plan(manifest string) *syncv1.Plan {
	g.t.Helper()
	plan, err := g.plans.CreatePlan(g.ctx(), &syncv1.CreatePlanRequest{Parent: parent, Manifest: csv(manifest)})
	if err != nil {
		g.t.Fatal(err)
	}
	return plan
}

// apply starts a run of a plan, with its manifest.
func (g *gateway) apply(plan *syncv1.Plan, manifest string) *syncv1.Run {
	g.t.Helper()
	op, err := g.runs.ApplyPlan(g.ctx(), &syncv1.ApplyPlanRequest{Name: plan.GetName(), Etag: plan.GetEtag(), Manifest: csv(manifest), Wait: durationpb.New(10 * time.Second)})
	if err != nil {
		g.t.Fatal(err)
	}
	return runOf(g.t, op)
}

// runOf is the run that an operation is of.
func runOf(t *testing.T, op *longrunningpb.Operation) *syncv1.Run {
	t.Helper()
	run := &syncv1.Run{}
	if err := op.GetMetadata().UnmarshalTo(run); err != nil {
		t.Fatal(err)
	}
	return run
}

// rest waits until a run has come to rest.
func (g *gateway) rest(run *syncv1.Run) *syncv1.Run {
	g.t.Helper()
	return runOf(g.t, g.wait(run.GetOperation()))
}

func csv(text string) []*syncv1.ManifestFile {
	return []*syncv1.ManifestFile{{Name: "users.csv", MediaType: "text/csv", Content: []byte(text)}}
}

const header = "__action__;loginEmail;firstName;lastName;shortNumber;ddiE164Number;password\n"

// newUsers is a manifest that creates users with subscribers, from number n on.
func newUsers(n, count int) string {
	var b strings.Builder
	b.WriteString(header)
	for i := n; i < n+count; i++ {
		fmt.Fprintf(&b, "upsert;new%05d@demo.example;New;No %d;%d;;Passw0rd!-%05d\n", i, i, 82000+i, i)
	}
	return b.String()
}

// wantCode checks an error's code and gives its reason.
func wantCode(t *testing.T, err error, want codes.Code) (reason string) {
	t.Helper()
	st := status.Convert(err)
	if st.Code() != want {
		t.Fatalf("code is %s (%v), want %s", st.Code(), err, want)
	}
	if info := detail[*errdetails.ErrorInfo](err); info != nil {
		if info.GetDomain() != "rainbow-gateway" {
			t.Errorf("domain is %q", info.GetDomain())
		}
		return info.GetReason()
	}
	return ""
}

// detail gives the detail of a status that has a type, or nil.
func detail[M proto.Message](err error) (none M) {
	for _, d := range status.Convert(err).Details() {
		if m, ok := d.(M); ok {
			return m
		}
	}
	return none
}

// receive takes one from a channel before the test's patience ends.
func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came within 10 s")
		panic("unreachable")
	}
}
