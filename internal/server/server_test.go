package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/config"
	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/rest"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	"github.com/rainbow-gateway/rainbow-gateway/internal/server"
)

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *buffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *buffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// gateway is a running gateway.
type gateway struct {
	*server.Server
	conn   *grpc.ClientConn
	stderr *buffer
	stop   context.CancelFunc
	ended  chan error
}

// completed is a configuration as `gateway serve` would have it, on free ports.
func completed(t *testing.T, upstream string) config.Config {
	t.Helper()
	c := config.Config{
		Listeners: config.Listeners{
			GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", CatchAll: "auto",
			MaxBodyBytes: 1 << 20, MaxUploadBytes: 1 << 20, MaxMessageBytes: 4 << 20, StopTimeout: 2 * time.Second,
		},
		Engine: config.Engine{
			Upstream: upstream, State: filepath.Join(t.TempDir(), "new", "state.db"), UpstreamTimeout: 10 * time.Second,
			DialTimeout: time.Second, RateBurst: 1, SeedUsers: 3, LogLevel: "debug",
		},
	}
	if err := c.Complete(func(string) string { return "" }); err != nil {
		t.Fatal(err)
	}
	return c
}

func start(t *testing.T, opts server.Options) *gateway {
	t.Helper()
	g := &gateway{stderr: &buffer{}, ended: make(chan error, 1)}
	opts.Stderr = g.stderr
	var err error
	if g.Server, err = server.New(opts); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	g.stop = stop
	go func() { g.ended <- g.Run(ctx) }()
	g.conn, err = grpc.NewClient(g.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = g.conn.Close()
		stop()
		g.wait(t)
	})
	return g
}

// wait returns what Run returned; more than once if asked.
func (g *gateway) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-g.ended:
		g.ended <- err
		return err
	case <-time.After(10 * time.Second):
		t.Fatal("the gateway does not stop")
		return nil
	}
}

func (g *gateway) get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get("http://" + url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// TestTheThread calls ListUsers and CreateDdi through both doors, with the sandbox's own account.
func TestTheThread(t *testing.T) {
	g := start(t, server.Options{Config: completed(t, "sandbox")})

	users, err := adminv1.NewUsersServiceClient(g.conn).ListUsers(t.Context(), &adminv1.ListUsersRequest{CompanyId: proto.String(sandbox.CompanyID)})
	if err != nil || len(users.GetData()) < 4 {
		t.Fatalf("ListUsers over gRPC: %d users, %v", len(users.GetData()), err)
	}
	code, body := g.get(t, g.HTTPAddr()+"/api/rainbow/admin/v1.0/users?companyId="+sandbox.CompanyID+"&offset=undefined")
	if code != 200 || strings.Count(body, `"loginEmail"`) < 4 {
		t.Errorf("ListUsers over REST: %d %.300s", code, body)
	}

	ddi, err := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(g.conn).CreateDdi(t.Context(), &rvcpprovisioningv1.CreateDdiRequest{
		SystemId: sandbox.CloudPbxID, Body: &rvcpprovisioningv1.CreateDdiBody{Number: proto.String("33199000901")},
	})
	if err != nil || ddi.GetData().GetId() == "" {
		t.Errorf("CreateDdi over gRPC: %v, %v", ddi, err)
	}
	resp, err := http.Post("http://"+g.HTTPAddr()+"/api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/"+sandbox.CloudPbxID+"/phone-numbers/ddi",
		"application/json", strings.NewReader(`{"number":"33199000901"}`))
	if err != nil {
		t.Fatal(err)
	}
	refusal, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != 409 || resp.Header.Get("X-Error-Origin") != "upstream" || !strings.Contains(string(refusal), `"errorDetailsCode":409`) {
		t.Errorf("CreateDdi of the same number over REST: %s %s", resp.Status, refusal)
	}
	_, metrics := g.get(t, g.AdminAddr()+"/metrics")
	for _, want := range []string{
		`gateway_calls_total{as="account",code="OK",door="grpc",rpc="rainbow.admin.v1.UsersService/ListUsers"} 1`,
		`gateway_calls_total{as="account",code="OK",door="rest",rpc="rainbow.admin.v1.UsersService/ListUsers"} 1`,
		`gateway_calls_total{as="account",code="AlreadyExists",door="rest",rpc="rainbow.rvcpprovisioning.v1.CloudPbxPhoneNumberService/CreateDdi"} 1`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
	for _, secret := range []string{sandbox.AdminPassword, sandbox.AppSecret, "Bearer ey"} {
		if strings.Contains(g.stderr.String(), secret) {
			t.Errorf("the log shows %q", secret)
		}
	}
}

func TestTheListeningLine(t *testing.T) {
	c := completed(t, "sandbox")
	c.LogLevel = "error" // the line is a contract, not a log
	g := start(t, server.Options{Config: c})
	eventually(t, func() bool { return strings.Contains(g.stderr.String(), "\n") })
	line, _, _ := strings.Cut(g.stderr.String(), "\n")
	var got map[string]string
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	want := map[string]string{"level": "INFO", "msg": "listening", "grpc": g.GRPCAddr(), "http": g.HTTPAddr(), "admin": g.AdminAddr(), "upstream": "sandbox"}
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s is %q, want %q", key, got[key], value)
		}
	}
	if _, port, _ := net.SplitHostPort(got["grpc"]); port == "0" {
		t.Error("port 0 is announced")
	}
}

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("not so after 5 s")
}

func TestHealthReflectionAdmin(t *testing.T) {
	g := start(t, server.Options{Config: completed(t, "sandbox")})
	health, err := healthv1.NewHealthClient(g.conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
	if err != nil || health.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		t.Errorf("health: %v, %v", health, err)
	}
	_, err = healthv1.NewHealthClient(g.conn).Check(t.Context(), &healthv1.HealthCheckRequest{Service: "rainbow.admin.v1.UsersService"})
	if err != nil {
		t.Errorf("health of a service: %v", err)
	}
	stream, err := reflectionv1.NewServerReflectionClient(g.conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(req *reflectionv1.ServerReflectionRequest) *reflectionv1.ServerReflectionResponse {
		t.Helper()
		if err := stream.Send(req); err != nil {
			t.Fatal(err)
		}
		answer, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	var names []string
	for _, s := range ask(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}).GetListServicesResponse().GetService() {
		names = append(names, s.GetName())
	}
	for _, want := range []string{"rainbow.admin.v1.UsersService", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"} {
		if !strings.Contains(fmt.Sprint(names), want) {
			t.Errorf("reflection lacks %s: %v", want, names)
		}
	}
	file := ask(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingSymbol{
		FileContainingSymbol: "rainbow.admin.v1.UsersService.ListUsers",
	}})
	if len(file.GetFileDescriptorResponse().GetFileDescriptorProto()) == 0 {
		t.Errorf("reflection has no file: %v", file)
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("reflection ends with %v", err)
	}
	for path, want := range map[string]string{"/": "/drift.json", "/healthz": "ok", "/readyz": "ready", "/debug/pprof/cmdline": "", "/metrics": "go_goroutines"} {
		if code, body := g.get(t, g.AdminAddr()+path); code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %.100s", path, code, body)
		}
	}
}

func TestAdminIsForThisMachineOnly(t *testing.T) {
	g := start(t, server.Options{Config: completed(t, "sandbox")})
	for _, tt := range []struct {
		host, origin string
		want         int
	}{
		{"localhost:9091", "", 200}, {"evil.example", "", 403}, {"", "https://evil.example", 403},
	} {
		req, err := http.NewRequest("GET", "http://"+g.AdminAddr()+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = tt.host
		if tt.origin != "" {
			req.Header.Set("Origin", tt.origin)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != tt.want {
			t.Errorf("Host %q, Origin %q: %s, want %d", tt.host, tt.origin, resp.Status, tt.want)
		}
	}
}

func TestHeadersOfACallAreBounded(t *testing.T) {
	g := start(t, server.Options{Config: completed(t, "sandbox")})
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-rainbow-a", strings.Repeat("a", 100<<10))
	if _, err := healthv1.NewHealthClient(g.conn).Check(ctx, &healthv1.HealthCheckRequest{}); err == nil {
		t.Error("100 KiB of metadata were taken")
	}
}

// slow is an upstream that answers when it is told.
func slow(t *testing.T) (url string, arrived chan struct{}, goOn chan struct{}) {
	t.Helper()
	arrived, goOn = make(chan struct{}, 8), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		select {
		case <-goOn:
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"data":[]}`)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, arrived, goOn
}

type result struct {
	code int
	err  error
}

// callBoth makes a call through each door and returns when upstream has both.
func callBoth(t *testing.T, g *gateway, arrived chan struct{}) (overGRPC, overREST chan result) {
	t.Helper()
	overGRPC, overREST = make(chan result, 1), make(chan result, 1)
	go func() {
		ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer x")
		_, err := adminv1.NewUsersServiceClient(g.conn).ListUsers(ctx, &adminv1.ListUsersRequest{})
		overGRPC <- result{err: err}
	}()
	go func() {
		resp, err := http.Get("http://" + g.HTTPAddr() + "/api/rainbow/admin/v1.0/users")
		if err != nil {
			overREST <- result{err: err}
			return
		}
		_ = resp.Body.Close()
		overREST <- result{code: resp.StatusCode}
	}()
	for range 2 {
		select {
		case <-arrived:
		case <-time.After(5 * time.Second):
			t.Fatal("a call did not reach upstream")
		}
	}
	return overGRPC, overREST
}

func TestStopLetsCallsUnderWayFinish(t *testing.T) {
	url, arrived, goOn := slow(t)
	c := completed(t, url)
	c.StopTimeout = 30 * time.Second
	g := start(t, server.Options{Config: c})
	watch, err := healthv1.NewHealthClient(g.conn).Watch(t.Context(), &healthv1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := watch.Recv(); err != nil {
		t.Fatal(err)
	}
	overGRPC, overREST := callBoth(t, g, arrived)
	g.stop()
	eventually(t, func() bool {
		conn, err := net.DialTimeout("tcp", g.HTTPAddr(), time.Second)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	if code, _ := g.get(t, g.AdminAddr()+"/readyz"); code != 503 {
		t.Errorf("readyz while stopping: %d", code)
	}
	close(goOn)
	if r := <-overGRPC; r.err != nil {
		t.Errorf("gRPC call under way: %v", r.err)
	}
	if r := <-overREST; r.code != 200 {
		t.Errorf("REST call under way: %+v", r)
	}
	if err := g.wait(t); err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestStopHasADeadline(t *testing.T) {
	url, arrived, _ := slow(t)
	c := completed(t, url)
	c.StopTimeout = 100 * time.Millisecond
	g := start(t, server.Options{Config: c})
	overGRPC, overREST := callBoth(t, g, arrived)
	g.stop()
	begun := time.Now()
	if err := g.wait(t); err != nil {
		t.Errorf("Run: %v", err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("stopping took %v", took)
	}
	if r := <-overGRPC; r.err == nil {
		t.Error("the gRPC call was answered")
	}
	if r := <-overREST; r.err == nil && r.code == 200 {
		t.Error("the REST call was answered")
	}
}

// echo is a local service that calls upstream as the engine does.
type echo struct {
	syncv1.UnimplementedStateServiceServer
	users adminv1.UsersServiceClient
}

func (e echo) GetState(ctx context.Context, _ *syncv1.GetStateRequest) (*syncv1.State, error) {
	users, err := e.users.ListUsers(ctx, &adminv1.ListUsersRequest{})
	if err != nil {
		return nil, facade.Status(err).Err()
	}
	return &syncv1.State{Name: fmt.Sprint(len(users.GetData()) > 0)}, nil
}

func TestLocalServicesActAsTheAccount(t *testing.T) {
	closed := false
	var parts server.Parts
	services := func(p server.Parts) ([]server.Service, error) {
		parts = p
		door := rest.Generated(syncv1.StateService_ServiceDesc.ServiceName, syncv1.NewStateServiceClient, syncv1.RegisterStateServiceHandlerClient)
		return []server.Service{{
			Local:    facade.Local{Desc: &syncv1.StateService_ServiceDesc, Impl: echo{users: adminv1.NewUsersServiceClient(p.Conn)}},
			Register: door.Register,
			Close:    func() error { closed = true; return nil },
		}}, nil
	}
	g := start(t, server.Options{Config: completed(t, "sandbox"), Services: services})
	if parts.Upstream != "sandbox" || parts.GRPCAddr != g.GRPCAddr() || !parts.HasAccount {
		t.Errorf("parts %+v", parts)
	}
	state, err := syncv1.NewStateServiceClient(g.conn).GetState(t.Context(), &syncv1.GetStateRequest{Name: "companies/-/state"})
	if err != nil || state.GetName() != "true" {
		t.Errorf("over gRPC: %v, %v", state, err)
	}
	if code, body := g.get(t, g.HTTPAddr()+"/v1/companies/-/state"); code != 200 || body != `{"name":"true"}` {
		t.Errorf("over REST: %d %s", code, body)
	}
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer x")
	if _, err := syncv1.NewStateServiceClient(g.conn).GetState(ctx, &syncv1.GetStateRequest{}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("with own credentials: %v", err)
	}
	g.stop()
	if err := g.wait(t); err != nil || !closed {
		t.Errorf("Run: %v, service closed: %v", err, closed)
	}
}

func TestWhatCannotStartSaysWhy(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	tests := []struct {
		name   string
		change func(*server.Options)
		want   string
	}{
		{"an address that is taken", func(o *server.Options) { o.Config.HTTPAddr = taken.Addr().String() }, "listen tcp " + taken.Addr().String() + ": bind: address already in use: stop what listens there, or choose another with --http-addr"},
		{"a service that fails", func(o *server.Options) {
			o.Services = func(server.Parts) ([]server.Service, error) { return nil, errors.New("state file: locked") }
		}, "state file: locked"},
		{"a CA file without certificates", func(o *server.Options) { o.Config.UpstreamCA = "server_test.go" }, "server_test.go"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			opts := server.Options{Config: completed(t, "sandbox"), Stderr: &buffer{}}
			tt.change(&opts)
			if _, err := server.New(opts); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// TestTheSandboxKeepsItsWorld restarts a gateway on the same state file.
func TestTheSandboxKeepsItsWorld(t *testing.T) {
	c := completed(t, "sandbox")
	for i, want := range []codes.Code{codes.OK, codes.AlreadyExists} {
		g := start(t, server.Options{Config: c})
		_, err := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(g.conn).CreateDdi(t.Context(), &rvcpprovisioningv1.CreateDdiRequest{
			SystemId: sandbox.CloudPbxID, Body: &rvcpprovisioningv1.CreateDdiBody{Number: proto.String("33199000902")},
		})
		if status.Code(err) != want {
			t.Errorf("start %d: %v, want %v", i+1, err, want)
		}
		g.stop()
		if err := g.wait(t); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRequestIDsOfBothSides: the caller's id stays his, at both doors; upstream's comes under a name of its own.
func TestRequestIDsOfBothSides(t *testing.T) {
	rainbow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", "of-upstream")
		w.Header().Set("X-Rainbow-Request-Id", "of-rainbow")
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Get("limit") == "7" {
			w.WriteHeader(http.StatusForbidden)
		}
		_, _ = io.WriteString(w, `{"data":[]}`)
	}))
	t.Cleanup(rainbow.Close)
	g := start(t, server.Options{Config: completed(t, rainbow.URL)})
	want := map[string][]string{"x-request-id": {"of-caller"}, "x-upstream-request-id": {"of-upstream"}, "x-rainbow-request-id": {"of-rainbow"}}
	for _, target := range []string{"/api/rainbow/admin/v1.0/users", "/api/rainbow/admin/v1.0/users?limit=7", "/api/rainbow/unheard/of"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+g.HTTPAddr()+target, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Request-Id", "of-caller")
		req.Header.Set("Authorization", "Bearer x")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		for name, values := range want {
			if got := resp.Header.Values(name); !slices.Equal(got, values) {
				t.Errorf("REST %s: %s is %q, want %q", target, name, got, values)
			}
		}
	}
	for _, limit := range []int32{1, 7} {
		var header metadata.MD
		ctx := metadata.AppendToOutgoingContext(t.Context(), "x-request-id", "of-caller", "authorization", "Bearer x")
		_, err := adminv1.NewUsersServiceClient(g.conn).ListUsers(ctx, &adminv1.ListUsersRequest{Limit: proto.Int32(limit)}, grpc.Header(&header))
		if (err != nil) != (limit == 7) {
			t.Fatal(err)
		}
		for name, values := range want {
			if got := header.Get(name); !slices.Equal(got, values) {
				t.Errorf("gRPC, limit %d: %s is %q, want %q", limit, name, got, values)
			}
		}
	}
}
