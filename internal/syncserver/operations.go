package syncserver

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/emptypb"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// operationsService is google.longrunning.Operations over runs and refreshes. An operation is named after what it is of:
//
//	operations/companies/{company}/runs/{run}
//	operations/companies/{company}/refreshes/{refresh}
//
// Runs are remembered for ever, refreshes for an hour. DeleteOperation is not there: a run is a record.
type operationsService struct {
	longrunningpb.UnimplementedOperationsServer
	*Server
}

const refreshPattern = operationsPrefix + "companies/*/refreshes/*"

// target is what an operation is of: a run, or a refresh.
type target struct {
	run     runPlace
	refresh *refresh
}

func (s *Server) target(ctx context.Context, name string) (target, error) {
	if ids, err := parseName(name, refreshPattern); err == nil {
		company, err := s.company(ctx, ids[0])
		if err != nil {
			return target{}, err
		}
		full := operationName("companies/" + company + "/refreshes/" + ids[1])
		if r := s.refreshes.get(full); r != nil {
			return target{refresh: r}, nil
		}
		return target{}, fmt.Errorf("operation %s: %w", full, bulksync.ErrNotFound)
	}
	run, ok := strings.CutPrefix(name, operationsPrefix)
	if !ok {
		return target{}, invalid("name", "%s: want %s or %s", quoted(name), spoken(operationsPrefix+runPattern), spoken(refreshPattern))
	}
	at, err := s.runPlace(ctx, "name", run, nil)
	return target{run: at}, err
}

// GetOperation tells how far an operation is.
func (s operationsService) GetOperation(ctx context.Context, req *longrunningpb.GetOperationRequest) (*longrunningpb.Operation, error) {
	t, err := s.target(ctx, req.GetName())
	if err != nil {
		return nil, s.status(err)
	}
	op, err := s.operation(ctx, t)
	return op, s.status(err)
}

func (s *Server) operation(ctx context.Context, t target) (*longrunningpb.Operation, error) {
	if t.refresh != nil {
		return refreshOperation(t.refresh)
	}
	return s.runOperation(ctx, t.run.company, t.run.id)
}

// WaitOperation waits until an operation is done, or the time-out or the call's deadline has passed.
func (s operationsService) WaitOperation(ctx context.Context, req *longrunningpb.WaitOperationRequest) (*longrunningpb.Operation, error) {
	t, err := s.target(ctx, req.GetName())
	if err != nil {
		return nil, s.status(err)
	}
	wait := ctx
	if timeout := req.GetTimeout(); timeout != nil {
		if timeout.CheckValid() != nil || timeout.AsDuration() < 0 {
			return nil, invalid("timeout", "want a duration of 0 or more")
		}
		var cancel context.CancelFunc
		wait, cancel = context.WithTimeout(ctx, timeout.AsDuration())
		defer cancel()
	}
	select {
	case <-t.done():
	case <-wait.Done():
		if err := ctx.Err(); err != nil {
			return nil, s.status(err)
		}
	}
	op, err := s.operation(ctx, t)
	return op, s.status(err)
}

// done is closed when the operation is.
func (t target) done() <-chan struct{} {
	if t.refresh != nil {
		return t.refresh.done
	}
	if live := t.run.live(t.run.id); live != nil {
		return live.ended
	}
	closed := make(chan struct{})
	close(closed)
	return closed
}

// CancelOperation asks an operation to stop; one that is done stays as it is.
func (s operationsService) CancelOperation(ctx context.Context, req *longrunningpb.CancelOperationRequest) (*emptypb.Empty, error) {
	t, err := s.target(ctx, req.GetName())
	if err != nil {
		return nil, s.status(err)
	}
	switch {
	case t.refresh != nil:
		t.refresh.cancel()
	case t.run.live(t.run.id) != nil:
		t.run.live(t.run.id).stop(stopAsked)
	default: // it must at least exist
		if _, err := s.storedRun(ctx, t.run.company, t.run.id); err != nil {
			return nil, s.status(err)
		}
	}
	return &emptypb.Empty{}, nil
}

// ListOperations lists a company's runs and refreshes, newest first. The name is "operations", for the company of the
// gateway's account, or "operations/companies/{company}"; the filter is empty, "done=true" or "done=false".
func (s operationsService) ListOperations(ctx context.Context, req *longrunningpb.ListOperationsRequest) (*longrunningpb.ListOperationsResponse, error) {
	var v violations
	id := defaultCompany
	if name := strings.TrimSuffix(req.GetName(), "/"); name != "operations" {
		id = v.name("name", name, operationsPrefix+"companies/*")[0]
	}
	v.oneOf("filter", req.GetFilter(), []string{"done=true", "done=false"})
	p := v.page(req, 50)
	if err := v.err(); err != nil {
		return nil, err
	}
	resp, err := s.listOperations(ctx, id, req.GetFilter(), p)
	return resp, s.status(err)
}

// listed is an operation with its place in a list.
type listed struct {
	place string
	done  bool
	make  func() (*longrunningpb.Operation, error)
}

func (s *Server) listOperations(ctx context.Context, id, filter string, p page) (*longrunningpb.ListOperationsResponse, error) {
	company, err := s.company(ctx, id)
	if err != nil {
		return nil, err
	}
	all, err := s.allOperations(ctx, company)
	if err != nil {
		return nil, err
	}
	resp := &longrunningpb.ListOperationsResponse{}
	last := ""
	for _, entry := range all {
		if p.after != "" && entry.place >= p.after || filter != "" && filter != fmt.Sprintf("done=%t", entry.done) {
			continue
		}
		if len(resp.Operations) == p.size {
			resp.NextPageToken = p.token(last)
			break
		}
		op, err := entry.make()
		if err != nil {
			return nil, err
		}
		resp.Operations, last = append(resp.Operations, op), entry.place
	}
	return resp, nil
}

// allOperations lists what there is of a company, newest first.
func (s *Server) allOperations(ctx context.Context, company string) ([]listed, error) {
	l, err := s.lane(ctx, company)
	if err != nil {
		return nil, err
	}
	runs, err := s.opts.Engine.Store.Runs(ctx, company)
	if err != nil {
		return nil, err
	}
	var all []listed
	for _, run := range runs {
		all = append(all, listed{
			place: place(run.StartTime, run.Name), done: l.live(run.Name) == nil,
			make: func() (*longrunningpb.Operation, error) { return s.runOperation(ctx, company, run.Name) },
		})
	}
	for _, r := range s.refreshes.of(company) {
		all = append(all, listed{
			place: place(r.began, lastSegment(r.name)), done: r.over(),
			make: func() (*longrunningpb.Operation, error) { return refreshOperation(r) },
		})
	}
	slices.SortFunc(all, func(a, b listed) int { return cmp.Compare(b.place, a.place) })
	return all, nil
}

// runOperation is a run as an operation.
func (s *Server) runOperation(ctx context.Context, company, id string) (*longrunningpb.Operation, error) {
	l, err := s.lane(ctx, company)
	if err != nil {
		return nil, err
	}
	run, err := s.runNow(ctx, runPlace{l, id})
	if err != nil {
		return nil, err
	}
	op := &longrunningpb.Operation{Name: run.GetOperation(), Done: run.GetState() != syncv1.Run_STATE_RUNNING}
	switch {
	case !op.Done:
	case run.GetState() == syncv1.Run_STATE_SUCCEEDED:
		return withResult(op, run, run, nil)
	default:
		return withResult(op, run, nil, runStatus(run))
	}
	return withResult(op, run, nil, nil)
}

// runCodes are the codes of runs that came to rest without success.
var runCodes = map[syncv1.Run_State]codes.Code{
	syncv1.Run_STATE_FAILED:      codes.Aborted,
	syncv1.Run_STATE_CANCELLED:   codes.Canceled,
	syncv1.Run_STATE_INTERRUPTED: codes.Unavailable,
	syncv1.Run_STATE_WAITING:     codes.FailedPrecondition,
}

func runStatus(run *syncv1.Run) *status.Status {
	c := run.GetCounts()
	state := strings.TrimPrefix(run.GetState().String(), "STATE_")
	text := fmt.Sprintf("run is %s: %d of %d operations done, %d failed, %d skipped", strings.ToLower(state), c.GetDone(), c.GetTotal(), c.GetFailed(), c.GetSkipped())
	if run.GetMessage() != "" {
		text += "; " + run.GetMessage()
	}
	return detailed(runCodes[run.GetState()], text, &errdetails.ErrorInfo{Reason: "RUN_" + state, Domain: domain, Metadata: map[string]string{"run": run.GetName()}})
}

func refreshOperation(r *refresh) (*longrunningpb.Operation, error) {
	op := &longrunningpb.Operation{Name: r.name, Done: r.over()}
	if !op.Done {
		return withResult(op, r.progress(), nil, nil)
	}
	if r.err != nil {
		return withResult(op, r.progress(), nil, status.Convert(r.err))
	}
	return withResult(op, r.progress(), r.state, nil)
}

// withResult packs metadata and, when the operation is done, its response or error.
func withResult(op *longrunningpb.Operation, metadata, response proto.Message, failure *status.Status) (*longrunningpb.Operation, error) {
	var err error
	if op.Metadata, err = anypb.New(metadata); err != nil {
		return nil, err
	}
	switch {
	case failure != nil:
		op.Result = &longrunningpb.Operation_Error{Error: failure.Proto()}
	case op.Done:
		packed, err := anypb.New(response)
		if err != nil {
			return nil, err
		}
		op.Result = &longrunningpb.Operation_Response{Response: packed}
	}
	return op, nil
}
