package syncserver_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

func opName(name string) *longrunningpb.GetOperationRequest {
	return &longrunningpb.GetOperationRequest{Name: name}
}

func TestStateInNumbers(t *testing.T) {
	g := newGateway(t, 3)
	state, err := g.states.GetState(g.ctx(), &syncv1.GetStateRequest{Name: "companies/-/state"})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[syncv1.Kind]int32{}
	for _, c := range state.GetCounts() {
		counts[c.GetKind()] = c.GetCount()
	}
	if state.GetName() != parent+"/state" || counts[syncv1.Kind_KIND_USER] != 3 || counts[syncv1.Kind_KIND_DDI] != 5 || len(counts) != 5 {
		t.Errorf("state is %v", state)
	}
	if state.GetRecordTime() == nil || state.GetCloudPbx().GetRanges()[0].GetFirst() != "81000" || state.GetAccount() != "admin@demo.example" {
		t.Errorf("state is %v", state)
	}
}

func TestRecordsAreListedByKindAndPrefix(t *testing.T) {
	g := newGateway(t, 25)
	list := func(req *syncv1.ListStateRecordsRequest) (keys []string) {
		t.Helper()
		req.Parent = parent + "/state"
		for {
			resp, err := g.states.ListStateRecords(g.ctx(), req)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range resp.GetRecords() {
				keys = append(keys, r.GetKey())
			}
			if len(resp.GetRecords()) > int(req.GetPageSize()) {
				t.Errorf("a page has %d records", len(resp.GetRecords()))
			}
			if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
				return keys
			}
		}
	}
	all := list(&syncv1.ListStateRecordsRequest{PageSize: 4})
	if len(all) != 25+25+5+1 || len(slices.Compact(slices.Sorted(slices.Values(all)))) != len(all) {
		t.Errorf("%d records in pages: %q", len(all), all)
	}
	if got := list(&syncv1.ListStateRecordsRequest{PageSize: 3, Kind: syncv1.Kind_KIND_USER, KeyPrefix: "user001"}); len(got) != 10 || got[0] != "user/user0010@demo.example" {
		t.Errorf("users by prefix are %q", got)
	}
	if got := list(&syncv1.ListStateRecordsRequest{PageSize: 2, Kind: syncv1.Kind_KIND_DDI}); len(got) != 5 {
		t.Errorf("DDIs are %q", got)
	}
	if got := list(&syncv1.ListStateRecordsRequest{PageSize: 2, KeyPrefix: "+33298300514"}); !slices.Equal(got, []string{"ddi/+33298300514"}) {
		t.Errorf("records by prefix are %q", got)
	}
	resp, err := g.states.ListStateRecords(g.ctx(), &syncv1.ListStateRecordsRequest{Parent: parent + "/state", Kind: syncv1.Kind_KIND_EXTENSION, PageSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	if r := resp.GetRecords()[0]; r.GetHolder() != "user0000@demo.example" || r.GetUpstreamId() != "s-0" ||
		r.GetExtension().GetNumber() != "81000" || r.GetExtension().GetRole() != syncv1.ExtensionRecord_ROLE_SUBSCRIBER {
		t.Errorf("extension is %v", r)
	}
}

func TestAnExportAsksForNothing(t *testing.T) {
	g := newGateway(t, 5)
	req := &syncv1.ExportManifestRequest{Name: parent + "/state"}
	body, err := g.states.ExportManifest(g.ctx(), req)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(body.GetContentType(), "text/csv") || strings.Count(string(body.GetData()), "\n") != 6 {
		t.Errorf("export is %s: %s", body.GetContentType(), body.GetData())
	}
	if plan := g.plan(string(body.GetData())); plan.GetOperationCount() != 0 || plan.GetUnchangedCount() != 5 {
		t.Errorf("plan of the export is %v", plan)
	}
	stream, err := g.states.DownloadManifest(g.ctx(), req)
	if err != nil {
		t.Fatal(err)
	}
	if got := download(t, stream); got != string(body.GetData()) {
		t.Error("the download differs from the export")
	}
	_, err = g.states.ExportManifest(g.ctx(), &syncv1.ExportManifestRequest{Name: parent + "/state", Mode: "nonsense"})
	wantCode(t, err, codes.InvalidArgument)
}

func TestARefreshReportsItsProgressAndIsJoined(t *testing.T) {
	g := newGateway(t, 10)
	reading := make(chan struct{})
	g.upstream.mu.Lock()
	g.upstream.reading = reading
	g.upstream.mu.Unlock()
	req := &syncv1.RefreshStateRequest{Name: parent + "/state"}
	first, err := g.states.RefreshState(g.ctx(), req)
	if err != nil {
		t.Fatal(err)
	}
	second, err := g.states.RefreshState(g.ctx(), req)
	if err != nil || second.GetName() != first.GetName() {
		t.Errorf("a second refresh is %v, %v", second, err)
	}
	manifest := newUsers(0, 1)
	_, err = g.runs.ApplyPlan(g.ctx(), &syncv1.ApplyPlanRequest{Name: g.plan(manifest).GetName()})
	if reason := wantCode(t, err, codes.FailedPrecondition); reason != "REFRESH_GOING_ON" {
		t.Errorf("reason is %s", reason)
	}
	progress := &syncv1.RefreshProgress{}
	for progress.GetRecords() < 26 {
		op, err := g.operations.WaitOperation(g.ctx(), &longrunningpb.WaitOperationRequest{Name: first.GetName(), Timeout: durationpb.New(time.Millisecond)})
		if err != nil || op.GetDone() {
			t.Fatalf("operation is %v, %v", op, err)
		}
		if err := op.GetMetadata().UnmarshalTo(progress); err != nil {
			t.Fatal(err)
		}
	}
	if progress.GetEndTime() != nil || progress.GetState() != parent+"/state" {
		t.Errorf("progress is %v", progress)
	}
	close(reading)
	state := &syncv1.State{}
	if g.unpack(g.wait(first.GetName()), state); state.GetCounts()[0].GetCount() != 10 {
		t.Errorf("state is %v", state)
	}
	list, err := g.operations.ListOperations(g.ctx(), &longrunningpb.ListOperationsRequest{Name: "operations", Filter: "done=true"})
	if err != nil || len(list.GetOperations()) != 2 {
		t.Errorf("operations are %v, %v", list, err)
	}
}

func TestACancelledRefreshLeavesTheOldState(t *testing.T) {
	g := newGateway(t, 2)
	before, err := g.states.GetState(g.ctx(), &syncv1.GetStateRequest{Name: parent + "/state"})
	if err != nil {
		t.Fatal(err)
	}
	g.upstream.mu.Lock()
	g.upstream.reading = make(chan struct{})
	g.upstream.mu.Unlock()
	op, err := g.states.RefreshState(g.ctx(), &syncv1.RefreshStateRequest{Name: parent + "/state", RequestId: "r-1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.operations.CancelOperation(g.ctx(), &longrunningpb.CancelOperationRequest{Name: op.GetName()}); err != nil {
		t.Fatal(err)
	}
	if op := g.wait(op.GetName()); codes.Code(op.GetError().GetCode()) != codes.Canceled {
		t.Errorf("operation is %v", op)
	}
	after, err := g.states.GetState(g.ctx(), &syncv1.GetStateRequest{Name: parent + "/state"})
	if err != nil || after.GetRecordTime().AsTime() != before.GetRecordTime().AsTime() {
		t.Errorf("state is %v, %v", after, err)
	}
}

func TestUpstreamsStatusPassesThrough(t *testing.T) {
	g := newGateway(t, 1)
	for _, c := range []struct {
		err  error
		want codes.Code
		text string
	}{
		{status.Error(codes.ResourceExhausted, "429 too many requests"), codes.ResourceExhausted, "429"},
		{errors.New("a detail for the log only"), codes.Internal, "internal error"},
	} {
		g.upstream.mu.Lock()
		g.upstream.failing = c.err
		g.upstream.mu.Unlock()
		_, err := g.plans.CreatePlan(g.ctx(), &syncv1.CreatePlanRequest{Parent: parent, Manifest: csv(newUsers(0, 1)), Refresh: true})
		wantCode(t, err, c.want)
		if !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "log only") {
			t.Errorf("error is %v", err)
		}
		op, err := g.states.RefreshState(g.ctx(), &syncv1.RefreshStateRequest{Name: parent + "/state"})
		if err != nil {
			t.Fatal(err)
		}
		if op := g.wait(op.GetName()); codes.Code(op.GetError().GetCode()) != c.want {
			t.Errorf("operation is %v", op)
		}
	}
	if !strings.Contains(g.log.String(), "a detail for the log only") {
		t.Error("the log lacks the unknown error")
	}
}

func TestOperationsByName(t *testing.T) {
	g := newGateway(t, 1)
	for name, want := range map[string]codes.Code{
		"":                     codes.InvalidArgument,
		"operations":           codes.InvalidArgument,
		"runs/x":               codes.InvalidArgument,
		"operations/runs/x":    codes.InvalidArgument,
		parent + "/runs/run-x": codes.InvalidArgument,
		"operations/" + parent + "/runs/run-none":   codes.NotFound,
		"operations/" + parent + "/refreshes/none":  codes.NotFound,
		"operations/companies/-/refreshes/none":     codes.NotFound,
		"operations/" + parent + "/refreshes/a/b/c": codes.InvalidArgument,
	} {
		if _, err := g.operations.GetOperation(g.ctx(), opName(name)); codeOf(err) != want {
			t.Errorf("get %q: %v, want %s", name, err, want)
		}
		if _, err := g.operations.WaitOperation(g.ctx(), &longrunningpb.WaitOperationRequest{Name: name}); codeOf(err) != want {
			t.Errorf("wait %q: %v, want %s", name, err, want)
		}
		if _, err := g.operations.CancelOperation(g.ctx(), &longrunningpb.CancelOperationRequest{Name: name}); codeOf(err) != want {
			t.Errorf("cancel %q: %v, want %s", name, err, want)
		}
	}
	_, err := g.operations.DeleteOperation(g.ctx(), &longrunningpb.DeleteOperationRequest{Name: "operations/" + parent + "/runs/x"})
	wantCode(t, err, codes.Unimplemented)
	_, err = g.operations.ListOperations(g.ctx(), &longrunningpb.ListOperationsRequest{Name: "nonsense", Filter: "x"})
	wantCode(t, err, codes.InvalidArgument)
}
