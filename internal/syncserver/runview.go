package syncserver

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// Runs as callers see them.

var stateProtos = map[bulksync.RunState]syncv1.Run_State{
	bulksync.RunRunning:     syncv1.Run_STATE_RUNNING,
	bulksync.RunSucceeded:   syncv1.Run_STATE_SUCCEEDED,
	bulksync.RunFailed:      syncv1.Run_STATE_FAILED,
	bulksync.RunCancelled:   syncv1.Run_STATE_CANCELLED,
	bulksync.RunInterrupted: syncv1.Run_STATE_INTERRUPTED,
	bulksync.RunWaiting:     syncv1.Run_STATE_WAITING,
}

var statusProtos = map[bulksync.Status]syncv1.RunOutcome_Status{
	bulksync.Done:    syncv1.RunOutcome_STATUS_DONE,
	bulksync.Failed:  syncv1.RunOutcome_STATUS_FAILED,
	bulksync.Skipped: syncv1.RunOutcome_STATUS_SKIPPED,
	bulksync.NotDone: syncv1.RunOutcome_STATUS_NOT_DONE,
	bulksync.Unknown: syncv1.RunOutcome_STATUS_UNKNOWN,
	bulksync.Held:    syncv1.RunOutcome_STATUS_HELD,
}

func runProto(r *bulksync.Run, stopping bool) *syncv1.Run {
	name := runName(r.Company, r.Name)
	view := &syncv1.Run{
		Name: name, Plan: planName(r.Company, r.Plan), PlanHash: r.Hash, State: stateProtos[r.State], Actor: r.Actor,
		Parallel: int32(r.Options.Parallel), StartTime: timestamp(r.StartTime), EndTime: timestamp(r.EndTime),
		Counts: &syncv1.RunCounts{
			Total: int32(r.Counts.Total), Done: int32(r.Counts.Done), Failed: int32(r.Counts.Failed),
			Skipped: int32(r.Counts.Skipped), NotDone: int32(r.Counts.NotDone), Unknown: int32(r.Counts.Unknown),
			Held: int32(r.Counts.Held),
		},
		Message: r.Message, Resumable: r.State.Ended() && r.State.Resumable(), Stopping: stopping, Override: r.Options.Override, Operation: operationName(name),
		StrandedCount: int32(r.StrandedCount), Hold: holdProto(r.Hold), Figures: figuresProto(r.Figures),
	}
	for _, l := range r.Stranded {
		view.Stranded = append(view.Stranded, string(l))
	}
	for shown, stale := range stalePolicies {
		if stale == r.Options.Stale {
			view.Stale = shown
		}
	}
	if r.RetryOf != "" {
		view.RetryOf = runName(r.Company, r.RetryOf)
	}
	if r.Options.Patience != 0 {
		view.WaitForUpstream = durationpb.New(max(0, r.Options.Patience.Duration()))
	}
	for shown, by := range usersBy {
		if by == r.Options.UsersBy {
			view.UsersBy = shown
		}
	}
	return view
}

var holdProtos = map[bulksync.HoldReason]syncv1.RunHold_Reason{
	bulksync.HoldPaused:    syncv1.RunHold_REASON_PAUSED,
	bulksync.HoldThrottled: syncv1.RunHold_REASON_THROTTLED,
	bulksync.HoldUpstream:  syncv1.RunHold_REASON_UPSTREAM,
}

func holdProto(h *bulksync.Hold) *syncv1.RunHold {
	if h == nil {
		return nil
	}
	return &syncv1.RunHold{
		Reason: holdProtos[h.Reason], Since: timestamp(h.Since), Next: timestamp(h.Next), Until: timestamp(h.Until), Message: h.Message,
	}
}

func figuresProto(f bulksync.Figures) *syncv1.RunFigures {
	if f == (bulksync.Figures{}) {
		return nil
	}
	return &syncv1.RunFigures{
		Calls: int32(f.Calls), Requests: int32(f.Requests), Repeats: int32(f.Repeats), ThrottledRequests: int32(f.Refused),
		Limit: int32(f.Limit), HighestLimit: int32(f.HighestLimit),
		Throttled: durationpb.New(f.Throttled.Duration()), Waited: durationpb.New(f.Waited.Duration()), Paused: durationpb.New(f.Paused.Duration()),
	}
}

// outcomeProto shows an outcome with its operation; op is nil when the plan is gone.
func outcomeProto(op *bulksync.Operation, o bulksync.Outcome) *syncv1.RunOutcome {
	view := &syncv1.RunOutcome{
		Operation: &syncv1.PlanOperation{Id: int32(o.Operation)}, Status: statusProtos[o.Status],
		Code: int32(o.Code), Message: o.Message, Attempts: int32(o.Attempts), UpstreamId: o.ID,
	}
	if op != nil {
		view.Operation = operationProto(op)
	}
	if o.Millis > 0 {
		view.Took = durationpb.New(time.Duration(o.Millis) * time.Millisecond)
	}
	return view
}

// operationOf finds an operation by its id; ids count from 1 in plan order. A nil plan has none.
func operationOf(plan *bulksync.Plan, id int) *bulksync.Operation {
	if plan == nil || id < 1 || id > len(plan.Operations) {
		return nil
	}
	return &plan.Operations[id-1]
}
