package syncserver

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/emptypb"

	"google.golang.org/genproto/googleapis/rpc/errdetails"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// planService reads, lists and forgets plans; createplan.go makes them, renderplan.go shows them.
type planService struct {
	syncv1.UnimplementedPlanServiceServer
	*Server
}

const planPattern = "companies/*/plans/*"

// GetPlan gives a plan without its operations.
func (s planService) GetPlan(ctx context.Context, req *syncv1.GetPlanRequest) (*syncv1.Plan, error) {
	stored, err := s.namedPlan(ctx, "name", req.GetName(), nil)
	if err != nil {
		return nil, s.status(err)
	}
	view := s.planProto(stored)
	view.InForce, err = s.inForce(ctx, stored)
	return view, s.status(err)
}

// namedPlan gives the plan with a resource name. v holds what else was found wrong with the request.
func (s *Server) namedPlan(ctx context.Context, field, name string, v violations) (*bulksync.StoredPlan, error) {
	ids := v.name(field, name, planPattern)
	if err := v.err(); err != nil {
		return nil, err
	}
	company, err := s.company(ctx, ids[0])
	if err != nil {
		return nil, err
	}
	return s.storedPlan(ctx, company, ids[1])
}

// ListPlans lists a company's plans, newest first.
func (s planService) ListPlans(ctx context.Context, req *syncv1.ListPlansRequest) (*syncv1.ListPlansResponse, error) {
	var v violations
	id := v.name("parent", req.GetParent(), "companies/*")[0]
	p := v.page(req, 50)
	filter := bulksync.PlanFilter{Creator: req.GetCreator(), Undoes: lastSegment(req.GetUndoes())}
	filter.Since, filter.Until = v.span(req.GetSince(), req.GetUntil())
	if err := v.err(); err != nil {
		return nil, err
	}
	resp, err := s.listPlans(ctx, id, p, filter)
	return resp, s.status(err)
}

func (s planService) listPlans(ctx context.Context, id string, p page, filter bulksync.PlanFilter) (*syncv1.ListPlansResponse, error) {
	company, err := s.company(ctx, id)
	if err != nil {
		return nil, err
	}
	all, err := s.opts.Engine.Store.Plans(ctx, company)
	if err != nil {
		return nil, err
	}
	resp := &syncv1.ListPlansResponse{}
	for _, plan := range all {
		if !filter.Matches(plan) || p.after != "" && newer(plan.CreateTime, plan.Name, p.after) {
			continue
		}
		if len(resp.Plans) == p.size {
			last := resp.Plans[p.size-1]
			resp.NextPageToken = p.token(place(last.GetCreateTime().AsTime(), lastSegment(last.GetName())))
			break
		}
		f, err := s.figures(ctx, company, plan.Name)
		if err != nil {
			return nil, err
		}
		resp.Plans = append(resp.Plans, s.overview(plan, f))
	}
	return resp, nil
}

// figures gives a plan's figures, from the shelf if they are there.
func (s *Server) figures(ctx context.Context, company, name string) (figures, error) {
	key := shelfKey{company, name}
	s.shelf.mu.Lock()
	f, ok := s.shelf.figures.get(key)
	s.shelf.mu.Unlock()
	if ok {
		return f, nil
	}
	stored, err := s.opts.Engine.Store.Plan(ctx, company, name)
	if err != nil {
		return f, err
	}
	f = figuresOf(stored.Plan)
	s.shelf.mu.Lock()
	s.shelf.figures.put(key, f)
	s.shelf.mu.Unlock()
	return f, nil
}

// place is where an entry stands in a list that is ordered newest first, then by falling name.
func place(t time.Time, name string) string { return t.UTC().Format(placeTime) + "/" + name }

// placeTime has a fixed width, so that places compare as their times do.
const placeTime = "2006-01-02T15:04:05.000000000Z"

// newer tells whether an entry stands before a place, or at it.
func newer(t time.Time, name, at string) bool { return place(t, name) >= at }

func lastSegment(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// DeletePlan forgets a plan.
func (s planService) DeletePlan(ctx context.Context, req *syncv1.DeletePlanRequest) (*emptypb.Empty, error) {
	stored, err := s.namedPlan(ctx, "name", req.GetName(), nil)
	if err != nil {
		return nil, s.status(err)
	}
	if err := s.deletePlan(ctx, stored, req); err != nil {
		return nil, s.status(err)
	}
	return &emptypb.Empty{}, nil
}

func (s planService) deletePlan(ctx context.Context, stored *bulksync.StoredPlan, req *syncv1.DeletePlanRequest) error {
	if err := checkEtag(stored, req.GetEtag()); err != nil {
		return err
	}
	company := stored.Plan.Company
	l, err := s.lane(ctx, company)
	if err != nil {
		return err
	}
	l.mu.Lock() // no run begins meanwhile
	defer l.mu.Unlock()
	runs, err := s.opts.Engine.Store.Runs(ctx, company)
	if err != nil {
		return err
	}
	for _, run := range runs {
		name := runName(company, run.Name)
		switch {
		case run.Plan != stored.Name || !run.State.Resumable():
		case !run.State.Ended():
			return refusal{reason: "RUN_GOING_ON", subject: name, text: fmt.Sprintf("%s is applying the plan", name)}
		case !req.GetForce():
			return refusal{
				reason: "RUN_RESUMABLE", subject: name,
				text: fmt.Sprintf("%s can still be resumed, which needs the plan: set force to delete it all the same", name),
			}
		}
	}
	if err := s.opts.Engine.Store.DeletePlan(ctx, company, stored.Name); err != nil {
		return err
	}
	s.shelf.dropPlan(company, stored.Name)
	return nil
}

// checkEtag refuses a plan that is not the one that the caller looked at.
func checkEtag(stored *bulksync.StoredPlan, etag string) error {
	if etag == "" || strings.Trim(etag, `"`) == stored.Hash {
		return nil
	}
	return detailed(codes.Aborted, fmt.Sprintf("plan %s has etag %s, not %s: look at it again", stored.Name, stored.Hash, quoted(etag)),
		&errdetails.ErrorInfo{Reason: "ETAG_DIFFERS", Domain: domain}).Err()
}

// ListPlanOperations pages through a plan's operations.
func (s planService) ListPlanOperations(ctx context.Context, req *syncv1.ListPlanOperationsRequest) (*syncv1.ListPlanOperationsResponse, error) {
	var v violations
	p := v.page(req, 100)
	from := v.index(p)
	v.enum("kind", int32(req.GetKind()), syncv1.Kind_name)
	stored, err := s.namedPlan(ctx, "parent", req.GetParent(), v)
	if err != nil {
		return nil, s.status(err)
	}
	kind := kindOf(req.GetKind())
	resp := &syncv1.ListPlanOperationsResponse{}
	operations := stored.Plan.Operations
	for i := min(from, len(operations)); i < len(operations); i++ {
		if kind != "" && operations[i].Key.Kind != kind {
			continue
		}
		if len(resp.Operations) == p.size {
			resp.NextPageToken = p.token(strconv.Itoa(i))
			break
		}
		resp.Operations = append(resp.Operations, operationProto(&operations[i]))
	}
	return resp, nil
}

// ListUnchangedEntries pages through the manifest entries that need nothing.
func (s planService) ListUnchangedEntries(ctx context.Context, req *syncv1.ListUnchangedEntriesRequest) (*syncv1.ListUnchangedEntriesResponse, error) {
	var v violations
	p := v.page(req, 100)
	from := v.index(p)
	stored, err := s.namedPlan(ctx, "parent", req.GetParent(), v)
	if err != nil {
		return nil, s.status(err)
	}
	resp := &syncv1.ListUnchangedEntriesResponse{}
	entries := stored.Plan.Unchanged
	from = min(from, entries.Len())
	until := min(from+p.size, entries.Len())
	for i := from; i < until; i++ {
		u := entries.At(i)
		resp.Entries = append(resp.Entries, &syncv1.UnchangedEntry{Login: string(u.Login), Position: positionProto(u.Position), Note: u.Note})
	}
	if until < entries.Len() {
		resp.NextPageToken = p.token(strconv.Itoa(until))
	}
	return resp, nil
}

// index is the place of a page in a list that does not change.
func (v *violations) index(p page) int {
	if p.after == "" {
		return 0
	}
	i, err := strconv.Atoi(p.after)
	if err != nil || i < 0 {
		v.add("page_token", "not a token of this list")
		return 0
	}
	return i
}
