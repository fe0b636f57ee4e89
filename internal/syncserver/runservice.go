package syncserver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// runService reads, lists and stops runs; applyplan.go starts them, watchrun.go shows them as they go.
type runService struct {
	syncv1.UnimplementedRunServiceServer
	*Server
}

const runPattern = "companies/*/runs/*"

// place of a run: its lane and its id there.
type runPlace struct {
	*lane
	id string
}

// runPlace finds where a run by that name belongs. v holds what else was found wrong with the request.
func (s *Server) runPlace(ctx context.Context, field, name string, v violations) (runPlace, error) {
	ids := v.name(field, name, runPattern)
	if err := v.err(); err != nil {
		return runPlace{}, err
	}
	company, err := s.company(ctx, ids[0])
	if err != nil {
		return runPlace{}, err
	}
	l, err := s.lane(ctx, company)
	return runPlace{l, ids[1]}, err
}

// GetRun gives a run as it is now.
func (s runService) GetRun(ctx context.Context, req *syncv1.GetRunRequest) (*syncv1.Run, error) {
	at, err := s.runPlace(ctx, "name", req.GetName(), nil)
	if err != nil {
		return nil, s.status(err)
	}
	run, err := s.runNow(ctx, at)
	return run, s.status(err)
}

// runNow shows a run, going on or at rest.
func (s *Server) runNow(ctx context.Context, at runPlace) (*syncv1.Run, error) {
	if live := at.live(at.id); live != nil {
		run, stopping := live.view()
		return runProto(&run, stopping), nil
	}
	run, err := s.storedRun(ctx, at.company, at.id)
	if err != nil {
		return nil, err
	}
	return runProto(run, false), nil
}

// ListRuns lists a company's runs, newest first.
func (s runService) ListRuns(ctx context.Context, req *syncv1.ListRunsRequest) (*syncv1.ListRunsResponse, error) {
	var v violations
	id := v.name("parent", req.GetParent(), "companies/*")[0]
	p := v.page(req, 50)
	filter := v.runFilter(req)
	if err := v.err(); err != nil {
		return nil, err
	}
	runs, next, err := s.listRuns(ctx, id, p, filter)
	if err != nil {
		return nil, s.status(err)
	}
	return &syncv1.ListRunsResponse{Runs: runs, NextPageToken: next}, nil
}

// runFilter checks the fields that choose runs.
func (v *violations) runFilter(req *syncv1.ListRunsRequest) bulksync.RunFilter {
	filter := bulksync.RunFilter{Plan: lastSegment(req.GetPlan()), Actor: req.GetActor()}
	for _, state := range req.GetStates() {
		v.enum("states", int32(state), syncv1.Run_State_name)
		for own, shown := range stateProtos {
			if shown == state {
				filter.States = append(filter.States, own)
			}
		}
	}
	filter.Since, filter.Until = v.span(req.GetSince(), req.GetUntil())
	return filter
}

func (s *Server) listRuns(ctx context.Context, id string, p page, filter bulksync.RunFilter) (list []*syncv1.Run, next string, err error) {
	company, err := s.company(ctx, id)
	if err != nil {
		return nil, "", err
	}
	l, err := s.lane(ctx, company)
	if err != nil {
		return nil, "", err
	}
	all, err := s.opts.Engine.Store.Runs(ctx, company)
	if err != nil {
		return nil, "", err
	}
	for _, run := range all {
		if !filter.Matches(run) || p.after != "" && newer(run.StartTime, run.Name, p.after) {
			continue
		}
		if len(list) == p.size {
			last := list[p.size-1]
			return list, p.token(place(last.GetStartTime().AsTime(), lastSegment(last.GetName()))), nil
		}
		if live := l.live(run.Name); live != nil {
			now, stopping := live.view()
			list = append(list, runProto(&now, stopping))
			continue
		}
		list = append(list, runProto(run, false))
	}
	return list, "", nil
}

// CancelRun asks a run to stop.
func (s runService) CancelRun(ctx context.Context, req *syncv1.CancelRunRequest) (*syncv1.Run, error) {
	at, err := s.runPlace(ctx, "name", req.GetName(), nil)
	if err != nil {
		return nil, s.status(err)
	}
	if live := at.live(at.id); live != nil {
		live.stop(stopAsked)
		run, stopping := live.view()
		return runProto(&run, stopping), nil
	}
	return nil, s.status(s.ended(ctx, at))
}

// PauseRun makes a run stand still.
func (s runService) PauseRun(ctx context.Context, req *syncv1.PauseRunRequest) (*syncv1.Run, error) {
	at, err := s.runPlace(ctx, "name", req.GetName(), nil)
	if err != nil {
		return nil, s.status(err)
	}
	live := at.live(at.id)
	if live == nil {
		return nil, s.status(s.ended(ctx, at))
	}
	live.pause(true)
	run, stopping := live.view()
	return runProto(&run, stopping), nil
}

// ended says that a run has come to rest, or that there is none.
func (s *Server) ended(ctx context.Context, at runPlace) error {
	run, err := s.storedRun(ctx, at.company, at.id)
	if err != nil {
		return err
	}
	return refusal{
		reason: "RUN_ENDED", subject: runName(at.company, at.id),
		text: fmt.Sprintf("run %s has come to rest already: it is %s", at.id, run.State),
	}
}

// ListRunOutcomes pages through the operations of a run that have ended.
func (s runService) ListRunOutcomes(ctx context.Context, req *syncv1.ListRunOutcomesRequest) (*syncv1.ListRunOutcomesResponse, error) {
	var v violations
	p := v.page(req, 100)
	from := v.index(p)
	for _, status := range req.GetStatuses() {
		v.enum("statuses", int32(status), syncv1.RunOutcome_Status_name)
	}
	at, err := s.runPlace(ctx, "parent", req.GetParent(), v)
	if err != nil {
		return nil, s.status(err)
	}
	plan, outcomes, err := s.outcomes(ctx, at)
	if err != nil {
		return nil, s.status(err)
	}
	resp := &syncv1.ListRunOutcomesResponse{}
	for _, id := range slices.Sorted(maps.Keys(outcomes)) {
		o := outcomes[id]
		if id < from || !wanted(o, req.GetStatuses()) {
			continue
		}
		if len(resp.Outcomes) == p.size {
			resp.NextPageToken = p.token(strconv.Itoa(id))
			break
		}
		resp.Outcomes = append(resp.Outcomes, outcomeProto(operationOf(plan, id), o))
	}
	return resp, nil
}

func wanted(o bulksync.Outcome, statuses []syncv1.RunOutcome_Status) bool {
	return len(statuses) == 0 || slices.Contains(statuses, statusProtos[o.Status]) ||
		slices.Contains(statuses, syncv1.RunOutcome_STATUS_UNSPECIFIED)
}

// outcomes gives a run's outcomes by operation, and its plan, nil when that is gone.
func (s *Server) outcomes(ctx context.Context, at runPlace) (*bulksync.Plan, map[int]bulksync.Outcome, error) {
	if live := at.live(at.id); live != nil {
		return live.plan.Plan, live.outcomes(), nil
	}
	run, err := s.storedRun(ctx, at.company, at.id)
	if err != nil {
		return nil, nil, err
	}
	outcomes := make(map[int]bulksync.Outcome, len(run.Outcomes))
	for _, o := range run.Outcomes {
		outcomes[o.Operation] = o
	}
	plan, err := s.planOf(ctx, run)
	return plan, outcomes, err
}

// planOf gives the plan of a run, nil when it was deleted.
func (s *Server) planOf(ctx context.Context, run *bulksync.Run) (*bulksync.Plan, error) {
	stored, err := s.storedPlan(ctx, run.Company, run.Plan)
	var unreadable refusal
	switch {
	case errors.Is(err, bulksync.ErrNotFound), errors.As(err, &unreadable):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return stored.Plan, nil
}
