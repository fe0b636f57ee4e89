package syncserver

import (
	"context"
	"errors"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// stalePolicies are the engine's policies for what went stale.
var stalePolicies = map[syncv1.StalePolicy]bulksync.StalePolicy{
	syncv1.StalePolicy_STALE_POLICY_UNSPECIFIED: "",
	syncv1.StalePolicy_STALE_POLICY_REFUSE:      bulksync.StaleRefuse,
	syncv1.StalePolicy_STALE_POLICY_DROP:        bulksync.StaleDrop,
	syncv1.StalePolicy_STALE_POLICY_REPLAN:      bulksync.StaleReplan,
}

// CreateUndoPlan plans the inverse of a run.
func (s planService) CreateUndoPlan(ctx context.Context, req *syncv1.CreateUndoPlanRequest) (*syncv1.Plan, error) {
	plan, err := s.createUndo(ctx, req)
	return plan, s.status(err)
}

func (s planService) createUndo(ctx context.Context, req *syncv1.CreateUndoPlanRequest) (*syncv1.Plan, error) {
	var v violations
	v.enum("stale", int32(req.GetStale()), syncv1.StalePolicy_name)
	v.requestID(req.GetRequestId())
	policy := v.guards(req)
	at, err := s.runPlace(ctx, "name", req.GetName(), v)
	if err != nil {
		return nil, err
	}
	if req.GetValidateOnly() {
		made, err := s.undo(ctx, at, req, policy)
		if err != nil {
			return nil, err
		}
		return s.previewProto(made), nil
	}
	name, _, err := s.requests.once(ctx, requestKey{"CreateUndoPlan", s.opts.Caller(ctx), at.company, req.GetRequestId()}, req, func() (string, error) {
		made, err := s.undo(ctx, at, req, policy)
		if err != nil {
			return "", err
		}
		err = s.keep(ctx, made)
		return made.Name, err
	})
	if err != nil {
		return nil, err
	}
	stored, err := s.storedPlan(ctx, at.company, name)
	if err != nil {
		return nil, err
	}
	return s.planProto(stored), nil
}

// undo plans the inverse of a run; the plan is not stored yet.
func (s *Server) undo(ctx context.Context, at runPlace, req *syncv1.CreateUndoPlanRequest, policy bulksync.Policy) (*bulksync.StoredPlan, error) {
	name := runName(at.company, at.id)
	if at.live(at.id) != nil {
		return nil, refusal{reason: "RUN_GOING_ON", subject: name, text: "run " + name + " is going on: wait for it, or cancel it"}
	}
	if req.GetRefresh() {
		if err := s.renew(ctx, at.company); err != nil {
			return nil, err
		}
	}
	plan, err := s.opts.Engine.PlanUndo(ctx, at.company, at.id, stalePolicies[req.GetStale()], policy)
	var changed *bulksync.ChangedSince
	switch {
	case errors.As(err, &changed):
		return nil, refusal{reason: "CHANGED_SINCE", subject: name, text: changed.Error()}
	case errors.Is(err, bulksync.ErrNotUndoable):
		return nil, refusal{reason: "NOT_UNDOABLE", subject: name, text: err.Error()}
	case faultsOf(err) != nil:
		return nil, manifestError{faults: faultsOf(err)}
	case err != nil:
		return nil, err
	}
	return &bulksync.StoredPlan{Plan: plan, Hash: plan.Hash()}, nil
}
