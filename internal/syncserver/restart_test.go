package syncserver_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

func TestRunsGoOnAfterARestart(t *testing.T) {
	g := &gateway{t: t, upstream: newUpstream(1), path: t.TempDir() + "/state.db"}
	g.start(false)
	g.refresh()
	manifest := newUsers(0, 6)
	plan := g.plan(manifest)
	release := g.upstream.hold()
	run := g.apply(plan, manifest)
	g.upstream.waitBegun(t)
	g.upstream.waitBegun(t)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := g.server.Close(ctx); !errors.Is(err, context.DeadlineExceeded) { // calls are cut off
		t.Errorf("close: %v", err)
	}
	_, err := g.runs.ApplyPlan(g.ctx(), &syncv1.ApplyPlanRequest{Name: plan.GetName()})
	if reason := wantCode(t, err, codes.Unavailable); reason != "STOPPING" {
		t.Errorf("reason is %s", reason)
	}
	if err := g.store.Close(); err != nil {
		t.Fatal(err)
	}
	release()

	g.start(true)
	rested, err := g.runs.GetRun(g.ctx(), &syncv1.GetRunRequest{Name: run.GetName()})
	if err != nil || rested.GetState() == syncv1.Run_STATE_RUNNING || rested.GetCounts().GetUnknown() != 2 || !rested.GetResumable() {
		t.Fatalf("run is %v, %v", rested, err)
	}
	op, err := g.runs.ResumeRun(g.ctx(), &syncv1.ResumeRunRequest{Name: run.GetName(), Manifest: csv(manifest)})
	if err != nil {
		t.Fatal(err)
	}
	if end := g.rest(runOf(t, op)); end.GetState() != syncv1.Run_STATE_SUCCEEDED || end.GetCounts().GetDone() != 12 {
		t.Errorf("run is %v", end)
	}
}

func TestAnOrderlyStopLeavesTheRunInterrupted(t *testing.T) {
	g := &gateway{t: t, upstream: newUpstream(1), path: t.TempDir() + "/state.db"}
	g.start(false)
	g.refresh()
	manifest := newUsers(0, 6)
	release := g.upstream.hold()
	run := g.apply(g.plan(manifest), manifest)
	g.upstream.waitBegun(t)
	seen := g.watch(run, false)
	closed := make(chan struct{})
	go func() {
		g.close(10 * time.Second)
		close(closed)
	}()
	time.Sleep(50 * time.Millisecond)
	release()
	receive(t, closed)
	w := receive(t, seen)
	if w.err != nil || w.last.GetState() != syncv1.Run_STATE_INTERRUPTED || w.last.GetCounts().GetUnknown() != 0 || !strings.Contains(w.last.GetMessage(), "resume") {
		t.Errorf("the watcher's last is %v, %v", w.last, w.err)
	}
	g.start(true)
	got, err := g.runs.GetRun(g.ctx(), &syncv1.GetRunRequest{Name: run.GetName()})
	if err != nil || !proto.Equal(got, w.last) {
		t.Errorf("run is %v, %v", got, err)
	}
}

func TestAKilledProcessLeavesARunThatIsRecounted(t *testing.T) {
	g := newGateway(t, 1)
	manifest := newUsers(0, 3)
	plan := g.plan(manifest)
	// What a process that was killed leaves: a run on record as running, one call done and one begun.
	ctx := g.ctx()
	id := plan.GetName()[strings.LastIndex(plan.GetName(), "/")+1:]
	dead := &bulksync.Run{Name: "run-dead", Company: companyID, Plan: id, Hash: plan.GetHash(), State: bulksync.RunRunning, StartTime: time.Now()}
	if err := g.store.CreateRun(ctx, dead); err != nil {
		t.Fatal(err)
	}
	entries := []bulksync.JournalEntry{
		{Company: companyID, Run: "run-dead", Number: 1, Operations: []int{1}, Began: time.Now()},
		{Company: companyID, Run: "run-dead", Number: 2, Operations: []int{2}, Began: time.Now()},
	}
	if err := g.store.Begin(ctx, entries...); err != nil {
		t.Fatal(err)
	}
	entries[0].Ended, entries[0].Outcomes = time.Now(), []bulksync.Outcome{{Operation: 1, Status: bulksync.Done}}
	if err := g.store.End(ctx, companyID, nil, entries[0]); err != nil {
		t.Fatal(err)
	}
	g.close(5 * time.Second)

	g.start(true)
	op, err := g.operations.GetOperation(g.ctx(), opName("operations/"+parent+"/runs/run-dead"))
	if err != nil || !op.GetDone() || codes.Code(op.GetError().GetCode()) != codes.Unavailable {
		t.Fatalf("operation is %v, %v", op, err)
	}
	run := runOf(t, op)
	if c := run.GetCounts(); run.GetState() != syncv1.Run_STATE_INTERRUPTED || c.GetTotal() != 6 || c.GetDone() != 1 || c.GetUnknown() != 1 || c.GetNotDone() != 4 {
		t.Errorf("run is %v", run)
	}
	outcomes, err := g.runs.ListRunOutcomes(g.ctx(), &syncv1.ListRunOutcomesRequest{Parent: run.GetName()})
	if err != nil || len(outcomes.GetOutcomes()) != 6 || outcomes.GetOutcomes()[1].GetStatus() != syncv1.RunOutcome_STATUS_UNKNOWN {
		t.Errorf("outcomes are %v, %v", outcomes, err)
	}
}
