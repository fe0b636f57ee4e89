package syncserver

import (
	"time"

	"google.golang.org/grpc"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

const (
	// watchMost is the most outcomes of one event.
	watchMost = 500
	// watchPause is the least time between two events: a fast run is told in fewer, longer ones.
	watchPause = 20 * time.Millisecond
)

// WatchRun tells a run's changes until it has come to rest.
func (s runService) WatchRun(req *syncv1.WatchRunRequest, stream grpc.ServerStreamingServer[syncv1.RunEvent]) error {
	at, err := s.runPlace(stream.Context(), "name", req.GetName(), nil)
	if err != nil {
		return s.status(err)
	}
	if live := at.live(at.id); live != nil {
		return s.watch(live, req.GetReplay(), stream)
	}
	return s.status(s.retell(at, req.GetReplay(), stream))
}

// watch follows a run that is going on.
func (s runService) watch(live *liveRun, replay bool, stream grpc.ServerStreamingServer[syncv1.RunEvent]) error {
	next := 0
	if !replay {
		next = live.logged()
	}
	for {
		seen := live.lookFrom(next, watchMost)
		next = seen.next
		if err := stream.Send(event(live.plan.Plan, &seen.run, seen.stopping, seen.outcomes)); err != nil {
			return err
		}
		if seen.last {
			return nil
		}
		if len(seen.outcomes) == watchMost {
			continue
		}
		select {
		case <-seen.changed:
		case <-stream.Context().Done():
			return s.status(stream.Context().Err())
		}
		select {
		case <-time.After(watchPause):
		case <-live.ended:
		case <-stream.Context().Done():
			return s.status(stream.Context().Err())
		}
	}
}

// retell tells of a run at rest.
func (s runService) retell(at runPlace, replay bool, stream grpc.ServerStreamingServer[syncv1.RunEvent]) error {
	run, err := s.storedRun(stream.Context(), at.company, at.id)
	if err != nil {
		return err
	}
	left := run.Outcomes
	if !replay {
		left = nil
	}
	plan, err := s.planOf(stream.Context(), run)
	if err != nil {
		return err
	}
	for {
		n := min(len(left), watchMost)
		if err := stream.Send(event(plan, run, false, left[:n])); err != nil {
			return err
		}
		if left = left[n:]; len(left) == 0 {
			return nil
		}
	}
}

func event(plan *bulksync.Plan, run *bulksync.Run, stopping bool, outcomes []bulksync.Outcome) *syncv1.RunEvent {
	e := &syncv1.RunEvent{Run: runProto(run, stopping)}
	for _, o := range outcomes {
		e.Outcomes = append(e.Outcomes, outcomeProto(operationOf(plan, o.Operation), o))
	}
	return e
}
