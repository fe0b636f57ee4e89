package syncserver

import (
	"context"
	"fmt"
	"slices"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/grpc"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// RetryRun starts a run of what an earlier one did not do.
func (s runService) RetryRun(ctx context.Context, req *syncv1.RetryRunRequest) (*longrunningpb.Operation, error) {
	op, err := s.retryRun(ctx, req)
	return op, s.status(err)
}

// UploadRetry is RetryRun for a large manifest.
func (s runService) UploadRetry(stream grpc.ClientStreamingServer[syncv1.UploadRetryRequest, longrunningpb.Operation]) error {
	req, files, err := receive(stream.Recv)
	if err != nil {
		return s.status(err)
	}
	req.Manifest = files
	op, err := s.retryRun(stream.Context(), req)
	if err != nil {
		return s.status(err)
	}
	return stream.SendAndClose(op)
}

func (s runService) retryRun(ctx context.Context, req *syncv1.RetryRunRequest) (*longrunningpb.Operation, error) {
	var v violations
	sources, opts := v.manifest(req)
	options := v.runOption(req)
	wait := v.wait("wait", req.GetWait())
	v.requestID(req.GetRequestId())
	at, err := s.runPlace(ctx, "name", req.GetName(), v)
	if err != nil {
		return nil, err
	}
	name, _, err := s.requests.once(ctx, requestKey{"RetryRun", s.opts.Caller(ctx), at.company, req.GetRequestId()}, req, func() (string, error) {
		if err := s.await(ctx, at.company, wait); err != nil {
			return "", err
		}
		failed, plan, err := s.resumable(ctx, at)
		if err != nil {
			return "", err
		}
		only, err := undone(failed)
		if err == nil {
			only, err = s.notRetried(ctx, failed, only)
		}
		if err != nil {
			return "", err
		}
		secrets, err := secretsFor(ctx, plan, sources, opts)
		if err != nil {
			return "", err
		}
		run, err := s.retry(ctx, failed, only, plan, options, secrets)
		if err != nil {
			return "", err
		}
		return run.Name, nil
	})
	if err != nil {
		return nil, err
	}
	return s.runOperation(ctx, at.company, name)
}

// undone are the operations that a run left undone, but for those that the plan holds back.
func undone(run *bulksync.Run) (only []int, err error) {
	name := runName(run.Company, run.Name)
	for _, o := range run.Outcomes {
		switch o.Status {
		case bulksync.Done, bulksync.Held:
		case bulksync.Unknown:
			return nil, refusal{
				reason: "OUTCOME_UNKNOWN", subject: name,
				text: fmt.Sprintf("what became of operation %d of run %s is not known: resume it, which looks it up", o.Operation, run.Name),
			}
		default:
			only = append(only, o.Operation)
		}
	}
	if len(only) == 0 {
		return nil, refusal{reason: "NOTHING_LEFT", subject: name, text: fmt.Sprintf("run %s has nothing left to do", run.Name)}
	}
	return only, nil
}

// notRetried leaves out what an earlier retry of the run has done.
func (s *Server) notRetried(ctx context.Context, failed *bulksync.Run, only []int) ([]int, error) {
	runs, err := s.opts.Engine.Store.Runs(ctx, failed.Company)
	if err != nil {
		return nil, err
	}
	by := ""
	for _, r := range runs {
		if r.RetryOf != failed.Name || r.Counts.Done == 0 {
			continue
		}
		retry, err := s.storedRun(ctx, r.Company, r.Name)
		if err != nil {
			return nil, err
		}
		done := map[int]bool{}
		for _, o := range retry.Outcomes {
			done[o.Operation] = o.Status == bulksync.Done
		}
		only = slices.DeleteFunc(only, func(id int) bool { return done[id] })
		by = r.Name
	}
	if len(only) == 0 {
		return nil, refusal{
			reason: "NOTHING_LEFT", subject: runName(failed.Company, failed.Name),
			text: fmt.Sprintf("run %s has nothing left to do: run %s did the rest of it", failed.Name, by),
		}
	}
	return only, nil
}

// retry begins a run of a part of a plan.
func (s *Server) retry(ctx context.Context, failed *bulksync.Run, only []int, plan *bulksync.StoredPlan, options bulksync.RunOption, secrets bulksync.Secrets) (*bulksync.Run, error) {
	run := &bulksync.Run{
		Name: s.opts.Engine.NewName("run"), Company: failed.Company, Plan: plan.Name, Hash: plan.Hash,
		State: bulksync.RunRunning, Actor: s.opts.Caller(ctx), StartTime: s.now(), RetryOf: failed.Name, Only: only,
		Options: renewed(failed.Options, options), Counts: bulksync.RunCounts{Total: len(only)},
	}
	return s.launch(ctx, run, plan, nil, secrets, s.opts.Engine.Store.CreateRun)
}
