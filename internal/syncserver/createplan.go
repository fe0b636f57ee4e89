package syncserver

import (
	"context"
	"time"

	"google.golang.org/grpc"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/manifest"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// CreatePlan makes and stores a plan.
func (s planService) CreatePlan(ctx context.Context, req *syncv1.CreatePlanRequest) (*syncv1.Plan, error) {
	plan, err := s.createPlan(ctx, req)
	return plan, s.status(err)
}

// UploadPlan is CreatePlan for a large manifest.
func (s planService) UploadPlan(stream grpc.ClientStreamingServer[syncv1.UploadPlanRequest, syncv1.Plan]) error {
	req, files, err := receive(stream.Recv)
	if err != nil {
		return s.status(err)
	}
	req.Manifest = files
	plan, err := s.createPlan(stream.Context(), req)
	if err != nil {
		return s.status(err)
	}
	return stream.SendAndClose(plan)
}

// planOrder is a CreatePlanRequest found in order.
type planOrder struct {
	*syncv1.CreatePlanRequest
	company string
	sources []manifest.Source
	opts    manifest.Options
	policy  bulksync.Policy
	// print is the manifest's fingerprint; empty of one that has none.
	print string
}

func (s planService) createPlan(ctx context.Context, req *syncv1.CreatePlanRequest) (*syncv1.Plan, error) {
	var v violations
	id := v.name("parent", req.GetParent(), "companies/*")[0]
	if len(req.GetRenumber()) == 0 {
		v.someFile(req.GetManifest())
	}
	sources, opts := v.manifest(req)
	v.oneOf("mode", req.GetMode(), manifest.Modes())
	v.within("max_faults", req.GetMaxFaults(), 0, maxFaults)
	v.requestID(req.GetRequestId())
	policy := v.policy(req)
	if err := v.err(); err != nil {
		return nil, err
	}
	opts.Mode, opts.Strict = req.GetMode(), req.GetStrict()
	company, err := s.company(ctx, id)
	if err != nil {
		return nil, err
	}
	order := planOrder{CreatePlanRequest: req, company: company, sources: sources, opts: opts, policy: policy, print: manifest.Fingerprint(sources, opts)}
	if req.GetValidateOnly() {
		plan, err := s.makePlan(ctx, order)
		if err != nil {
			return nil, err
		}
		return s.previewProto(plan), nil
	}
	var made *syncv1.Plan
	name, again, err := s.requests.once(ctx, requestKey{"CreatePlan", s.opts.Caller(ctx), company, req.GetRequestId()}, req, func() (string, error) {
		var err error
		made, err = s.storePlan(ctx, order)
		return lastSegment(made.GetName()), err
	})
	if err != nil || !again {
		return made, err
	}
	stored, err := s.storedPlan(ctx, company, name)
	if err != nil {
		return nil, err
	}
	return s.planProto(stored), nil
}

// makePlan reads the manifest and plans it.
func (s *Server) makePlan(ctx context.Context, order planOrder) (*bulksync.StoredPlan, error) {
	desired, secret, err := order.desired(ctx)
	if secret {
		order.print = "" // a digest over passwords could be guessed at
	}
	if err == nil && order.GetRefresh() {
		err = s.renew(ctx, order.company)
	}
	var stored *bulksync.StoredPlan
	if err == nil {
		stored, err = s.planFor(ctx, order, desired)
	}
	if faults := faultsOf(err); faults != nil {
		return nil, manifestError{faults: faults, max: int(order.GetMaxFaults())}
	}
	if err != nil {
		return nil, err
	}
	for _, src := range order.sources {
		stored.Sources = append(stored.Sources, src.Name)
	}
	return stored, nil
}

// desired reads the manifest, and tells whether it holds secrets; without one, rules say all that is desired.
func (o planOrder) desired(ctx context.Context) (d *bulksync.Desired, secret bool, err error) {
	if len(o.sources) == 0 {
		return &bulksync.Desired{Mode: bulksync.ModeRules}, false, nil
	}
	d, secrets, err := manifest.Read(ctx, o.sources, o.opts)
	return d, secrets.Len() > 0, err
}

func (s *Server) planFor(ctx context.Context, order planOrder, desired *bulksync.Desired) (*bulksync.StoredPlan, error) {
	company, err := s.recordedCompany(ctx, order.company)
	if err != nil {
		return nil, err
	}
	before, err := s.fingerprint(ctx, order)
	if err != nil {
		return nil, err
	}
	plan, err := s.opts.Engine.Plan(ctx, order.company, desired, order.policy)
	if err != nil {
		return nil, err
	}
	stored := &bulksync.StoredPlan{
		Plan: plan, Hash: plan.Hash(), CreateTime: s.now(), RecordTime: recorded(company),
		Creator: s.opts.Caller(ctx), CreatedBy: s.opts.Principal(ctx),
		Empty: len(plan.Operations) == 0, Desired: desired,
	}
	if before == "" || !plan.Stands() {
		return stored, nil
	}
	if again, err := s.opts.Engine.Repeatable(ctx, order.company, desired, order.policy); err != nil || !again {
		return stored, err
	}
	after, err := s.fingerprint(ctx, order)
	if after == before { // nothing was recorded meanwhile
		stored.Fingerprint = after
	}
	return stored, err
}

// fingerprint names all that a plan is made from; empty where that can't be told.
func (s *Server) fingerprint(ctx context.Context, order planOrder) (string, error) {
	return s.opts.Engine.Fingerprint(ctx, order.company, order.print, order.policy)
}

// standing finds the plan that found nothing to do when the very same was planned over the very same state; nil without one.
func (s *Server) standing(ctx context.Context, order planOrder) (*bulksync.StoredPlan, error) {
	if order.GetRefresh() {
		return nil, nil
	}
	print, err := s.fingerprint(ctx, order)
	if err != nil {
		return nil, err
	}
	name, err := s.opts.Engine.Standing(ctx, order.company, print)
	if name == "" || err != nil {
		return nil, err
	}
	found, err := s.storedPlan(ctx, order.company, name)
	if err != nil {
		return nil, err
	}
	company, err := s.recordedCompany(ctx, order.company)
	if err != nil {
		return nil, err
	}
	stored := *found
	stored.RecordTime = recorded(company)
	return &stored, nil
}

// storePlan makes and stores a plan, or finds one that still stands.
func (s *Server) storePlan(ctx context.Context, order planOrder) (*syncv1.Plan, error) {
	stored, err := s.standing(ctx, order)
	if err != nil {
		return nil, err
	}
	if stored == nil {
		if stored, err = s.makePlan(ctx, order); err != nil {
			return nil, err
		}
		stored.Name = s.opts.Engine.NewName("plan")
		if err := s.opts.Engine.Store.CreatePlan(ctx, stored); err != nil {
			return nil, err
		}
		stored.Desired = nil // it is in the store
		s.shelf.addPlan(stored)
	}
	view := s.planProto(stored)
	view.InForce, err = s.inForce(ctx, stored)
	return view, err
}

// previewProto is a plan that is not stored: it shows operations, since they can't be asked for.
func (s *Server) previewProto(stored *bulksync.StoredPlan) *syncv1.Plan {
	view := s.planProto(stored)
	for i := range min(len(stored.Plan.Operations), operationsShown) {
		view.Operations = append(view.Operations, operationProto(&stored.Plan.Operations[i]))
	}
	return view
}

// now is the engine's time.
func (s *Server) now() time.Time {
	if clock := s.opts.Engine.Clock; clock != nil {
		return clock().UTC()
	}
	return time.Now().UTC()
}
