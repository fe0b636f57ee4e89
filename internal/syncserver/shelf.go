package syncserver

import (
	"context"
	"fmt"
	"sync"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// shelf keeps what was last looked at: a few whole plans and ended runs, so that paging through a large one does not
// read it from the store page by page, and the figures of more plans, so that listing them does not read their
// operations. A plan never changes; a deleted one is taken off. A run is taken off when it is resumed.
type shelf struct {
	mu      sync.Mutex
	plans   recent[shelfKey, *bulksync.StoredPlan]
	figures recent[shelfKey, figures]
	runs    recent[shelfKey, *bulksync.Run]
	drops   int // of runs, to notice one that was taken off while it was being read
}

type shelfKey struct{ company, name string }

func newShelf() *shelf {
	return &shelf{
		plans:   recent[shelfKey, *bulksync.StoredPlan]{most: 4},
		figures: recent[shelfKey, figures]{most: 2000},
		runs:    recent[shelfKey, *bulksync.Run]{most: 4},
	}
}

// storedPlan gives a plan, which must not be changed.
func (s *Server) storedPlan(ctx context.Context, company, name string) (*bulksync.StoredPlan, error) {
	key := shelfKey{company, name}
	s.shelf.mu.Lock()
	plan, ok := s.shelf.plans.get(key)
	s.shelf.mu.Unlock()
	if ok {
		return plan, nil
	}
	plan, err := s.opts.Engine.Store.Plan(ctx, company, name)
	if err != nil {
		return nil, err
	}
	if plan.Plan.Format != bulksync.PlanFormat || plan.Plan.Hash() != plan.Hash {
		return nil, refusal{
			reason: "PLAN_UNREADABLE", subject: planName(company, name),
			text: fmt.Sprintf("plan %s was made by another version of the gateway, or was changed since: make a new one", name),
		}
	}
	s.shelf.addPlan(plan)
	return plan, nil
}

func (h *shelf) addPlan(plan *bulksync.StoredPlan) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.plans.put(shelfKey{plan.Plan.Company, plan.Name}, plan)
}

func (h *shelf) dropPlan(company, name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.plans.drop(shelfKey{company, name})
	h.figures.drop(shelfKey{company, name})
}

// storedRun gives a run that is not going on, which must not be changed.
func (s *Server) storedRun(ctx context.Context, company, name string) (*bulksync.Run, error) {
	key := shelfKey{company, name}
	s.shelf.mu.Lock()
	run, ok := s.shelf.runs.get(key)
	drops := s.shelf.drops
	s.shelf.mu.Unlock()
	if ok {
		return run, nil
	}
	run, err := s.opts.Engine.Store.Run(ctx, company, name)
	if err != nil {
		return nil, err
	}
	s.shelf.mu.Lock()
	defer s.shelf.mu.Unlock()
	if run.State.Ended() && drops == s.shelf.drops {
		s.shelf.runs.put(key, run)
	}
	return run, nil
}

func (h *shelf) dropRun(company, name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drops++
	h.runs.drop(shelfKey{company, name})
}

// recent keeps the entries used last. It is not safe for concurrent use.
type recent[K comparable, V any] struct {
	most    int
	entries map[K]V
	order   []K // the one used last stands last
}

func (r *recent[K, V]) get(key K) (V, bool) {
	v, ok := r.entries[key]
	if ok {
		r.touch(key)
	}
	return v, ok
}

func (r *recent[K, V]) put(key K, v V) {
	if r.entries == nil {
		r.entries = map[K]V{}
	}
	r.entries[key] = v
	r.touch(key)
	for len(r.order) > r.most {
		delete(r.entries, r.order[0])
		r.order = r.order[1:]
	}
}

func (r *recent[K, V]) touch(key K) {
	r.remove(key)
	r.order = append(r.order, key)
}

func (r *recent[K, V]) drop(key K) {
	delete(r.entries, key)
	r.remove(key)
}

func (r *recent[K, V]) remove(key K) {
	for i, k := range r.order {
		if k == key {
			r.order = append(r.order[:i:i], r.order[i+1:]...)
			return
		}
	}
}
