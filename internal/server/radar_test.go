package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	rawv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/raw/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/drift"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	"github.com/rainbow-gateway/rainbow-gateway/internal/server"
)

// TestTheRadarSeesBothDoors in front of a Rainbow whose answers have a member that is not documented.
func TestTheRadarSeesBothDoors(t *testing.T) {
	rainbow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":[{"id":"1","shiny":"value-4711"}],"total":1,"limit":100,"offset":0}`)
	}))
	defer rainbow.Close()
	c := completed(t, rainbow.URL)
	c.DriftSample = 1
	g := start(t, server.Options{Config: c})
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer x")
	if _, err := adminv1.NewUsersServiceClient(g.conn).ListUsers(ctx, &adminv1.ListUsersRequest{}); err != nil {
		t.Fatal(err)
	}
	if code, body := g.get(t, g.HTTPAddr()+"/api/rainbow/admin/v1.0/users"); code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	var report drift.Report
	eventually(t, func() bool {
		_, body := g.get(t, g.AdminAddr()+"/drift.json")
		return json.Unmarshal([]byte(body), &report) == nil && report.Answers.Inspected == 2
	})
	if len(report.Operations) != 1 || len(report.Operations[0].Findings) != 1 || report.Operations[0].Findings[0].Path != "data[].shiny" {
		t.Errorf("report %+v", report)
	}
	_, page := g.get(t, g.AdminAddr()+"/drift")
	_, metrics := g.get(t, g.AdminAddr()+"/metrics")
	if !strings.Contains(page, "data[].shiny") || !strings.Contains(metrics, `gateway_drift_total{class="unknown",path="data[].shiny",rpc="rainbow.admin.v1.UsersService/ListUsers"} 2`) {
		t.Errorf("page %s", page)
	}
	for _, text := range []string{page, metrics, g.stderr.String()} {
		if strings.Contains(text, "value-4711") {
			t.Error("a value is shown")
		}
	}
	resp, err := http.Post("http://"+g.AdminAddr()+"/drift/reset", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if _, page = g.get(t, g.AdminAddr()+"/drift"); resp.StatusCode != 200 || strings.Contains(page, "shiny") {
		t.Errorf("after the reset: %s, %s", resp.Status, page)
	}
}

func TestWithoutTheRadarThePageSaysSo(t *testing.T) {
	g := start(t, server.Options{Config: completed(t, "sandbox")}) // a zero value, as --drift-sample=0
	if code, body := g.get(t, g.AdminAddr()+"/drift"); code != 200 || !strings.Contains(body, "radar is off") {
		t.Errorf("%d %s", code, body)
	}
}

// TestRawCallsFollowTheCatchAll on a loopback listener, where auto is on.
func TestRawCallsFollowTheCatchAll(t *testing.T) {
	for setting, want := range map[string]codes.Code{"auto": codes.OK, "on": codes.OK, "off": codes.Unimplemented} {
		c := completed(t, "sandbox")
		c.CatchAll = setting
		g := start(t, server.Options{Config: c})
		got, err := rawv1.NewRawServiceClient(g.conn).Call(t.Context(), &rawv1.CallRequest{
			Method: "GET", Target: "/api/rainbow/admin/v1.0/users?limit=1&companyId=" + sandbox.CompanyID,
		})
		if status.Code(err) != want || err == nil && (got.GetStatus() != 200 || !strings.Contains(string(got.GetBody()), `"loginEmail"`)) {
			t.Errorf("%s: %v, %v", setting, got, err)
		}
		if _, metrics := g.get(t, g.AdminAddr()+"/metrics"); !strings.Contains(metrics, `gateway_calls_total{as="account",code="`+want.String()+`",door="grpc",rpc="rainbow.raw.v1.RawService/Call"} 1`) {
			t.Errorf("%s: the call is not counted: %s", setting, metrics)
		}
	}
}

func TestReflectionShowsRawCalls(t *testing.T) {
	g := start(t, server.Options{Config: completed(t, "sandbox")})
	stream, err := reflectionv1.NewServerReflectionClient(g.conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = stream.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: "rainbow.raw.v1.RawService.Download"}})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := stream.Recv()
	if err != nil || len(answer.GetFileDescriptorResponse().GetFileDescriptorProto()) == 0 {
		t.Errorf("%v, %v", answer, err)
	}
	_ = stream.CloseSend()
}
