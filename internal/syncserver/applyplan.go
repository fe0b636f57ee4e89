package syncserver

import (
	"context"
	"fmt"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/grpc"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// mostParallel is the highest number of calls in flight that a caller may ask for.
const mostParallel = 64

// ApplyPlan starts a run.
func (s runService) ApplyPlan(ctx context.Context, req *syncv1.ApplyPlanRequest) (*longrunningpb.Operation, error) {
	op, err := s.apply(ctx, req)
	return op, s.status(err)
}

// UploadApply is ApplyPlan for a large manifest.
func (s runService) UploadApply(stream grpc.ClientStreamingServer[syncv1.UploadApplyRequest, longrunningpb.Operation]) error {
	req, files, err := receive(stream.Recv)
	if err != nil {
		return s.status(err)
	}
	req.Manifest = files
	op, err := s.apply(stream.Context(), req)
	if err != nil {
		return s.status(err)
	}
	return stream.SendAndClose(op)
}

func (s runService) apply(ctx context.Context, req *syncv1.ApplyPlanRequest) (*longrunningpb.Operation, error) {
	var v violations
	ids := v.name("name", req.GetName(), planPattern)
	sources, opts := v.manifest(req)
	options := v.runOption(req)
	v.enum("stale", int32(req.GetStale()), syncv1.StalePolicy_name)
	if options.Stale = stalePolicies[req.GetStale()]; options.Stale == bulksync.StaleReplan {
		v.add("stale", "a run can't make a new plan: Replan does")
	}
	wait := v.wait("wait", req.GetWait())
	v.requestID(req.GetRequestId())
	if err := v.err(); err != nil {
		return nil, err
	}
	company, err := s.company(ctx, ids[0])
	if err != nil {
		return nil, err
	}
	name, _, err := s.requests.once(ctx, requestKey{"ApplyPlan", s.opts.Caller(ctx), company, req.GetRequestId()}, req, func() (string, error) {
		plan, err := s.storedPlan(ctx, company, ids[1])
		if err != nil {
			return "", err
		}
		if err := checkEtag(plan, req.GetEtag()); err != nil {
			return "", err
		}
		override, err := checkOverride(plan, req.GetOverride())
		if err != nil {
			return "", err
		}
		secrets, err := secretsFor(ctx, plan, sources, opts)
		if err != nil {
			return "", err
		}
		if err := s.await(ctx, company, wait); err != nil {
			return "", err
		}
		chosen := options
		chosen.Override = override
		run, err := s.start(ctx, plan, chosen, secrets)
		if err != nil {
			return "", err
		}
		return run.Name, nil
	})
	if err != nil {
		return nil, err
	}
	return s.runOperation(ctx, company, name)
}

// ResumeRun takes a run up again.
func (s runService) ResumeRun(ctx context.Context, req *syncv1.ResumeRunRequest) (*longrunningpb.Operation, error) {
	op, err := s.resumeRun(ctx, req)
	return op, s.status(err)
}

// UploadResume is ResumeRun for a large manifest.
func (s runService) UploadResume(stream grpc.ClientStreamingServer[syncv1.UploadResumeRequest, longrunningpb.Operation]) error {
	req, files, err := receive(stream.Recv)
	if err != nil {
		return s.status(err)
	}
	req.Manifest = files
	op, err := s.resumeRun(stream.Context(), req)
	if err != nil {
		return s.status(err)
	}
	return stream.SendAndClose(op)
}

func (s runService) resumeRun(ctx context.Context, req *syncv1.ResumeRunRequest) (*longrunningpb.Operation, error) {
	var v violations
	sources, opts := v.manifest(req)
	options := v.runOption(req)
	wait := v.wait("wait", req.GetWait())
	v.requestID(req.GetRequestId())
	at, err := s.runPlace(ctx, "name", req.GetName(), v)
	if err != nil {
		return nil, err
	}
	if live := at.live(at.id); live != nil && live.pause(false) {
		return s.runOperation(ctx, at.company, at.id)
	}
	_, _, err = s.requests.once(ctx, requestKey{"ResumeRun", s.opts.Caller(ctx), at.company, req.GetRequestId()}, req, func() (string, error) {
		if err := s.await(ctx, at.company, wait); err != nil {
			return "", err
		}
		run, plan, err := s.resumable(ctx, at)
		if err != nil {
			return "", err
		}
		secrets, err := secretsFor(ctx, plan, sources, opts)
		if err != nil {
			return "", err
		}
		_, err = s.resume(ctx, run, plan, options, secrets)
		return run.Name, err
	})
	if err != nil {
		return nil, err
	}
	return s.runOperation(ctx, at.company, at.id)
}

// resumable gives a run that has come to rest and has something left to do, with its plan.
func (s *Server) resumable(ctx context.Context, at runPlace) (*bulksync.Run, *bulksync.StoredPlan, error) {
	name := runName(at.company, at.id)
	if at.live(at.id) != nil {
		return nil, nil, refusal{reason: "RUN_GOING_ON", subject: name, text: fmt.Sprintf("run %s is going on", name)}
	}
	run, err := s.storedRun(ctx, at.company, at.id)
	if err != nil {
		return nil, nil, err
	}
	if !run.State.Resumable() {
		return nil, nil, refusal{reason: "NOTHING_LEFT", subject: name, text: fmt.Sprintf("run %s has nothing left to do: it %s", at.id, run.State)}
	}
	plan, err := s.storedPlan(ctx, at.company, run.Plan)
	if err != nil {
		return nil, nil, err
	}
	if plan.Hash != run.Hash {
		return nil, nil, refusal{
			reason: "PLAN_CHANGED", subject: planName(at.company, run.Plan),
			text: fmt.Sprintf("plan %s is not the one that run %s was started with", run.Plan, at.id),
		}
	}
	return run, plan, nil
}
