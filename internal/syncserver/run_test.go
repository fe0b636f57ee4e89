package syncserver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// watched is what a watcher saw.
type watched struct {
	last     *syncv1.Run
	events   int
	outcomes map[int32]*syncv1.RunOutcome
	err      error
}

// watch follows a run to its end.
func (g *gateway) watch(run *syncv1.Run, replay bool) <-chan watched {
	g.t.Helper()
	stream, err := g.runs.WatchRun(g.ctx(), &syncv1.WatchRunRequest{Name: run.GetName(), Replay: replay})
	if err != nil {
		g.t.Fatal(err)
	}
	seen := make(chan watched, 1)
	go func() {
		w := watched{outcomes: map[int32]*syncv1.RunOutcome{}}
		for {
			event, err := stream.Recv()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					w.err = err
				}
				seen <- w
				return
			}
			w.last = event.GetRun()
			w.events++
			for _, o := range event.GetOutcomes() {
				w.outcomes[o.GetOperation().GetId()] = o
			}
		}
	}()
	return seen
}

func TestAPlanIsAppliedAndThenThereIsNothingToDo(t *testing.T) {
	g := newGateway(t, 2)
	manifest := newUsers(0, 20)
	plan := g.plan(manifest)
	release := g.upstream.hold()
	run := g.apply(plan, manifest)
	if run.GetState() != syncv1.Run_STATE_RUNNING || run.GetPlan() != plan.GetName() || run.GetCounts().GetTotal() != 40 ||
		run.GetOperation() != "operations/"+run.GetName() || run.GetActor() != "local" {
		t.Errorf("run is %v", run)
	}
	g.upstream.waitBegun(t)
	seen := g.watch(run, true)
	release()
	w := receive(t, seen)
	if w.err != nil || w.last.GetState() != syncv1.Run_STATE_SUCCEEDED || len(w.outcomes) != 40 || w.last.GetEndTime() == nil {
		t.Fatalf("watched %d outcomes in %d events, the last %v, %v", len(w.outcomes), w.events, w.last, w.err)
	}
	for id, o := range w.outcomes {
		if o.GetStatus() != syncv1.RunOutcome_STATUS_DONE || o.GetOperation().GetTitle() == "" {
			t.Errorf("outcome %d is %v", id, o)
		}
	}
	got, err := g.runs.GetRun(g.ctx(), &syncv1.GetRunRequest{Name: run.GetName()})
	if err != nil || !proto.Equal(got, w.last) {
		t.Errorf("run is %v, the last event's %v; %v", got, w.last, err)
	}
	op := g.wait(run.GetOperation())
	result := &syncv1.Run{}
	if g.unpack(op, result); !proto.Equal(result, got) {
		t.Errorf("the operation's response is %v", result)
	}
	if n := len(g.upstream.secrets); n != 20 {
		t.Errorf("%d passwords went upstream, want 20", n)
	}
	if again := g.plan(manifest); again.GetOperationCount() != 0 || again.GetUnchangedCount() != 20 {
		t.Errorf("second plan is %v", again)
	}
	again := receive(t, g.watch(run, true)) // of a run at rest
	if len(again.outcomes) != 40 || again.last.GetState() != syncv1.Run_STATE_SUCCEEDED {
		t.Errorf("watching a run at rest gives %d outcomes and %v", len(again.outcomes), again.last)
	}
	list, err := g.runs.ListRuns(g.ctx(), &syncv1.ListRunsRequest{Parent: parent})
	if err != nil || len(list.GetRuns()) != 1 || !proto.Equal(list.GetRuns()[0], got) {
		t.Errorf("runs are %v, %v", list, err)
	}
}

func TestSecretsAreNotStored(t *testing.T) {
	g := newGateway(t, 1)
	manifest := newUsers(0, 3)
	g.rest(g.apply(g.plan(manifest), manifest))
	b, err := os.ReadFile(g.path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "Passw0rd") || strings.Contains(g.log.String(), "Passw0rd") {
		t.Error("a password is in the state file or in the log")
	}
}

func TestFailuresAreToldWithWhatWasSkipped(t *testing.T) {
	g := newGateway(t, 1)
	manifest := newUsers(0, 3)
	plan := g.plan(manifest)
	g.upstream.refuse[bulksync.Login("new00001@demo.example").Key()] = true
	run := g.rest(g.apply(plan, manifest))
	c := run.GetCounts()
	if run.GetState() != syncv1.Run_STATE_FAILED || !run.GetResumable() || c.GetDone() != 4 || c.GetFailed() != 1 || c.GetSkipped() != 1 {
		t.Errorf("run is %v", run)
	}
	op := g.wait(run.GetOperation())
	if codes.Code(op.GetError().GetCode()) != codes.Aborted || !strings.Contains(op.GetError().GetMessage(), "4 of 6 operations done, 1 failed, 1 skipped") {
		t.Errorf("operation's error is %v", op.GetError())
	}
	resp, err := g.runs.ListRunOutcomes(g.ctx(), &syncv1.ListRunOutcomesRequest{
		Parent: run.GetName(), Statuses: []syncv1.RunOutcome_Status{syncv1.RunOutcome_STATUS_FAILED, syncv1.RunOutcome_STATUS_SKIPPED},
	})
	if err != nil || len(resp.GetOutcomes()) != 2 {
		t.Fatalf("outcomes are %v, %v", resp, err)
	}
	failed := resp.GetOutcomes()[0]
	if failed.GetCode() != 2003 || failed.GetMessage() == "" || failed.GetOperation().GetLogin() != "new00001@demo.example" ||
		failed.GetOperation().GetPositions()[0].GetLine() != 3 {
		t.Errorf("failed outcome is %v", failed)
	}
	ids := 0
	req := &syncv1.ListRunOutcomesRequest{Parent: run.GetName(), PageSize: 4}
	for {
		page, err := g.runs.ListRunOutcomes(g.ctx(), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.GetOutcomes() {
			if ids++; int(o.GetOperation().GetId()) != ids {
				t.Errorf("outcome %d is of operation %d", ids, o.GetOperation().GetId())
			}
		}
		if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
			break
		}
	}
	if ids != 6 {
		t.Errorf("%d outcomes in pages", ids)
	}

	delete(g.upstream.refuse, bulksync.Login("new00001@demo.example").Key())
	resumed, err := g.runs.ResumeRun(g.ctx(), &syncv1.ResumeRunRequest{Name: run.GetName(), Manifest: csv(manifest), Parallel: 1})
	if err != nil {
		t.Fatal(err)
	}
	if end := g.rest(runOf(t, resumed)); end.GetState() != syncv1.Run_STATE_SUCCEEDED || end.GetCounts().GetDone() != 6 || end.GetParallel() != 1 {
		t.Errorf("resumed run is %v", end)
	}
	for title, n := range g.upstream.applied {
		if n != 1 {
			t.Errorf("%s: done %d times", title, n)
		}
	}
	_, err = g.runs.ResumeRun(g.ctx(), &syncv1.ResumeRunRequest{Name: run.GetName()})
	if reason := wantCode(t, err, codes.FailedPrecondition); reason != "NOTHING_LEFT" {
		t.Errorf("reason is %s", reason)
	}
}

func TestWithoutTheManifestWhatNeedsItIsSkipped(t *testing.T) {
	g := newGateway(t, 1)
	manifest := newUsers(0, 1) + "upsert;user0000@demo.example;Ann;Other;81000;;\n"
	plan := g.plan(manifest)
	op, err := g.runs.ApplyPlan(g.ctx(), &syncv1.ApplyPlanRequest{Name: plan.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	run := g.rest(runOf(t, op))
	if run.GetCounts().GetSkipped() != 2 || run.GetCounts().GetDone() != 1 || run.GetState() != syncv1.Run_STATE_FAILED {
		t.Errorf("run is %v", run)
	}
	_, err = g.plans.DeletePlan(g.ctx(), &syncv1.DeletePlanRequest{Name: plan.GetName()})
	if reason := wantCode(t, err, codes.FailedPrecondition); reason != "RUN_RESUMABLE" {
		t.Errorf("reason is %s", reason)
	}
	// Other passwords are no other manifest; other values are.
	other := strings.ReplaceAll(manifest, "Passw0rd!-", "Secret#9x-")
	_, err = g.runs.ResumeRun(g.ctx(), &syncv1.ResumeRunRequest{Name: run.GetName(), Manifest: csv(strings.ReplaceAll(other, ";New;", ";Old;"))})
	if reason := wantCode(t, err, codes.FailedPrecondition); reason != "OTHER_MANIFEST" {
		t.Errorf("reason is %s", reason)
	}
	op, err = g.runs.ResumeRun(g.ctx(), &syncv1.ResumeRunRequest{Name: run.GetName(), Manifest: csv(other)})
	if err != nil {
		t.Fatal(err)
	}
	if end := g.rest(runOf(t, op)); end.GetState() != syncv1.Run_STATE_SUCCEEDED || g.upstream.secrets["new00000@demo.example"] != "Secret#9x-00000" {
		t.Errorf("resumed run is %v", end)
	}
	if _, err := g.plans.DeletePlan(g.ctx(), &syncv1.DeletePlanRequest{Name: plan.GetName()}); err != nil {
		t.Error(err)
	}
	outcomes, err := g.runs.ListRunOutcomes(g.ctx(), &syncv1.ListRunOutcomesRequest{Parent: run.GetName()})
	if err != nil || len(outcomes.GetOutcomes()) != 3 || outcomes.GetOutcomes()[2].GetOperation().GetId() != 3 {
		t.Errorf("outcomes of a run whose plan is gone: %v, %v", outcomes, err)
	}
}

func TestOneRunAtATimeChangesACompany(t *testing.T) {
	g := newGateway(t, 1)
	manifest := newUsers(0, 4)
	plan := g.plan(manifest)
	release := g.upstream.hold()
	defer release()
	run := g.apply(plan, manifest)
	g.upstream.waitBegun(t)
	refused := func(what string, err error, reason string) {
		t.Helper()
		if got := wantCode(t, err, codes.FailedPrecondition); got != reason {
			t.Errorf("%s: reason is %s, want %s", what, got, reason)
		}
		if v := detail[*errdetails.PreconditionFailure](err).GetViolations(); len(v) != 1 || v[0].GetSubject() != run.GetName() {
			t.Errorf("%s does not name the run: %v", what, err)
		}
	}
	_, err := g.runs.ApplyPlan(g.ctx(), &syncv1.ApplyPlanRequest{Name: plan.GetName()})
	refused("apply", err, "RUN_GOING_ON")
	_, err = g.states.RefreshState(g.ctx(), &syncv1.RefreshStateRequest{Name: parent + "/state"})
	refused("refresh", err, "RUN_GOING_ON")
	_, err = g.runs.ResumeRun(g.ctx(), &syncv1.ResumeRunRequest{Name: run.GetName()})
	refused("resume", err, "RUN_GOING_ON")
	_, err = g.plans.DeletePlan(g.ctx(), &syncv1.DeletePlanRequest{Name: plan.GetName(), Force: true})
	refused("delete", err, "RUN_GOING_ON")
	release()
	if end := g.rest(run); end.GetState() != syncv1.Run_STATE_SUCCEEDED {
		t.Errorf("run is %v", end)
	}
	g.refresh()
}

func TestApplyWantsTheEtagThatWasLookedAt(t *testing.T) {
	g := newGateway(t, 1)
	plan := g.plan(newUsers(0, 1))
	_, err := g.runs.ApplyPlan(g.ctx(), &syncv1.ApplyPlanRequest{Name: plan.GetName(), Etag: strings.Repeat("0", 32)})
	if reason := wantCode(t, err, codes.Aborted); reason != "ETAG_DIFFERS" {
		t.Errorf("reason is %s", reason)
	}
	_, err = g.runs.ApplyPlan(g.ctx(), &syncv1.ApplyPlanRequest{Name: plan.GetName(), Parallel: 65, RequestId: "?"})
	wantCode(t, err, codes.InvalidArgument)
	if v := detail[*errdetails.BadRequest](err).GetFieldViolations(); len(v) != 2 {
		t.Errorf("violations are %v", v)
	}
}

func TestAnApplyThatIsSentAgainStartsNoSecondRun(t *testing.T) {
	g := newGateway(t, 1)
	manifest := newUsers(0, 2)
	plan := g.plan(manifest)
	req := &syncv1.ApplyPlanRequest{Name: plan.GetName(), Manifest: csv(manifest), RequestId: "apply-1"}
	first, err := g.runs.ApplyPlan(g.ctx(), req)
	if err != nil {
		t.Fatal(err)
	}
	g.rest(runOf(t, first))
	second, err := g.runs.ApplyPlan(g.ctx(), req)
	if err != nil || second.GetName() != first.GetName() || !second.GetDone() {
		t.Errorf("second answer is %v, %v", second, err)
	}
}

func TestACancelledRunFinishesWhatIsInFlight(t *testing.T) {
	g := newGateway(t, 1)
	manifest := newUsers(0, 10)
	plan := g.plan(manifest)
	release := g.upstream.hold()
	run := g.apply(plan, manifest)
	g.upstream.waitBegun(t)
	g.upstream.waitBegun(t) // two calls in parallel
	cancelled, err := g.runs.CancelRun(g.ctx(), &syncv1.CancelRunRequest{Name: run.GetName()})
	if err != nil || !cancelled.GetStopping() || cancelled.GetState() != syncv1.Run_STATE_RUNNING {
		t.Errorf("cancelled run is %v, %v", cancelled, err)
	}
	seen := g.watch(run, false)
	time.Sleep(50 * time.Millisecond) // let the engine see the stop before the calls come back
	release()
	w := receive(t, seen)
	if w.last.GetState() != syncv1.Run_STATE_CANCELLED || w.last.GetCounts().GetDone() != 2 || w.last.GetCounts().GetNotDone() != 18 {
		t.Errorf("run is %v", w.last)
	}
	if op := g.wait(run.GetOperation()); codes.Code(op.GetError().GetCode()) != codes.Canceled {
		t.Errorf("operation is %v", op)
	}
	_, err = g.runs.CancelRun(g.ctx(), &syncv1.CancelRunRequest{Name: run.GetName()})
	if reason := wantCode(t, err, codes.FailedPrecondition); reason != "RUN_ENDED" {
		t.Errorf("reason is %s", reason)
	}
	_, err = g.runs.CancelRun(g.ctx(), &syncv1.CancelRunRequest{Name: parent + "/runs/run-none"})
	wantCode(t, err, codes.NotFound)
}

func TestASlowWatcherHoldsNobodyUp(t *testing.T) {
	g := newGateway(t, 1)
	manifest := newUsers(0, 400)
	plan := g.plan(manifest)
	ctx, cancel := context.WithCancel(g.ctx())
	defer cancel()
	release := g.upstream.hold()
	run := g.apply(plan, manifest)
	slow, err := g.runs.WatchRun(ctx, &syncv1.WatchRunRequest{Name: run.GetName(), Replay: true})
	if err != nil {
		t.Fatal(err)
	}
	release()
	end := g.rest(run) // without the watcher reading anything
	if end.GetState() != syncv1.Run_STATE_SUCCEEDED {
		t.Fatalf("run is %v", end)
	}
	outcomes, events := 0, 0
	var last *syncv1.Run
	for {
		event, err := slow.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		outcomes, last, events = outcomes+len(event.GetOutcomes()), event.GetRun(), events+1
	}
	if outcomes != 800 || !proto.Equal(last, end) {
		t.Errorf("the slow watcher saw %d outcomes in %d events, the last %v", outcomes, events, last)
	}
}

func TestManyRunsArePaged(t *testing.T) {
	g := newGateway(t, 1)
	var want []string
	for i := range 4 {
		manifest := newUsers(i, 1)
		run := g.rest(g.apply(g.plan(manifest), manifest))
		want = append([]string{run.GetName()}, want...)
	}
	var got []string
	req := &syncv1.ListRunsRequest{Parent: parent, PageSize: 3}
	for {
		resp, err := g.runs.ListRuns(g.ctx(), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range resp.GetRuns() {
			got = append(got, r.GetName())
		}
		if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
			break
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("runs are %q, want %q", got, want)
	}
}

func TestAnUploadedManifestIsApplied(t *testing.T) {
	g := newGateway(t, 1)
	manifest := newUsers(0, 2)
	plan := g.plan(manifest)
	stream, err := g.runs.UploadApply(g.ctx())
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []*syncv1.UploadApplyRequest{
		{Part: &syncv1.UploadApplyRequest_Request{Request: &syncv1.ApplyPlanRequest{Name: plan.GetName()}}},
		{Part: &syncv1.UploadApplyRequest_File{File: &syncv1.ManifestFile{Name: "any-name.csv"}}},
		{Part: &syncv1.UploadApplyRequest_Chunk{Chunk: []byte(manifest)}},
	} {
		if err := stream.Send(part); err != nil {
			t.Fatal(err)
		}
	}
	op, err := stream.CloseAndRecv()
	if err != nil {
		t.Fatal(err)
	}
	if run := g.rest(runOf(t, op)); run.GetState() != syncv1.Run_STATE_SUCCEEDED || len(g.upstream.secrets) != 2 {
		t.Errorf("run is %v", run)
	}
	resume, err := g.runs.UploadResume(g.ctx())
	if err != nil {
		t.Fatal(err)
	}
	_ = resume.Send(&syncv1.UploadResumeRequest{Part: &syncv1.UploadResumeRequest_Request{Request: &syncv1.ResumeRunRequest{Name: runOf(t, op).GetName()}}})
	_, err = resume.CloseAndRecv()
	if reason := wantCode(t, err, codes.FailedPrecondition); reason != "NOTHING_LEFT" {
		t.Errorf("reason is %s", reason)
	}
}
