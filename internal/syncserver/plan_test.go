package syncserver_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

func TestAPlanTellsWhatItDoes(t *testing.T) {
	g := newGateway(t, 3)
	manifest := header + "upsert;user0000@demo.example;Ann;No 0;81000;+33298300511;\n" +
		"upsert;user0001@demo.example;Ann;No 1;81001;;\nupsert;new@demo.example;New;User;82000;;Passw0rd!-1\n"
	made := g.plan(manifest)
	plan, err := g.plans.GetPlan(g.ctx(), &syncv1.GetPlanRequest{Name: made.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	if plan.GetOperationCount() != 3 || plan.GetUnchangedCount() != 1 || plan.GetEtag() == "" || plan.GetEtag() != plan.GetHash() {
		t.Errorf("plan is %v", plan)
	}
	if plan.GetCreator() != "local" || plan.GetMode() != "rainbowvoice" || !slices.Equal(plan.GetSources(), []string{"users.csv"}) || len(plan.GetManifestDigest()) != 64 {
		t.Errorf("plan is %v", plan)
	}
	if made.GetStateTime() == nil || made.GetCreateTime() == nil || !plan.GetStateTime().AsTime().Equal(made.GetStateTime().AsTime()) {
		t.Errorf("times are missing: %v", made)
	}
	var tallies []string
	for _, tally := range plan.GetTallies() {
		tallies = append(tallies, fmt.Sprintf("%s %s %d", tally.GetKind(), tally.GetAction(), tally.GetCount()))
	}
	want := []string{"KIND_USER ACTION_CREATE 1", "KIND_EXTENSION ACTION_CREATE 1", "KIND_DDI ACTION_ATTACH 1"}
	if !slices.Equal(tallies, want) {
		t.Errorf("tallies are %q, want %q", tallies, want)
	}
	ops, err := g.plans.ListPlanOperations(g.ctx(), &syncv1.ListPlanOperationsRequest{Parent: plan.GetName(), Kind: syncv1.Kind_KIND_USER})
	if err != nil {
		t.Fatal(err)
	}
	if len(ops.GetOperations()) != 1 || ops.GetOperations()[0].GetSecret().GetField() != "password" ||
		ops.GetOperations()[0].GetPositions()[0].GetLine() != 4 {
		t.Errorf("operations on users are %v", ops)
	}
	unchanged, err := g.plans.ListUnchangedEntries(g.ctx(), &syncv1.ListUnchangedEntriesRequest{Parent: plan.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	if e := unchanged.GetEntries(); len(e) != 1 || e[0].GetLogin() != "user0001@demo.example" || e[0].GetPosition().GetLine() != 3 {
		t.Errorf("unchanged entries are %v", e)
	}
}

func TestTheDashIsTheCompanyOfTheAccount(t *testing.T) {
	g := newGateway(t, 1)
	plan, err := g.plans.CreatePlan(g.ctx(), &syncv1.CreatePlanRequest{Parent: "companies/-", Manifest: csv(newUsers(0, 1))})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(plan.GetName(), parent+"/plans/") {
		t.Errorf("name is %s", plan.GetName())
	}
	id := plan.GetName()[strings.LastIndex(plan.GetName(), "/"):]
	if _, err := g.plans.GetPlan(g.ctx(), &syncv1.GetPlanRequest{Name: "companies/-/plans" + id}); err != nil {
		t.Error(err)
	}
}

func TestValidateOnlyStoresNothing(t *testing.T) {
	g := newGateway(t, 1)
	plan, err := g.plans.CreatePlan(g.ctx(), &syncv1.CreatePlanRequest{Parent: parent, Manifest: csv(newUsers(0, 2)), ValidateOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if plan.GetName() != "" || plan.GetHash() == "" || len(plan.GetOperations()) != 4 {
		t.Errorf("plan is %v", plan)
	}
	list, err := g.plans.ListPlans(g.ctx(), &syncv1.ListPlansRequest{Parent: parent})
	if err != nil || len(list.GetPlans()) != 0 {
		t.Errorf("plans are %v, %v", list, err)
	}
	if stored := g.plan(newUsers(0, 2)); stored.GetHash() != plan.GetHash() {
		t.Errorf("stored plan has hash %s, the preview %s", stored.GetHash(), plan.GetHash())
	}
}

func TestAllFaultsAreToldAtOnce(t *testing.T) {
	g := newGateway(t, 1)
	manifest := header + "upsert;not-a-login;A;B;;;\nupsert;b@demo.example;A;B;12x;;\nfrobnicate;c@demo.example;A;B;;;\n"
	_, err := g.plans.CreatePlan(g.ctx(), &syncv1.CreatePlanRequest{Parent: parent, Manifest: csv(manifest)})
	if reason := wantCode(t, err, codes.InvalidArgument); reason != "INVALID_MANIFEST" {
		t.Errorf("reason is %s", reason)
	}
	faults := detail[*syncv1.ManifestFaults](err)
	if len(faults.GetFaults()) != 3 || faults.GetMore() != 0 {
		t.Fatalf("faults are %v", faults)
	}
	for i, f := range faults.GetFaults() {
		if f.GetPosition().GetFile() != "users.csv" || int(f.GetPosition().GetLine()) != i+2 || f.GetCode() == "" || f.GetMessage() == "" {
			t.Errorf("fault %d is %v", i, f)
		}
	}
	if b := detail[*errdetails.BadRequest](err); len(b.GetFieldViolations()) != 3 || b.GetFieldViolations()[0].GetField() != "manifest" {
		t.Errorf("bad request is %v", b)
	}
	resp, err := g.plans.ValidateManifest(g.ctx(), &syncv1.ValidateManifestRequest{Manifest: csv(manifest)})
	if err != nil || resp.GetValid() || len(resp.GetFaults()) != 3 {
		t.Errorf("validation is %v, %v", resp, err)
	}
}

// TestValidationInOtherEncodingsAndForms: a file says how it is encoded, and its faults come as SARIF when asked for.
func TestValidationInOtherEncodingsAndForms(t *testing.T) {
	g := newGateway(t, 1)
	file := &syncv1.ManifestFile{Name: "users.csv", Content: []byte("__action__;loginEmail;firstName\nupdate;zoe@demo.example;Zo\xe9\n")}
	resp, err := g.plans.ValidateManifest(g.ctx(), &syncv1.ValidateManifestRequest{Manifest: []*syncv1.ManifestFile{file}, Sarif: true})
	if err != nil || resp.GetValid() || len(resp.GetFaults()) != 1 || resp.GetFaults()[0].GetCode() != "not-utf8" {
		t.Fatalf("validation is %v, %v", resp, err)
	}
	for _, want := range []string{`"version": "2.1.0"`, `"ruleId": "not-utf8"`, `"uri": "users.csv"`, `"startColumn": 27`} {
		if !strings.Contains(resp.GetSarif(), want) {
			t.Errorf("SARIF lacks %s:\n%s", want, resp.GetSarif())
		}
	}
	file.Encoding = "windows-1252"
	resp, err = g.plans.ValidateManifest(g.ctx(), &syncv1.ValidateManifestRequest{Manifest: []*syncv1.ManifestFile{file}})
	if err != nil || !resp.GetValid() || resp.GetMode() != "user" || resp.GetSarif() != "" {
		t.Errorf("validation is %v, %v", resp, err)
	}
	file.Encoding = "ebcdic"
	_, err = g.plans.ValidateManifest(g.ctx(), &syncv1.ValidateManifestRequest{Manifest: []*syncv1.ManifestFile{file}})
	wantCode(t, err, codes.InvalidArgument)
	if b := detail[*errdetails.BadRequest](err); len(b.GetFieldViolations()) != 1 || b.GetFieldViolations()[0].GetField() != "manifest[0].encoding" {
		t.Errorf("bad request is %v", b)
	}
}

func TestFaultsFitWhereEveryClientReadsThem(t *testing.T) {
	g := newGateway(t, 1)
	manifest := header + strings.Repeat("upsert;not-a-login;A;B;;;\n", 1500)
	_, err := g.plans.CreatePlan(g.ctx(), &syncv1.CreatePlanRequest{Parent: parent, Manifest: csv(manifest)})
	wantCode(t, err, codes.InvalidArgument)
	faults := detail[*syncv1.ManifestFaults](err)
	if n := len(faults.GetFaults()); n < 5 || n+int(faults.GetMore()) != 1500 {
		t.Errorf("%d faults and %d more, want 1500", n, faults.GetMore())
	}
	size := 0
	for _, d := range []proto.Message{faults, detail[*errdetails.BadRequest](err), detail[*errdetails.ErrorInfo](err)} {
		size += proto.Size(d)
	}
	if encoded := base64.StdEncoding.EncodedLen(size + 300); encoded > 8<<10 {
		t.Errorf("details take %d bytes of headers", encoded)
	}
	_, err = g.plans.CreatePlan(g.ctx(), &syncv1.CreatePlanRequest{Parent: parent, Manifest: csv(manifest), MaxFaults: 1000})
	if faults := detail[*syncv1.ManifestFaults](err); len(faults.GetFaults()) != 1000 || faults.GetMore() != 500 {
		t.Errorf("with max_faults %d faults and %d more", len(faults.GetFaults()), faults.GetMore())
	}
}

func TestFaultsInViewOfTheState(t *testing.T) {
	g := newGateway(t, 2)
	manifest := header + "upsert;new@demo.example;A;B;81001;;Passw0rd!-1\n" // user0001's
	ok, err := g.plans.ValidateManifest(g.ctx(), &syncv1.ValidateManifestRequest{Parent: parent, Manifest: csv(manifest)})
	if err != nil || !ok.GetValid() || ok.GetUserCount() != 1 || ok.GetMode() != "rainbowvoice" || len(ok.GetDigest()) != 64 {
		t.Errorf("validation alone is %v, %v", ok, err)
	}
	against, err := g.plans.ValidateManifest(g.ctx(), &syncv1.ValidateManifestRequest{Parent: parent, Manifest: csv(manifest), AgainstState: true})
	if err != nil || against.GetValid() || len(against.GetFaults()) != 1 || against.GetFaults()[0].GetCode() != "number-taken" {
		t.Errorf("validation against the state is %v, %v", against, err)
	}
	_, err = g.plans.CreatePlan(g.ctx(), &syncv1.CreatePlanRequest{Parent: parent, Manifest: csv(manifest)})
	wantCode(t, err, codes.InvalidArgument)
}

func TestARequestIsWrongInAllItsFieldsAtOnce(t *testing.T) {
	g := newGateway(t, 1)
	_, err := g.plans.CreatePlan(g.ctx(), &syncv1.CreatePlanRequest{
		Parent: "companies/a/b", Mode: "nonsense", Delimiter: "xy", Comment: ";;", RequestId: "no spaces", MaxFaults: -1,
	})
	wantCode(t, err, codes.InvalidArgument)
	var fields []string
	for _, v := range detail[*errdetails.BadRequest](err).GetFieldViolations() {
		fields = append(fields, v.GetField())
	}
	want := []string{"parent", "manifest", "delimiter", "comment", "mode", "max_faults", "request_id"}
	if !slices.Equal(fields, want) {
		t.Errorf("violations are %q, want %q", fields, want)
	}
}

func TestNamesAreChecked(t *testing.T) {
	g := newGateway(t, 1)
	for _, name := range []string{"", "plans/x", "companies//plans/x", "companies/a/plans/", "companies/a/plans/..", "companies/a/plans/a b", "companies/a/plans/x/y", parent + "/runs/x"} {
		_, err := g.plans.GetPlan(g.ctx(), &syncv1.GetPlanRequest{Name: name})
		if wantCode(t, err, codes.InvalidArgument); detail[*errdetails.BadRequest](err).GetFieldViolations()[0].GetField() != "name" {
			t.Errorf("%q: %v", name, err)
		}
	}
	_, err := g.plans.GetPlan(g.ctx(), &syncv1.GetPlanRequest{Name: parent + "/plans/plan-none"})
	wantCode(t, err, codes.NotFound)
}

func TestWithoutRecordedStateThePlanAsksForARefresh(t *testing.T) {
	g := newGateway(t, 1)
	const other = "companies/5b7d0c0ffee0000000000009"
	_, err := g.plans.CreatePlan(g.ctx(), &syncv1.CreatePlanRequest{Parent: other, Manifest: csv(newUsers(0, 1))})
	if reason := wantCode(t, err, codes.FailedPrecondition); reason != "STATE_NOT_RECORDED" || !strings.Contains(err.Error(), "refresh") {
		t.Errorf("%s: %v", reason, err)
	}
	_, err = g.states.GetState(g.ctx(), &syncv1.GetStateRequest{Name: other + "/state"})
	wantCode(t, err, codes.FailedPrecondition)
}

func TestPlanWithRefreshSeesWhatChangedUpstream(t *testing.T) {
	g := newGateway(t, 1)
	manifest := newUsers(0, 1)
	run := g.apply(g.plan(manifest), manifest)
	if g.rest(run).GetState() != syncv1.Run_STATE_SUCCEEDED {
		t.Fatal("run did not succeed")
	}
	g.upstream.mu.Lock()
	fresh := newUpstream(1).world // somebody undid it
	g.upstream.world = fresh
	g.upstream.mu.Unlock()
	if plan := g.plan(manifest); plan.GetOperationCount() != 0 {
		t.Errorf("without refresh there are %d operations", plan.GetOperationCount())
	}
	plan, err := g.plans.CreatePlan(g.ctx(), &syncv1.CreatePlanRequest{Parent: parent, Manifest: csv(manifest), Refresh: true})
	if err != nil || plan.GetOperationCount() != 2 {
		t.Errorf("with refresh: %v, %v", plan, err)
	}
}

func TestARequestIdIsCarriedOutOnce(t *testing.T) {
	g := newGateway(t, 1)
	req := &syncv1.CreatePlanRequest{Parent: parent, Manifest: csv(newUsers(0, 2)), RequestId: "8c1f0d7a-0001"}
	names := make(chan string, 4)
	for range cap(names) {
		go func() {
			plan, err := g.plans.CreatePlan(context.Background(), req)
			if err != nil {
				t.Error(err)
			}
			names <- plan.GetName()
		}()
	}
	first := receive(t, names)
	for range cap(names) - 1 {
		if name := receive(t, names); name != first || name == "" {
			t.Errorf("a repeated request made plan %s, the first one %s", name, first)
		}
	}
	other := proto.CloneOf(req)
	other.Manifest = csv(newUsers(0, 3))
	_, err := g.plans.CreatePlan(g.ctx(), other)
	wantCode(t, err, codes.AlreadyExists)

	bad := &syncv1.CreatePlanRequest{Parent: parent, Manifest: csv("nonsense"), RequestId: "8c1f0d7a-0002"}
	_, err = g.plans.CreatePlan(g.ctx(), bad)
	wantCode(t, err, codes.InvalidArgument)
	bad.Manifest = csv(newUsers(0, 3)) // a request that failed may be mended and sent again
	if _, err := g.plans.CreatePlan(g.ctx(), bad); err != nil {
		t.Error(err)
	}
}

func TestPagesCoverTheListAndTokensCannotBeChanged(t *testing.T) {
	g := newGateway(t, 1)
	plan := g.plan(newUsers(0, 25)) // 50 operations
	req := &syncv1.ListPlanOperationsRequest{Parent: plan.GetName(), PageSize: 7}
	var ids []int32
	pages := 0
	for {
		resp, err := g.plans.ListPlanOperations(g.ctx(), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range resp.GetOperations() {
			ids = append(ids, op.GetId())
		}
		pages++
		if resp.GetNextPageToken() == "" {
			break
		}
		req.PageToken = resp.GetNextPageToken()
	}
	if len(ids) != 50 || pages != 8 || !slices.IsSorted(ids) || ids[0] != 1 || ids[49] != 50 {
		t.Errorf("%d pages with ids %v", pages, ids)
	}
	tampered := []byte(req.PageToken)
	tampered[len(tampered)-1] ^= 1
	for name, bad := range map[string]*syncv1.ListPlanOperationsRequest{
		"a changed token":     {Parent: plan.GetName(), PageToken: string(tampered)},
		"no token at all":     {Parent: plan.GetName(), PageToken: "zzz!"},
		"another filter":      {Parent: plan.GetName(), PageToken: req.PageToken, Kind: syncv1.Kind_KIND_USER},
		"a negative size":     {Parent: plan.GetName(), PageSize: -1},
		"an unknown kind":     {Parent: plan.GetName(), Kind: 77},
		"a token of no place": {Parent: plan.GetName(), PageToken: base64.RawURLEncoding.EncodeToString(make([]byte, 12))},
	} {
		_, err := g.plans.ListPlanOperations(g.ctx(), bad)
		if code := codeOf(err); code != codes.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
	other, err := g.plans.ListPlanOperations(g.ctx(), &syncv1.ListPlanOperationsRequest{Parent: plan.GetName(), PageToken: req.PageToken, PageSize: 3})
	if err != nil || len(other.GetOperations()) != 1 {
		t.Errorf("a token with another page size: %v, %v", other, err)
	}
}

func TestPlansAreListedNewestFirst(t *testing.T) {
	g := newGateway(t, 1)
	var want []string
	for i := range 5 {
		want = append([]string{g.plan(newUsers(i, 1)).GetName()}, want...)
	}
	var got []string
	req := &syncv1.ListPlansRequest{Parent: parent, PageSize: 2}
	for {
		resp, err := g.plans.ListPlans(g.ctx(), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range resp.GetPlans() {
			got = append(got, p.GetName())
			if p.GetOperationCount() != 2 || p.GetSummary() == "" {
				t.Errorf("listed plan is %v", p)
			}
		}
		if len(got) == 2 { // one more does not shift the pages that follow
			g.plan(newUsers(9, 1))
		}
		if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("plans are %q, want %q", got, want)
	}
}

func TestDeletePlan(t *testing.T) {
	g := newGateway(t, 1)
	plan := g.plan(newUsers(0, 1))
	_, err := g.plans.DeletePlan(g.ctx(), &syncv1.DeletePlanRequest{Name: plan.GetName(), Etag: "other"})
	if reason := wantCode(t, err, codes.Aborted); reason != "ETAG_DIFFERS" {
		t.Errorf("reason is %s", reason)
	}
	if _, err := g.plans.DeletePlan(g.ctx(), &syncv1.DeletePlanRequest{Name: plan.GetName(), Etag: plan.GetEtag()}); err != nil {
		t.Fatal(err)
	}
	_, err = g.plans.GetPlan(g.ctx(), &syncv1.GetPlanRequest{Name: plan.GetName()})
	wantCode(t, err, codes.NotFound)
	_, err = g.plans.DeletePlan(g.ctx(), &syncv1.DeletePlanRequest{Name: plan.GetName()})
	wantCode(t, err, codes.NotFound)
}

func TestRenderings(t *testing.T) {
	g := newGateway(t, 1)
	plan := g.plan(newUsers(0, 300))
	for format, want := range map[syncv1.RenderPlanRequest_Format]struct{ media, text string }{
		syncv1.RenderPlanRequest_FORMAT_UNSPECIFIED: {"text/plain", "Plan: 600 to create"},
		syncv1.RenderPlanRequest_FORMAT_JSON:        {"application/json", `"operations"`},
		syncv1.RenderPlanRequest_FORMAT_MARKDOWN:    {"text/markdown", "| # | action |"},
		syncv1.RenderPlanRequest_FORMAT_HTML:        {"text/html", "<!doctype html>"},
		syncv1.RenderPlanRequest_FORMAT_DOT:         {"text/vnd.graphviz", "digraph plan {"},
		syncv1.RenderPlanRequest_FORMAT_CSV:         {"text/csv", "operation,action,kind"},
	} {
		req := &syncv1.RenderPlanRequest{Name: plan.GetName(), Format: format}
		body, err := g.plans.RenderPlan(g.ctx(), req)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(body.GetContentType(), want.media) || !strings.Contains(string(body.GetData()), want.text) {
			t.Errorf("%s: %s, %.80s", format, body.GetContentType(), body.GetData())
		}
		if strings.Contains(string(body.GetData()), "Passw0rd") {
			t.Errorf("%s shows a password", format)
		}
		stream, err := g.plans.DownloadPlan(g.ctx(), req)
		if err != nil {
			t.Fatal(err)
		}
		if got := download(t, stream); got != string(body.GetData()) {
			t.Errorf("%s: the download differs from the rendering", format)
		}
	}
	_, err := g.plans.RenderPlan(g.ctx(), &syncv1.RenderPlanRequest{Name: plan.GetName(), Format: 9})
	wantCode(t, err, codes.InvalidArgument)
	plain, err := g.plans.RenderPlan(g.ctx(), &syncv1.RenderPlanRequest{Name: plan.GetName(), Color: true})
	if err != nil || !strings.Contains(string(plain.GetData()), "\x1b[") {
		t.Errorf("the coloured rendering has no colours: %v", err)
	}
}
