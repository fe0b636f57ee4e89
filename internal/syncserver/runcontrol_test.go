package syncserver_test

import (
	"path"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// shows waits until a run is shown as fits.
func (g *gateway) shows(run *syncv1.Run, what string, fits func(*syncv1.Run) bool) *syncv1.Run {
	g.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		now, err := g.runs.GetRun(g.ctx(), &syncv1.GetRunRequest{Name: run.GetName()})
		if err != nil {
			g.t.Fatal(err)
		}
		if fits(now) {
			return now
		}
	}
	g.t.Fatalf("run %s was never %s", run.GetName(), what)
	return nil
}

// TestAPausedRunKeepsItsPlaceAndItsSecrets: paused, it starts nothing and lets no other run in; resumed without its
// manifest, it goes on and creates the users with their passwords.
func TestAPausedRunKeepsItsPlaceAndItsSecrets(t *testing.T) {
	g := newGateway(t, 2)
	manifest := newUsers(0, 20)
	plan := g.plan(manifest)
	release := g.upstream.hold()
	run := g.apply(plan, manifest)
	g.upstream.waitBegun(t)
	if _, err := g.runs.PauseRun(g.ctx(), &syncv1.PauseRunRequest{Name: run.GetName()}); err != nil {
		t.Fatal(err)
	}
	g.shows(run, "paused", func(r *syncv1.Run) bool { return r.GetHold().GetReason() == syncv1.RunHold_REASON_PAUSED })
	release()
	stood := g.shows(run, "standing still", func(r *syncv1.Run) bool { return r.GetCounts().GetDone() > 0 })
	time.Sleep(50 * time.Millisecond)
	if now := g.shows(run, "there", func(*syncv1.Run) bool { return true }); now.GetState() != syncv1.Run_STATE_RUNNING || now.GetCounts().GetDone() > stood.GetCounts().GetDone()+8 {
		t.Errorf("a paused run went on: %v, then %v", stood.GetCounts(), now.GetCounts())
	}
	_, err := g.runs.ApplyPlan(g.ctx(), &syncv1.ApplyPlanRequest{Name: plan.GetName(), Manifest: csv(manifest)})
	if reason := wantCode(t, err, codes.FailedPrecondition); reason != "RUN_GOING_ON" || !strings.Contains(err.Error(), run.GetName()) || !strings.Contains(err.Error(), "begun by local at") {
		t.Errorf("another run is refused with %s: %v; want who holds the company", reason, err)
	}
	if _, err := g.runs.ResumeRun(g.ctx(), &syncv1.ResumeRunRequest{Name: run.GetName()}); err != nil {
		t.Fatal(err)
	}
	if done := g.rest(run); done.GetState() != syncv1.Run_STATE_SUCCEEDED || done.GetHold() != nil || done.GetFigures().GetPaused().AsDuration() < 40*time.Millisecond {
		t.Errorf("resumed it ended as %v", done)
	}
	if len(g.upstream.secrets) != 20 {
		t.Errorf("%d passwords went upstream, want 20", len(g.upstream.secrets))
	}
	_, err = g.runs.PauseRun(g.ctx(), &syncv1.PauseRunRequest{Name: run.GetName()})
	if reason := wantCode(t, err, codes.FailedPrecondition); reason != "RUN_ENDED" {
		t.Errorf("pausing a run at rest is refused with %s", reason)
	}
}

func TestAPausedRunIsCancelled(t *testing.T) {
	g := newGateway(t, 2)
	manifest := newUsers(0, 20)
	release := g.upstream.hold()
	run := g.apply(g.plan(manifest), manifest)
	g.upstream.waitBegun(t)
	if _, err := g.runs.PauseRun(g.ctx(), &syncv1.PauseRunRequest{Name: run.GetName()}); err != nil {
		t.Fatal(err)
	}
	release()
	if _, err := g.runs.CancelRun(g.ctx(), &syncv1.CancelRunRequest{Name: run.GetName()}); err != nil {
		t.Fatal(err)
	}
	if rested := g.rest(run); rested.GetState() != syncv1.Run_STATE_CANCELLED || rested.GetHold() != nil {
		t.Errorf("it ended as %v", rested)
	}
}

// TestTheFailedPartIsRetried as a run of its own, whose report knows nothing of the rest.
func TestTheFailedPartIsRetried(t *testing.T) {
	g := newGateway(t, 2)
	manifest := newUsers(0, 5)
	plan := g.plan(manifest)
	key := bulksync.Login("new00002@demo.example").Key()
	g.upstream.refuse[key] = true
	failed := g.rest(g.apply(plan, manifest))
	if failed.GetState() != syncv1.Run_STATE_FAILED || failed.GetCounts().GetDone() != 8 {
		t.Fatalf("run is %v", failed)
	}
	rows, err := g.runs.ListRunRows(g.ctx(), &syncv1.ListRunRowsRequest{Parent: failed.GetName(), PageSize: 3})
	if err != nil || len(rows.GetRows()) != 3 || rows.GetNextPageToken() == "" {
		t.Fatalf("rows %v, error %v", rows, err)
	}
	bad := rows.GetRows()[2]
	if bad.GetLine() != 4 || bad.GetLogin() != "new00002@demo.example" || bad.GetResult() != syncv1.RunRow_RESULT_FAILED || bad.GetCode() != 2003 ||
		len(bad.GetActions()) != 2 || bad.GetMessage() != "already assigned to someone else" {
		t.Errorf("row %v", bad)
	}
	rows, err = g.runs.ListRunRows(g.ctx(), &syncv1.ListRunRowsRequest{Parent: failed.GetName(), PageSize: 3, PageToken: rows.GetNextPageToken()})
	if err != nil || len(rows.GetRows()) != 2 || rows.GetNextPageToken() != "" || rows.GetRows()[1].GetResult() != syncv1.RunRow_RESULT_DONE {
		t.Fatalf("second page %v, error %v", rows, err)
	}

	delete(g.upstream.refuse, key)
	op, err := g.runs.RetryRun(g.ctx(), &syncv1.RetryRunRequest{Name: failed.GetName(), Manifest: csv(manifest)})
	if err != nil {
		t.Fatal(err)
	}
	again := g.rest(runOf(t, op))
	if again.GetState() != syncv1.Run_STATE_SUCCEEDED || again.GetRetryOf() != failed.GetName() || again.GetCounts().GetTotal() != 2 || again.GetCounts().GetDone() != 2 {
		t.Errorf("the retry ended as %v", again)
	}
	if rows, err = g.runs.ListRunRows(g.ctx(), &syncv1.ListRunRowsRequest{Parent: again.GetName()}); err != nil || len(rows.GetRows()) != 1 {
		t.Errorf("its report: %v, error %v", rows, err)
	}
	for title, n := range g.upstream.applied {
		if n != 1 {
			t.Errorf("%s was done %d times", title, n)
		}
	}
	_, err = g.runs.RetryRun(g.ctx(), &syncv1.RetryRunRequest{Name: failed.GetName(), Manifest: csv(manifest)})
	if reason := wantCode(t, err, codes.FailedPrecondition); reason != "NOTHING_LEFT" || !strings.Contains(err.Error(), path.Base(again.GetName())) {
		t.Errorf("a second retry is refused with %s: %v; want NOTHING_LEFT, and by which run it is done", reason, err)
	}
	_, err = g.runs.RetryRun(g.ctx(), &syncv1.RetryRunRequest{Name: again.GetName()})
	if reason := wantCode(t, err, codes.FailedPrecondition); reason != "NOTHING_LEFT" {
		t.Errorf("a retry of what succeeded is refused with %s", reason)
	}
}

// TestARunWaitsForItsTurn, if it is told to, and no longer than that.
func TestARunWaitsForItsTurn(t *testing.T) {
	g := newGateway(t, 2)
	manifest := newUsers(0, 3)
	first, second := g.plan(manifest), g.plan("__action__;loginEmail;ddiE164Number\nupsert;user0000@demo.example;33298300510\n")
	release := g.upstream.hold()
	run := g.apply(first, manifest)
	g.upstream.waitBegun(t)
	_, err := g.runs.ApplyPlan(g.ctx(), &syncv1.ApplyPlanRequest{Name: second.GetName(), Wait: durationpb.New(20 * time.Millisecond)})
	if reason := wantCode(t, err, codes.FailedPrecondition); reason != "RUN_GOING_ON" {
		t.Errorf("after waiting in vain it is refused with %s", reason)
	}
	time.AfterFunc(50*time.Millisecond, release)
	op, err := g.runs.ApplyPlan(g.ctx(), &syncv1.ApplyPlanRequest{Name: second.GetName(), Wait: durationpb.New(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	if done := g.rest(runOf(t, op)); done.GetState() != syncv1.Run_STATE_SUCCEEDED {
		t.Errorf("the one that waited ended as %v", done)
	}
	if done := g.rest(run); done.GetState() != syncv1.Run_STATE_SUCCEEDED {
		t.Errorf("the first one ended as %v", done)
	}
	_, err = g.runs.ApplyPlan(g.ctx(), &syncv1.ApplyPlanRequest{
		Name: second.GetName(), Wait: durationpb.New(-time.Second), WaitForUpstream: durationpb.New(1000 * time.Hour), UsersBy: 9,
	})
	if reason := wantCode(t, err, codes.InvalidArgument); reason != "INVALID_REQUEST" {
		t.Errorf("waits of a wrong length are refused with %s: %v", reason, err)
	}
}
