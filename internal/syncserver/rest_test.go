package syncserver_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/rest"
	"github.com/rainbow-gateway/rainbow-gateway/internal/syncserver"
	upstreamhttp "github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// door serves a gateway's services by the REST door, as the program does.
func door(t *testing.T, g *gateway) string {
	t.Helper()
	bindings, err := upstreamhttp.CompileBindings(nil)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	dispatcher := facade.NewDispatcher(bindings, nil, log, facade.Authenticate(true))
	for _, service := range g.server.Services() {
		if err := dispatcher.Add(facade.Local{Desc: service.Desc, Impl: service.Impl}); err != nil {
			t.Fatal(err)
		}
	}
	options := rest.Options{
		Dispatcher: dispatcher, Listener: facade.Listener{Loopback: true}, Log: log,
		Services: []rest.Service{
			rest.Generated(syncv1.PlanService_ServiceDesc.ServiceName, syncv1.NewPlanServiceClient, syncv1.RegisterPlanServiceHandlerClient),
			rest.Generated(syncv1.RunService_ServiceDesc.ServiceName, syncv1.NewRunServiceClient, syncv1.RegisterRunServiceHandlerClient),
			rest.Generated(syncv1.StateService_ServiceDesc.ServiceName, syncv1.NewStateServiceClient, syncv1.RegisterStateServiceHandlerClient),
			rest.Generated(syncv1.DriftService_ServiceDesc.ServiceName, syncv1.NewDriftServiceClient, syncv1.RegisterDriftServiceHandlerClient),
			rest.Generated(longrunningpb.Operations_ServiceDesc.ServiceName, longrunningpb.NewOperationsClient, syncserver.RegisterOperationsHandlerClient),
		},
	}
	for _, raw := range syncserver.RawBodies() {
		options.RawBodies = append(options.RawBodies, rest.RawBody(raw))
	}
	handler, err := rest.New(options)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL + "/v1/"
}

// call sends a request and decodes the JSON answer.
func call(t *testing.T, method, url, body string, headers ...string) (status int, answer map[string]any) {
	t.Helper()
	status, text := send(t, method, url, body, headers...)
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatalf("%s %s: %v: %s", method, url, err, text)
	}
	return status, answer
}

// send sends a request with header names and values and reads the answer.
func send(t *testing.T, method, url, body string, headers ...string) (status int, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestTheStoryOverREST(t *testing.T) {
	g := newGateway(t, 1)
	url := door(t, g)
	manifest := newUsers(0, 2)
	body, err := json.Marshal(map[string]any{"manifest": []any{map[string]any{"name": "u.csv", "content": []byte(manifest)}}})
	if err != nil {
		t.Fatal(err)
	}
	_, plan := call(t, "POST", url+"companies/-/plans", string(body))
	name, _ := plan["name"].(string)
	if !strings.HasPrefix(name, parent+"/plans/") || plan["operationCount"] != float64(4) {
		t.Fatalf("plan is %v", plan)
	}
	_, ops := call(t, "GET", url+name+"/operations?pageSize=3&kind=KIND_USER", "")
	if list, _ := ops["operations"].([]any); len(list) != 2 {
		t.Errorf("operations are %v", ops)
	}
	_, op := call(t, "POST", url+name+":apply", strings.Replace(string(body), "{", `{"etag":"`+plan["etag"].(string)+`",`, 1))
	opName, _ := op["name"].(string)
	g.wait(opName)
	_, op = call(t, "GET", url+opName, "")
	response, _ := op["response"].(map[string]any)
	if op["done"] != true || response["state"] != "STATE_SUCCEEDED" || response["@type"] != "type.googleapis.com/rainbow.sync.v1.Run" {
		t.Errorf("operation is %v", op)
	}
	if status, answer := call(t, "POST", url+opName+":cancel", "{}"); status != 200 || len(answer) != 0 {
		t.Errorf("cancel of a done operation: %d %v", status, answer)
	}
	if status, answer := call(t, "DELETE", url+opName, ""); status != 501 {
		t.Errorf("delete of an operation: %d %v", status, answer)
	}
	_, list := call(t, "GET", url+"operations?filter=done%3Dtrue&pageSize=1", "")
	if entries, _ := list["operations"].([]any); len(entries) != 1 || list["nextPageToken"] == "" {
		t.Errorf("operations are %v", list)
	}
	if status, answer := call(t, "GET", url+"operations?nonsense=1&pageSize=x", ""); status != 400 {
		t.Errorf("bad query: %d %v", status, answer)
	}
	if status, answer := call(t, "GET", url+"operations/companies/-/runs/none", ""); status != 404 {
		t.Errorf("unknown operation: %d %v", status, answer)
	}
	_, run := call(t, "GET", url+strings.TrimPrefix(opName, "operations/"), "")
	if run["state"] != "STATE_SUCCEEDED" {
		t.Errorf("run is %v", run)
	}
}

func TestTheStoryOverRESTWithTheManifestAsTheBody(t *testing.T) {
	g := newGateway(t, 1)
	url := door(t, g)
	manifest := newUsers(0, 2)
	const csvBody = "text/csv; charset=utf-8"
	_, valid := call(t, "POST", url+"companies/-/plans:validate?file=u.csv", manifest, "Content-Type", csvBody)
	if valid["valid"] != true || valid["userCount"] != float64(2) {
		t.Errorf("validation is %v", valid)
	}
	status, refused := call(t, "POST", url+"companies/-/plans?file=u.csv", header+"frobnicate;a@demo.example;;;;;\n", "Content-Type", csvBody)
	if details, _ := json.Marshal(refused["details"]); status != 400 || !strings.Contains(string(details), "rainbow.sync.v1.ManifestFaults") || !strings.Contains(string(details), `"file":"u.csv"`) {
		t.Errorf("refusal is %d %v", status, refused)
	}
	_, plan := call(t, "POST", url+"companies/-/plans?file=u.csv&requestId=one", manifest, "Content-Type", csvBody)
	name, _ := plan["name"].(string)
	if _, text := send(t, "GET", url+name+":render?format=FORMAT_MARKDOWN", ""); !strings.Contains(text, "| # | action |") {
		t.Errorf("rendering is %s", text)
	}
	_, op := call(t, "POST", url+name+":apply?parallel=1&etag="+plan["etag"].(string), manifest, "Content-Type", csvBody)
	run, _ := op["metadata"].(map[string]any)
	status, events := send(t, "GET", url+run["name"].(string)+":watch?replay=true", "", "Accept", "text/event-stream")
	if status != 200 || !strings.HasPrefix(events, "data: {") || !strings.Contains(events, `"STATE_SUCCEEDED"`) || strings.Count(events, `"upstreamId"`) != 4 {
		t.Errorf("events are %d %s", status, events)
	}
	if _, text := send(t, "GET", url+"companies/-/state:export", ""); !strings.Contains(text, "new00001@demo.example") {
		t.Errorf("export is %s", text)
	}
}

// TestOperationsHandlersFollowTheirRules guards what a door relies on that takes handlers out again: one for each HTTP
// rule of the descriptor, in its order.
func TestOperationsHandlersFollowTheirRules(t *testing.T) {
	handlers := 0
	mux := runtime.NewServeMux(runtime.WithMiddlewares(func(next runtime.HandlerFunc) runtime.HandlerFunc {
		handlers++
		return next
	}))
	if err := syncserver.RegisterOperationsHandlerClient(context.Background(), mux, longrunningpb.NewOperationsClient(nil)); err != nil {
		t.Fatal(err)
	}
	methods := longrunningpb.File_google_longrunning_operations_proto.Services().ByName("Operations").Methods()
	var want []string
	for i := range methods.Len() {
		rule, ok := proto.GetExtension(methods.Get(i).Options(), annotations.E_Http).(*annotations.HttpRule)
		if ok && rule != nil {
			want = append(want, string(methods.Get(i).Name()))
		}
	}
	if !slices.Equal(want, []string{"ListOperations", "GetOperation", "DeleteOperation", "CancelOperation"}) || handlers != len(want) {
		t.Errorf("%d handlers for the rules of %q", handlers, want)
	}
}

// rawBody finds the conversion of a method.
func rawBody(t *testing.T, method string) syncserver.RawBody {
	t.Helper()
	for _, raw := range syncserver.RawBodies() {
		if raw.Method == method {
			return raw
		}
	}
	t.Fatalf("no raw body for %s", method)
	panic("unreachable")
}

func TestAManifestAsTheBody(t *testing.T) {
	const path = "/v1/companies/-/plans"
	post := func(query, media string) *http.Request {
		r := httptest.NewRequest("POST", path+query, nil)
		r.Header.Set("Content-Type", media)
		return r
	}
	create := rawBody(t, syncv1.PlanService_CreatePlan_FullMethodName)
	if !slices.Contains(create.Media, "text/csv") || !slices.Contains(create.Media, "application/yaml") {
		t.Errorf("media types are %q", create.Media)
	}
	variables := map[string]string{"parent": "companies/-"}
	got, err := create.Message(post("?file=users.csv&delimiter=%3B&reset_passwords=true&requestId=r-1&validateOnly=true", "text/csv; charset=utf-8"), variables, []byte(header))
	if err != nil {
		t.Fatal(err)
	}
	want := &syncv1.CreatePlanRequest{
		Parent: "companies/-", Delimiter: ";", ResetPasswords: true, RequestId: "r-1", ValidateOnly: true, MaxFaults: 1000,
		Manifest: []*syncv1.ManifestFile{{Name: "users.csv", MediaType: "text/csv; charset=utf-8", Content: []byte(header)}},
	}
	if !proto.Equal(got, want) {
		t.Errorf("request is %v, want %v", got, want)
	}
	for query, field := range map[string]string{
		"?nonsense=1":                    "nonsense",
		"?parent=companies/x":            "parent",
		"?manifest=x":                    "manifest",
		"?manifest.name=x":               "manifest.name",
		"?mode=a&mode=b":                 "mode",
		"?strict=perhaps":                "query",
		"?%zz":                           "query",
		"?file=a&file=b":                 "file",
		"?max_faults=99999999999999":     "query",
		"?secrets[env:PW]=x":             "secrets",
		"?variables[a]=1&variables[a]=2": "variables[a]",
	} {
		_, err := create.Message(post(query, "text/csv"), variables, []byte(header))
		if wantCode(t, err, codes.InvalidArgument); detail[*errdetails.BadRequest](err).GetFieldViolations()[0].GetField() != field {
			t.Errorf("%s: %v", query, err)
		}
	}
	got, err = create.Message(post("?variables[site]=Brest%20Nord&variables%5Bdomain%5D=demo.example", "application/yaml"), variables, []byte("version: 1"))
	if err != nil {
		t.Fatal(err)
	}
	if v := got.(*syncv1.CreatePlanRequest).GetVariables(); v["site"] != "Brest Nord" || v["domain"] != "demo.example" {
		t.Errorf("variables are %v", v)
	}
	apply := rawBody(t, syncv1.RunService_ApplyPlan_FullMethodName)
	if _, err := apply.Message(post("?secrets[env:PW]=x", "application/yaml"), variables, nil); !strings.Contains(fmt.Sprint(err), "send the request as JSON") {
		t.Errorf("secrets in an address: %v", err)
	}
	got, err = apply.Message(httptest.NewRequest("POST", "/v1/companies/-/plans/p:apply?parallel=3", nil), map[string]string{"name": "companies/-/plans/p"}, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if a := got.(*syncv1.ApplyPlanRequest); a.GetName() != "companies/-/plans/p" || a.GetParallel() != 3 || len(a.GetManifest()) != 1 {
		t.Errorf("request is %v", a)
	}
}
