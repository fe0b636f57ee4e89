package rest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
)

// plans is a local service for tests.
type plans struct {
	syncv1.UnimplementedPlanServiceServer
}

func (plans) CreatePlan(ctx context.Context, req *syncv1.CreatePlanRequest) (*syncv1.Plan, error) {
	if req.GetMode() == "panic" {
		panic("secret=hunter2")
	}
	md, _ := metadata.FromIncomingContext(ctx)
	name := fmt.Sprintf("%s/plans/%s-%s-%d", req.GetParent(), req.GetMode(), strings.Join(md.Get(facade.RequestIDKey), ""), len(req.GetManifest()))
	return &syncv1.Plan{Name: name}, nil
}

func (plans) GetPlan(_ context.Context, req *syncv1.GetPlanRequest) (*syncv1.Plan, error) {
	return nil, status.Errorf(codes.NotFound, "plan %q: not found", req.GetName())
}

func (plans) RenderPlan(context.Context, *syncv1.RenderPlanRequest) (*httpbody.HttpBody, error) {
	return &httpbody.HttpBody{ContentType: "text/markdown; charset=utf-8", Data: []byte("# Plan\n")}, nil
}

type runs struct {
	syncv1.UnimplementedRunServiceServer
}

func (runs) WatchRun(req *syncv1.WatchRunRequest, stream grpc.ServerStreamingServer[syncv1.RunEvent]) error {
	if strings.HasSuffix(req.GetName(), "missing") {
		return status.Error(codes.NotFound, "no such run")
	}
	for i := range 2 {
		if err := stream.Send(&syncv1.RunEvent{Run: &syncv1.Run{Name: fmt.Sprint(i)}}); err != nil {
			return err
		}
	}
	if strings.HasSuffix(req.GetName(), "waits") {
		<-stream.Context().Done()
		return stream.Context().Err()
	}
	if strings.HasSuffix(req.GetName(), "breaks") {
		return status.Error(codes.Aborted, "broke")
	}
	return nil
}

// withLocals adds the local services to a door.
func withLocals(o *Options, d *facade.Dispatcher) {
	for _, local := range []facade.Local{
		{Desc: &syncv1.PlanService_ServiceDesc, Impl: plans{}},
		{Desc: &syncv1.RunService_ServiceDesc, Impl: runs{}},
	} {
		if err := d.Add(local); err != nil {
			panic(err)
		}
	}
	o.Services = append(o.Services,
		Generated(syncv1.PlanService_ServiceDesc.ServiceName, syncv1.NewPlanServiceClient, syncv1.RegisterPlanServiceHandlerClient),
		Generated(syncv1.RunService_ServiceDesc.ServiceName, syncv1.NewRunServiceClient, syncv1.RegisterRunServiceHandlerClient))
	o.RawBodies = []RawBody{{
		Method: syncv1.PlanService_CreatePlan_FullMethodName,
		Media:  []string{"text/csv", "application/yaml"},
		Message: func(r *http.Request, path map[string]string, body []byte) (proto.Message, error) {
			if len(body) == 0 || body[0] == '!' {
				return nil, status.Error(codes.InvalidArgument, "manifest: bad")
			}
			return &syncv1.CreatePlanRequest{
				Parent: path["parent"], Mode: r.URL.Query().Get("mode"), Manifest: []*syncv1.ManifestFile{{}, {}},
			}, nil
		},
	}}
}

func TestLocalServices(t *testing.T) {
	d := setup(t, nil, withLocals)
	const id = "X-Request-Id: id"
	tests := []struct {
		name, line, body string
		headers          []string
		want             string
	}{
		{"JSON body", "POST /v1/companies/c/plans", `{"mode":"m","manifest":[{}]}`, []string{id}, `200 application/json {"name":"companies/c/plans/m-id-1"}`},
		{"JSON body with a charset", "POST /v1/companies/c/plans", `{}`, []string{id, "Content-Type: application/json; charset=utf-8"}, `200 application/json {"name":"companies/c/plans/-id-0"}`},
		{"CSV body, options in the query", "POST /v1/companies/-/plans?mode=rainbowvoice", "a;b", []string{id, "Content-Type: text/csv; charset=utf-8"}, `200 application/json {"name":"companies/-/plans/rainbowvoice-id-2"}`},
		{"YAML body", "POST /v1/companies/c/plans", "a: b", []string{id, "Content-Type: application/yaml"}, `200 application/json {"name":"companies/c/plans/-id-2"}`},
		{"bad manifest", "POST /v1/companies/c/plans", "!", []string{"Content-Type: text/csv"}, `400 application/json {"code":3, "message":"manifest: bad"}`},
		{"other body", "POST /v1/companies/c/plans", "x", []string{"Content-Type: text/plain"}, `400 application/json {"code":3, "message":"content type \"text/plain\": not taken here: want application/json, text/csv, application/yaml"`},
		{"trailing text", "POST /v1/companies/c/plans", `{}x`, nil, `400 application/json {"code":3,`},
		{"unknown member", "POST /v1/companies/c/plans", `{"moed":""}`, nil, `400 application/json {"code":3,`},
		{"a name twice", "POST /v1/companies/c/plans", `{"mode":"","mode":""}`, nil, `400 application/json {"code":3,`},
		{"too large", "POST /v1/companies/c/plans", `"` + strings.Repeat("x", 4<<20) + `"`, nil, `413 application/json `},
		{"not found", "GET /v1/companies/c/plans/7", "", nil, `404 application/json {"code":5, "message":"plan \"companies/c/plans/7\": not found"}`},
		{"a document", "GET /v1/companies/c/plans/7:render", "", nil, "200 text/markdown; charset=utf-8 # Plan\n"},
		{"not implemented", "GET /v1/companies/c/plans", "", nil, `501 application/json {"code":12,`},
		{"bad query", "GET /v1/companies/c/plans?pageSize=many", "", nil, `400 application/json {"code":3,`},
		{"with Rainbow credentials", "GET /v1/companies/c/plans/7", "", []string{"Authorization: Bearer x"}, `403 application/json {"code":7,`},
		{"foreign origin", "GET /v1/companies/c/plans/7", "", []string{"Origin: https://evil.example"}, `403 application/json {"code":7,`},
		{"a panic", "POST /v1/companies/c/plans", `{"mode":"panic"}`, nil, `500 application/json {"code":13, "message":"internal error",`},
		{"another method", "PUT /v1/companies/c/plans", "", nil, `405 application/json {"code":12,`},
		{"stream as JSON lines", "GET /v1/companies/c/runs/r:watch", "", nil, "200 application/json {\"result\":{\"run\":{\"name\":\"0\"}}}\n{\"result\":{\"run\":{\"name\":\"1\"}}}\n"},
		{"stream as events", "GET /v1/companies/c/runs/r:watch", "", []string{"Accept: text/event-stream, */*"}, "200 text/event-stream data: {\"run\":{\"name\":\"0\"}}\n\ndata: {\"run\":{\"name\":\"1\"}}\n\n"},
		{"stream that breaks", "GET /v1/companies/c/runs/breaks:watch", "", []string{"Accept: text/event-stream"}, "200 text/event-stream data: {\"run\":{\"name\":\"0\"}}\n\ndata: {\"run\":{\"name\":\"1\"}}\n\nevent: error\ndata: {\"code\":10,"},
		{"stream that never begins", "GET /v1/companies/c/runs/missing:watch", "", []string{"Accept: text/event-stream"}, `404 `},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := d.send(t, tt.line, tt.body, tt.headers...)
			// protojson puts a blank behind commas in some builds and none in others.
			text := strings.ReplaceAll(fmt.Sprintf("%d %s %s", got.status, got.header.Get("Content-Type"), got.body), ", \"", ",\"")
			if want := strings.ReplaceAll(tt.want, ", \"", ",\""); !strings.HasPrefix(text, want) {
				t.Errorf("got  %s\nwant %s", text, want)
			}
		})
	}
	if strings.Contains(d.log.String(), "hunter2") {
		t.Errorf("the log shows a secret: %s", d.log)
	}
}

func TestLocalServicesAreForThisMachineOnly(t *testing.T) {
	d := setup(t, nil, func(o *Options, dispatcher *facade.Dispatcher) {
		withLocals(o, dispatcher)
		o.Listener.Loopback = false
	})
	if got := d.send(t, "GET /v1/companies/c/plans/7", ""); got.status != 403 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// TestDrainEndsWatchers shows that a stop need not wait for who only watches.
func TestDrainEndsWatchers(t *testing.T) {
	var dispatcher *facade.Dispatcher
	d := setup(t, nil, func(o *Options, d *facade.Dispatcher) {
		withLocals(o, d)
		dispatcher = d
	})
	resp, err := http.Get(d.URL + "/v1/companies/c/runs/waits:watch")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	dispatcher.Drain()
	body, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(body), "the gateway is stopping") {
		t.Errorf("%s, %v", body, err)
	}
}

func TestRawBodyNeedsARoute(t *testing.T) {
	h, _ := mapped(t)
	_, err := New(Options{Dispatcher: h.opts.Dispatcher, RawBodies: []RawBody{{Method: "/no.Such/Method"}}})
	if err == nil || !strings.Contains(err.Error(), "/no.Such/Method") {
		t.Errorf("got %v", err)
	}
}
