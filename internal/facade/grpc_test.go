package facade_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	errorsv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/errors/v1"
	massprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/massprovisioning/v1"
	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// gateway is a gRPC door in front of an HTTP server that plays Rainbow.
type gateway struct {
	*grpc.ClientConn
	dispatcher *facade.Dispatcher
	registry   *prometheus.Registry
	log        *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func setup(t *testing.T, rainbow http.HandlerFunc, account bool, more ...facade.Policy) *gateway {
	t.Helper()
	server := httptest.NewServer(rainbow)
	t.Cleanup(server.Close)
	bindings, err := upstream.CompileBindings(upstream.RainbowServices())
	if err != nil {
		t.Fatal(err)
	}
	opts := upstream.Options{BaseURL: server.URL, Bindings: bindings}
	if account {
		opts.Account = &upstream.Account{Login: "a@b.example", Password: "p", AppID: "i", AppSecret: "s"}
	}
	client, err := upstream.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	g := &gateway{registry: prometheus.NewRegistry(), log: &lockedBuffer{}}
	log := slog.New(slog.NewTextHandler(g.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	policies := append([]facade.Policy{facade.Metrics(g.registry), facade.Audit(log), facade.Authenticate(account)}, more...)
	g.dispatcher = facade.NewDispatcher(bindings, client, log, policies...)
	healthServer := health.NewServer()
	if err := g.dispatcher.Add(facade.Local{Desc: &healthv1.Health_ServiceDesc, Impl: healthServer, Public: true}); err != nil {
		t.Fatal(err)
	}
	g.serve(t)
	return g
}

func (g *gateway) serve(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(facade.Codec())
	facade.RegisterGRPC(server, g.dispatcher, facade.Listener{Loopback: true})
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	g.ClientConn, err = grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
}

func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("X-Rainbow-Request-Id", "r-1")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func bearer(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer mine")
}

func TestUnaryCalls(t *testing.T) {
	var line, body string
	var header http.Header
	g := setup(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		line, body, header = r.Method+" "+r.RequestURI, string(b), r.Header
		answer(200, "application/json", `{"data":{"number":"33298300513","extra":1.10}}`)(w, r)
	}, false)
	var answered metadata.MD
	ctx := metadata.AppendToOutgoingContext(bearer(t.Context()), "x-rainbow-client", "test", "x-forwarded-for", "1.2.3.4", "x-request-id", "id-1")
	got, err := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(g).CreateDdi(ctx, &rvcpprovisioningv1.CreateDdiRequest{
		SystemId: "a/b", Body: &rvcpprovisioningv1.CreateDdiBody{Number: proto.String("33298300513")},
	}, grpc.Header(&answered))
	if err != nil {
		t.Fatal(err)
	}
	if line != "POST /api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/a%2Fb/phone-numbers/ddi" || body != `{"number":"33298300513"}` {
		t.Errorf("upstream got %s %s", line, body)
	}
	if got.GetData().GetNumber() != "33298300513" || string(got.GetData().GetExtraJson()) != `{"extra":1.10}` {
		t.Errorf("got %v", got)
	}
	if header.Get("Authorization") != "Bearer mine" || header.Get("X-Rainbow-Client") != "test" || header.Get("X-Forwarded-For") != "" {
		t.Errorf("upstream got %v", header)
	}
	if answered.Get("x-rainbow-request-id")[0] != "r-1" || answered.Get("content-type")[0] != "application/grpc" {
		t.Errorf("metadata %v", answered)
	}
	if !strings.Contains(g.log.String(), "as=pass-through code=OK") || !strings.Contains(g.log.String(), "request_id=id-1") {
		t.Errorf("log: %s", g.log)
	}
	if strings.Contains(g.log.String(), "mine") || strings.Contains(g.log.String(), "33298300513") {
		t.Errorf("the log shows a credential or a value: %s", g.log)
	}
}

func TestRefusalsBecomeStatus(t *testing.T) {
	g := setup(t, answer(409, "application/json", `{"errorCode":409,"errorMsg":"Conflict","errorDetails":"taken","errorDetailsCode":409550}`), false)
	var header metadata.MD
	_, err := adminv1.NewUsersServiceClient(g).ListUsers(bearer(t.Context()), &adminv1.ListUsersRequest{}, grpc.Header(&header))
	st := status.Convert(err)
	if st.Code() != codes.AlreadyExists || st.Message() != "Conflict: taken" || len(header.Get("x-rainbow-request-id")) != 1 {
		t.Fatalf("got %v, metadata %v", st, header)
	}
	found := false
	for _, d := range st.Details() {
		if e, ok := d.(*errorsv1.UpstreamError); ok {
			found = e.GetHttpStatus() == 409 && e.GetErrorDetailsCode() == 409550
		}
	}
	if !found {
		t.Errorf("details %v", st.Details())
	}
	if n := counted(t, g, "AlreadyExists"); n != 1 {
		t.Errorf("%v calls counted", n)
	}
}

// counted is how many calls have ended with a code.
func counted(t *testing.T, g *gateway, code string) (n float64) {
	t.Helper()
	families, err := g.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			for _, label := range m.GetLabel() {
				if family.GetName() == "gateway_calls_total" && label.GetName() == "code" && label.GetValue() == code {
					n += m.GetCounter().GetValue()
				}
			}
		}
	}
	return n
}

// TestWhoMayUseTheServiceAccountOverGRPC shows the rules that the REST door's table holds in full.
func TestWhoMayUseTheServiceAccountOverGRPC(t *testing.T) {
	const login = `{"token":"eyJhbGciOiJIUzI1NiJ9.eyJpYXQiOjE3MDAwMDAwMDAsImV4cCI6OTk5OTk5OTk5OX0.x"}`
	tests := []struct {
		name     string
		metadata []string
		want     string
	}{
		{"none", nil, "account"},
		{"own", []string{"authorization", "Bearer mine"}, "Bearer mine"},
		{"own API key", []string{"x-rainbow-api-key", "k"}, ""},
		{"own application token", []string{"apikey", "k"}, ""},
		{"foreign origin", []string{"origin", "https://evil.example"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got string
			g := setup(t, func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/login") {
					answer(200, "application/json", login)(w, r)
					return
				}
				got = r.Header.Get("Authorization")
				answer(200, "application/json", "{}")(w, r)
			}, true)
			ctx := metadata.AppendToOutgoingContext(t.Context(), tt.metadata...)
			if _, err := adminv1.NewUsersServiceClient(g).ListUsers(ctx, &adminv1.ListUsersRequest{}); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(got, "Bearer eyJ") {
				got = "account"
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestStreamingTwins(t *testing.T) {
	const csv = "a;b\r\n1;2\xff\r\n"
	g := setup(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			answer(200, "text/csv", csv)(w, r)
			return
		}
		body, _ := io.ReadAll(r.Body)
		answer(200, "application/json", fmt.Sprintf(`{"data":{"reqId":%q}}`, r.URL.RawQuery+" "+string(body)))(w, r)
	}, false)
	client := massprovisioningv1.NewUsersAndDevicesServiceClient(g)

	up, err := client.UploadImportUsers(bearer(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []*massprovisioningv1.UploadImportUsersRequest{
		{Part: &massprovisioningv1.UploadImportUsersRequest_Request{Request: &massprovisioningv1.ImportUsersRequest{CompanyId: proto.String("c")}}},
		{Part: &massprovisioningv1.UploadImportUsersRequest_Chunk{Chunk: []byte("a;b\n")}},
		{Part: &massprovisioningv1.UploadImportUsersRequest_Chunk{Chunk: []byte("1;2\n")}},
	} {
		if err := up.Send(part); err != nil {
			t.Fatal(err)
		}
	}
	imported, err := up.CloseAndRecv()
	if err != nil || imported.GetData().GetReqId() != "companyId=c a;b\n1;2\n" {
		t.Errorf("upload: %v, %v", imported, err)
	}

	down, err := client.DownloadGetUsersTemplate(bearer(t.Context()), &massprovisioningv1.GetUsersTemplateRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var got []byte
	var chunk *httpbody.HttpBody
	for {
		if chunk, err = down.Recv(); err != nil {
			break
		}
		got = append(got, chunk.GetData()...)
	}
	if !errors.Is(err, io.EOF) || string(got) != csv {
		t.Errorf("download: %q, %v", got, err)
	}
	eventually(t, func() bool { return counted(t, g, "OK") == 2 }, "two calls counted")
}

// eventually waits for what happens after the caller has his answer.
func eventually(t *testing.T, ok func() bool, what string) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("not so after 5 s: %s", what)
}

func TestStreamsThatFail(t *testing.T) {
	g := setup(t, answer(403, "application/json", `{"errorCode":403,"errorDetailsCode":403000}`), false)
	client := massprovisioningv1.NewUsersAndDevicesServiceClient(g)
	down, err := client.DownloadGetUsersTemplate(bearer(t.Context()), &massprovisioningv1.GetUsersTemplateRequest{})
	if err == nil {
		_, err = down.Recv()
	}
	if status.Code(err) != codes.PermissionDenied {
		t.Errorf("download: %v", err)
	}
	up, err := client.UploadImportUsers(bearer(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	_ = up.Send(&massprovisioningv1.UploadImportUsersRequest{
		Part: &massprovisioningv1.UploadImportUsersRequest_Request{Request: &massprovisioningv1.ImportUsersRequest{}},
	})
	if _, err := up.CloseAndRecv(); status.Code(err) != codes.PermissionDenied {
		t.Errorf("upload: %v", err)
	}
	eventually(t, func() bool { return counted(t, g, "PermissionDenied") == 2 }, "two calls counted")
}

// TestACallerWhoGoesAwayCancelsUpstream holds for unary calls and streams.
func TestACallerWhoGoesAwayCancelsUpstream(t *testing.T) {
	arrived, gone := make(chan struct{}, 2), make(chan struct{}, 2)
	g := setup(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		arrived <- struct{}{}
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		gone <- struct{}{}
	}, false)
	calls := map[string]func(context.Context) error{
		"unary": func(ctx context.Context) error {
			_, err := adminv1.NewUsersServiceClient(g).ListUsers(ctx, &adminv1.ListUsersRequest{})
			return err
		},
		"upload": func(ctx context.Context) error {
			up, err := massprovisioningv1.NewUsersAndDevicesServiceClient(g).UploadImportUsers(ctx)
			if err != nil {
				return err
			}
			_ = up.Send(&massprovisioningv1.UploadImportUsersRequest{
				Part: &massprovisioningv1.UploadImportUsersRequest_Request{Request: &massprovisioningv1.ImportUsersRequest{}},
			})
			_ = up.Send(&massprovisioningv1.UploadImportUsersRequest{Part: &massprovisioningv1.UploadImportUsersRequest_Chunk{Chunk: []byte("a")}})
			<-ctx.Done()
			return up.RecvMsg(&massprovisioningv1.ImportUsersResponse{})
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(bearer(t.Context()))
			go func() { <-arrived; cancel() }()
			if err := call(ctx); status.Code(err) != codes.Canceled {
				t.Errorf("got %v", err)
			}
			select {
			case <-gone:
			case <-time.After(5 * time.Second):
				t.Error("upstream still works")
			}
		})
	}
}

func TestHealthIsForEverybody(t *testing.T) {
	g := setup(t, nil, false)
	got, err := healthv1.NewHealthClient(g).Check(bearer(t.Context()), &healthv1.HealthCheckRequest{})
	if err != nil || got.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		t.Errorf("got %v, %v", got, err)
	}
	watch, err := healthv1.NewHealthClient(g).Watch(t.Context(), &healthv1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if first, err := watch.Recv(); err != nil || first.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		t.Errorf("got %v, %v", first, err)
	}
	g.dispatcher.Drain()
	if _, err := watch.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("a watcher is told %v when the gateway stops", err)
	}
}

// TestPoliciesRunOncePerCallAndCanRefuse also shows their order.
func TestPoliciesRunOncePerCallAndCanRefuse(t *testing.T) {
	var seen []string
	note := func(name string) facade.Policy {
		return func(ctx context.Context, call *facade.Call, next facade.Next) error {
			seen = append(seen, name+" "+string(call.Door())+" "+call.Access.String())
			return next(ctx)
		}
	}
	permit := facade.Authorize(func(_ context.Context, call *facade.Call) error {
		if call.Operation.ReadOnly {
			return nil
		}
		return status.Error(codes.PermissionDenied, "read only")
	})
	reached := 0
	g := setup(t, func(w http.ResponseWriter, r *http.Request) {
		reached++
		answer(200, "application/json", "{}")(w, r)
	}, false, note("a"), permit, note("b"))
	client := adminv1.NewUsersServiceClient(g)
	if _, err := client.ListUsers(bearer(t.Context()), &adminv1.ListUsersRequest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.DeleteUser(bearer(t.Context()), &adminv1.DeleteUserRequest{UserId: "7"}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("got %v", err)
	}
	want := "[a grpc pass-through b grpc pass-through a grpc pass-through]"
	if fmt.Sprint(seen) != want || reached != 1 {
		t.Errorf("got %v, upstream reached %d times", seen, reached)
	}
}

func TestRefusedCallersAreNotTakenForTheEngine(t *testing.T) {
	bindings, err := upstream.CompileBindings(nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	d := facade.NewDispatcher(bindings, nil, log, facade.Audit(log), facade.Authenticate(true))
	if err := d.Add(facade.Local{Desc: &healthv1.Health_ServiceDesc, Impl: health.NewServer()}); err != nil {
		t.Fatal(err)
	}
	ctx := facade.WithArrival(t.Context(), &facade.Arrival{Door: facade.DoorGRPC, Trusted: true, Credentials: true})
	if _, err := healthv1.NewHealthClient(d).Check(ctx, &healthv1.HealthCheckRequest{}); !errors.Is(err, facade.ErrOwnCredentials) {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(out.String(), "door=grpc as=nobody code=PermissionDenied") {
		t.Errorf("log: %s", out.String())
	}
}

// TestTheEnginesOwnCallsNeedNoArrival calls on the dispatcher as the engine does.
func TestTheEnginesOwnCallsNeedNoArrival(t *testing.T) {
	g := setup(t, answer(200, "application/json", "{}"), false)
	_, err := adminv1.NewUsersServiceClient(g.dispatcher).ListUsers(t.Context(), &adminv1.ListUsersRequest{})
	if !errors.Is(err, upstream.ErrNoAccount) {
		t.Errorf("without an account: %v", err)
	}
	if !strings.Contains(g.log.String(), "door=self as=self code=Unauthenticated") {
		t.Errorf("log: %s", g.log)
	}
}
