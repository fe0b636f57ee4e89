package syncserver

import (
	"cmp"
	"context"
	"errors"
	"sync"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// driftOrder is what a look for drift shall do beside looking.
type driftOrder struct {
	refresh bool
	// save stores the plan that repairs what is found; creator is who asked for it.
	save    bool
	creator string
}

// checkDrift looks for drift, keeps what it finds, and has it told if it is news. One look at a time goes on in a company,
// and none while a run changes it.
func (s *Server) checkDrift(ctx context.Context, company string, order driftOrder) (*bulksync.Drift, error) {
	l, err := s.lane(ctx, company)
	if err != nil {
		return nil, err
	}
	done, err := l.look(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	found, repairs, err := s.findDrift(ctx, l, order.refresh)
	if err != nil {
		return nil, err
	}
	for _, repair := range repairs {
		if !order.save {
			break
		}
		repair.Name, repair.Creator, repair.CreatedBy = s.opts.Engine.NewName("plan"), order.creator, s.opts.Principal(ctx)
		if err := s.opts.Engine.Store.CreatePlan(ctx, repair); err != nil {
			return nil, err
		}
		repair.Desired = nil // it is in the store
		s.shelf.addPlan(repair)
		found.Saved(repair.Repairs, repair.Name)
	}
	before, err := s.opts.Engine.Store.Drift(ctx, company)
	if err != nil && !errors.Is(err, bulksync.ErrNotFound) {
		return nil, err
	}
	found.Follows(before)
	if err := s.keepDrift(ctx, found); err != nil {
		return nil, err
	}
	s.drift.observe(found)
	s.tellDrift(l)
	return found, nil
}

// findDrift compares, unless a run is going on, began meanwhile, or there is nothing to compare with.
func (s *Server) findDrift(ctx context.Context, l *lane, refresh bool) (*bulksync.Drift, []*bulksync.StoredPlan, error) {
	began, err := l.quiet()
	if err != nil {
		return nil, nil, err
	}
	if refresh {
		if applied, err := s.opts.Engine.Store.Applied(ctx, l.company); err != nil || len(applied) == 0 {
			return nil, nil, cmp.Or(err, bulksync.ErrNotApplied)
		}
		if err := s.renew(ctx, l.company); err != nil {
			return nil, nil, err
		}
	}
	found, repairs, err := s.opts.Engine.Drift(ctx, l.company)
	if err != nil {
		return nil, nil, err
	}
	now, err := l.quiet()
	if err == nil && now != began { // what was compared may be a company half changed
		err = refusal{
			reason: "RUN_MEANWHILE", subject: driftName(l.company),
			text: "a run changed company " + l.company + " while it was being compared: look again",
		}
	}
	return found, repairs, err
}

// look waits until no other look for drift is going on in the company; done lets the next one begin.
func (l *lane) look(ctx context.Context) (done func(), err error) {
	select {
	case l.looking <- struct{}{}:
		return func() { <-l.looking }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// quiet tells how many runs the company has seen, or which one is going on.
func (l *lane) quiet() (runs int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.run != nil {
		return 0, l.busy()
	}
	return l.runs, nil
}

// keepDrift stores a report, and takes the one before off the shelf.
func (s *Server) keepDrift(ctx context.Context, d *bulksync.Drift) error {
	err := s.opts.Engine.Store.SetDrift(ctx, d)
	s.drift.shelf.drop(d.Company)
	return err
}

// driftShelf keeps the reports last looked at, so that paging through a large one does not read it page by page.
type driftShelf struct {
	mu     sync.Mutex
	recent recent[string, *bulksync.Drift]
	drops  int
}

func (h *driftShelf) drop(company string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drops++
	h.recent.drop(company)
}

// lastDrift gives the report of the last look, which must not be changed.
func (s *Server) lastDrift(ctx context.Context, company string) (*bulksync.Drift, error) {
	h := &s.drift.shelf
	h.mu.Lock()
	d, ok := h.recent.get(company)
	drops := h.drops
	h.mu.Unlock()
	if ok {
		return d, nil
	}
	d, err := s.opts.Engine.Store.Drift(ctx, company)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if drops == h.drops {
		h.recent.put(company, d)
	}
	return d, nil
}
