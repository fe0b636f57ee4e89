package syncserver

import (
	"context"
	"errors"
	"fmt"
	"slices"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// Plans that went stale: what is different is shown, and a new plan takes the place of the old one.

// staleShown is how many things that went stale an answer holds, and how many operations.
const staleShown = 1000

// CheckPlan tells what of a plan went stale.
func (s planService) CheckPlan(ctx context.Context, req *syncv1.CheckPlanRequest) (*syncv1.CheckPlanResponse, error) {
	stored, err := s.namedPlan(ctx, "name", req.GetName(), nil)
	if err != nil {
		return nil, s.status(err)
	}
	stale, err := s.check(ctx, stored)
	if err != nil {
		return nil, s.status(err)
	}
	var dropped []int
	for _, st := range stale {
		dropped = append(dropped, st.Operations...)
	}
	slices.Sort(dropped)
	dropped = slices.Compact(dropped)
	resp := &syncv1.CheckPlanResponse{Stale: staleProtos(stale), StaleCount: int32(len(stale)), DroppedCount: int32(len(dropped))}
	for _, id := range dropped[:min(len(dropped), staleShown)] {
		if op := operationOf(stored.Plan, id); op != nil {
			resp.Dropped = append(resp.Dropped, operationProto(op))
		}
	}
	return resp, nil
}

// check reads again what a plan relies on, as the only thing that goes on in its company: what a run changes is no news.
func (s *Server) check(ctx context.Context, stored *bulksync.StoredPlan) ([]bulksync.Stale, error) {
	l, err := s.lane(ctx, stored.Plan.Company)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	err = l.busy()
	l.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return s.opts.Engine.CheckPlan(ctx, stored.Plan)
}

func staleProtos(stale []bulksync.Stale) []*syncv1.StaleRecord {
	var views []*syncv1.StaleRecord
	for _, st := range stale[:min(len(stale), staleShown)] {
		view := &syncv1.StaleRecord{Key: st.Key.String(), Difference: st.Words}
		for _, id := range st.Operations[:min(len(st.Operations), staleShown)] {
			view.Operations = append(view.Operations, int32(id))
		}
		views = append(views, view)
	}
	return views
}

// Replan makes a plan in place of one that went stale.
func (s planService) Replan(ctx context.Context, req *syncv1.ReplanRequest) (*syncv1.ReplanResponse, error) {
	var v violations
	v.requestID(req.GetRequestId())
	old, err := s.namedPlan(ctx, "name", req.GetName(), v)
	if err != nil {
		return nil, s.status(err)
	}
	resp := &syncv1.ReplanResponse{}
	name, _, err := s.requests.once(ctx, requestKey{"Replan", s.opts.Caller(ctx), old.Plan.Company, req.GetRequestId()}, req, func() (string, error) {
		stale, err := s.check(ctx, old)
		if err != nil {
			return "", err
		}
		resp.Stale = staleProtos(stale)
		return s.replan(ctx, old)
	})
	if err != nil {
		return nil, s.status(err)
	}
	made, err := s.storedPlan(ctx, old.Plan.Company, name)
	if err != nil {
		return nil, s.status(err)
	}
	resp.Plan = s.planProto(made)
	resp.Gone, resp.Added = differing(old.Plan, made.Plan)
	return resp, nil
}

// replan stores a new plan of what an old one was made from, and gives its name.
func (s *Server) replan(ctx context.Context, old *bulksync.StoredPlan) (string, error) {
	company := old.Plan.Company
	made := &bulksync.StoredPlan{Sources: old.Sources, Replaces: old.Name, Repairs: old.Repairs}
	var err error
	if run := old.Plan.Undoes; run != "" {
		made.Plan, err = s.opts.Engine.PlanUndo(ctx, company, run, bulksync.StaleReplan, old.Plan.Policy)
	} else {
		made.Desired, err = s.opts.Engine.Store.PlanDesired(ctx, company, old.Name)
		if errors.Is(err, bulksync.ErrNotFound) {
			return "", refusal{
				reason: "MANIFEST_NOT_KEPT", subject: planName(company, old.Name),
				text: fmt.Sprintf("what the manifest of plan %s asked for is not kept: make a new plan from the manifest", old.Name),
			}
		}
		if err == nil {
			made.Plan, err = s.opts.Engine.Plan(ctx, company, made.Desired, old.Plan.Policy)
		}
	}
	if faults := faultsOf(err); faults != nil {
		return "", manifestError{faults: faults}
	}
	if err != nil {
		return "", err
	}
	err = s.keep(ctx, made)
	return made.Name, err
}

// keep stores a plan that was just made, under a new name.
func (s *Server) keep(ctx context.Context, made *bulksync.StoredPlan) error {
	recordedCompany, err := s.recordedCompany(ctx, made.Plan.Company)
	if err != nil {
		return err
	}
	by := s.opts.Principal(ctx)
	made.Name, made.Hash, made.CreateTime, made.RecordTime = s.opts.Engine.NewName("plan"), made.Plan.Hash(), s.now(), recorded(recordedCompany)
	made.Creator, made.CreatedBy, made.Empty = by.Name, by, len(made.Plan.Operations) == 0
	if err := s.opts.Engine.Store.CreatePlan(ctx, made); err != nil {
		return err
	}
	made.Desired = nil // it is in the store
	s.shelf.addPlan(made)
	return nil
}

// differing lists, by their titles, the operations that only the one or only the other of two plans has, whatever their
// order.
func differing(old, made *bulksync.Plan) (gone, added []string) {
	count := map[string]int{}
	for i := range old.Operations {
		count[effect(&old.Operations[i])]++
	}
	for i := range made.Operations {
		op := &made.Operations[i]
		if k := effect(op); count[k] > 0 {
			count[k]--
		} else if len(added) < staleShown {
			added = append(added, op.Title())
		}
	}
	for i := range old.Operations {
		op := &old.Operations[i]
		if k := effect(op); count[k] > 0 {
			count[k]--
			if len(gone) < staleShown {
				gone = append(gone, op.Title())
			}
		}
	}
	return gone, added
}

// effect is what an operation does, whatever its number and reasons.
func effect(op *bulksync.Operation) string {
	return fmt.Sprintf("%s %s %s %v", op.Action, op.Key, op.Login, op.Changes)
}
