package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/grpc"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	"github.com/rainbow-gateway/rainbow-gateway/gen/openapi"
	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/rest"
	"github.com/rainbow-gateway/rainbow-gateway/internal/server"
)

func TestTheReferenceIsServedUnlessSwitchedOff(t *testing.T) {
	for docs, want := range map[string]int{"": http.StatusOK, "on": http.StatusOK, "off": http.StatusNotFound} {
		c := completed(t, "sandbox")
		c.Docs = docs
		g := start(t, server.Options{Config: c})
		if status, body := g.get(t, g.HTTPAddr()+"/docs"); status != want {
			t.Errorf("docs %q: %d %.100s, want %d", docs, status, body, want)
		}
	}
}

// local is a service of the gateway's own with its routes.
func local[C any](desc *grpc.ServiceDesc, impl any, client func(grpc.ClientConnInterface) C, register func(context.Context, *runtime.ServeMux, C) error) server.Service {
	return server.Service{
		Local:    facade.Local{Desc: desc, Impl: impl},
		Register: rest.Generated(desc.ServiceName, client, register).Register,
	}
}

// TestEveryPathOfTheDocumentIsServed asks the door for the methods of each described path; that needs no credentials.
func TestEveryPathOfTheDocumentIsServed(t *testing.T) {
	g := start(t, server.Options{Config: completed(t, "sandbox"), Services: func(server.Parts) ([]server.Service, error) {
		return []server.Service{
			local(&syncv1.PlanService_ServiceDesc, syncv1.UnimplementedPlanServiceServer{}, syncv1.NewPlanServiceClient, syncv1.RegisterPlanServiceHandlerClient),
			local(&syncv1.RunService_ServiceDesc, syncv1.UnimplementedRunServiceServer{}, syncv1.NewRunServiceClient, syncv1.RegisterRunServiceHandlerClient),
			local(&syncv1.StateService_ServiceDesc, syncv1.UnimplementedStateServiceServer{}, syncv1.NewStateServiceClient, syncv1.RegisterStateServiceHandlerClient),
			local(&syncv1.DriftService_ServiceDesc, syncv1.UnimplementedDriftServiceServer{}, syncv1.NewDriftServiceClient, syncv1.RegisterDriftServiceHandlerClient),
		}, nil
	}})
	var document struct {
		Paths map[string]map[string]any
	}
	if err := json.NewDecoder(bytes.NewReader(openapi.OpenAPI)).Decode(&document); err != nil {
		t.Fatal(err)
	}
	for path, item := range document.Paths {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, "http://"+g.HTTPAddr(), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.URL = &url.URL{Scheme: "http", Host: g.HTTPAddr(), Path: strings.NewReplacer("{", "", "}", "").Replace(path)}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		for method := range item {
			if !strings.Contains(resp.Header.Get("Allow"), strings.ToUpper(method)) {
				t.Errorf("%s: %d, Allow is %q, want %s among it", path, resp.StatusCode, resp.Header.Get("Allow"), method)
			}
		}
	}
}
