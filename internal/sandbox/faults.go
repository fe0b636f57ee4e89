package sandbox

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// faults holds the rules in force; it has its own lock.
type faults struct {
	mu      sync.Mutex
	rules   []*faultRule
	changed chan struct{} // closed when other rules come into force
}

// faultRule is a rule with what it remembers. Each rule has dice of its own, so
// that its chances are the same whatever other rules there are.
type faultRule struct {
	Fault
	since         time.Time
	dice          *rand.Rand
	buckets       buckets
	replica       *replica
	matched, hits int
}

// FaultState is a rule in force and how often it came up.
type FaultState struct {
	Rule    Fault `json:"rule"`
	Matched int   `json:"matched"` // requests or rows it is about, since it was set
	Hits    int   `json:"hits"`    // those it made go wrong
}

// hits is what the rules do to one request; nil is nothing.
type hits struct {
	names       []string
	latency     time.Duration
	slowRequest *Pace
	slowAnswer  *Pace
	replica     *replica
	bend        []bending     // of the body of the answer
	end         *Fault        // the rule that decides the answer, nil for none
	retry       time.Duration // until the bucket of its limit has a token
}

func newFaults() *faults { return &faults{changed: make(chan struct{})} }

// SetFaults replaces the rules in force; nil ends all. Chances begin anew, from
// Options.FaultSeed. The error lists all that is wrong with the rules, one a
// line.
func (s *Sandbox) SetFaults(rules []Fault) error {
	return s.setFaults(rules, s.options.FaultSeed)
}

func (s *Sandbox) setFaults(rules []Fault, seed uint64) error {
	if err := checkFaults(rules); err != nil {
		return err
	}
	now := s.options.Clock()
	var list []*faultRule
	var replicas []*replica
	for i, rule := range rules {
		rule.Name = cmp.Or(rule.Name, fmt.Sprintf("fault %d", i+1))
		r := &faultRule{Fault: rule, since: now, dice: rand.New(rand.NewPCG(seed, 0x5b7d0c0ffee+uint64(i)))}
		if rule.Limit != nil {
			r.buckets.limit = *rule.Limit
		}
		if rule.Stale != nil {
			r.replica = &replica{lag: *rule.Stale, clock: s.options.Clock}
			replicas = append(replicas, r.replica)
		}
		list = append(list, r)
	}
	s.store.mu.Lock()
	s.store.follow(replicas)
	s.store.mu.Unlock()
	s.faults.set(list)
	return nil
}

// Faults lists the rules in force and how often each came up.
func (s *Sandbox) Faults() []FaultState {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	list := []FaultState{}
	for _, r := range s.faults.rules {
		list = append(list, FaultState{r.Fault, r.matched, r.hits})
	}
	return list
}

func (f *faults) set(rules []*faultRule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = rules
	close(f.changed)
	f.changed = make(chan struct{})
}

// none tells whether there are no rules, which is the ordinary case.
func (f *faults) none() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.rules) == 0
}

// meet answers what the rules do to a request.
func (f *faults) meet(q *requestFacts, now time.Time) *hits {
	f.mu.Lock()
	defer f.mu.Unlock()
	var h *hits
	for _, r := range f.rules {
		if r.ofImports() || !r.concerns(q) {
			continue
		}
		hit, retry := r.turn(q, now)
		if !hit {
			continue
		}
		if h == nil {
			h = &hits{}
		}
		h.add(r)
		if r.decides() {
			fault := r.Fault
			h.end, h.retry = &fault, retry
			break
		}
	}
	return h
}

// row answers the code that the row of a user must fail with, 0 for none.
func (f *faults) row(login string, now time.Time) int {
	r := f.ofImport(now, func(r *faultRule) bool {
		return r.RowCode != 0 && (r.Login == "" || strings.EqualFold(r.Login, login))
	})
	if r == nil {
		return 0
	}
	return r.RowCode
}

// holdImport waits as long as a rule keeps the next import Pending, or until
// the rules change.
func (f *faults) holdImport(ctx context.Context, now time.Time) {
	if r := f.ofImport(now, func(r *faultRule) bool { return r.Pending != 0 }); r != nil {
		f.hold(ctx, time.Duration(r.Pending))
	}
}

// ofImport answers the first rule about imports that has a turn.
func (f *faults) ofImport(now time.Time, concerns func(*faultRule) bool) *faultRule {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rules {
		if !concerns(r) {
			continue
		}
		if hit, _ := r.turn(nil, now); hit {
			return r
		}
	}
	return nil
}

// hold waits, but not beyond the end of the request or of the rules.
func (f *faults) hold(ctx context.Context, d time.Duration) {
	f.mu.Lock()
	changed := f.changed
	f.mu.Unlock()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-changed:
	}
}

// turn counts a match and tells whether the rule applies to it; retry is when
// a limited caller may come back.
func (r *faultRule) turn(q *requestFacts, now time.Time) (hit bool, retry time.Duration) {
	age := now.Sub(r.since)
	if age < time.Duration(r.After) || r.For > 0 && age >= time.Duration(r.After+r.For) {
		return false, 0
	}
	r.matched++
	if r.matched <= r.Skip || r.Times > 0 && r.hits >= r.Times {
		return false, 0
	}
	if r.Limit != nil {
		passes, wait := r.buckets.take(q, now)
		if passes {
			return false, 0
		}
		retry = wait
	}
	if r.Probability > 0 && r.Probability < 1 && r.dice.Float64() >= r.Probability {
		return false, 0
	}
	r.hits++
	return true, retry
}

// add adds what a rule does short of deciding the answer.
func (h *hits) add(r *faultRule) {
	h.names = append(h.names, r.Name)
	if r.Latency != nil {
		h.latency = min(h.latency+r.Latency.draw(r.dice), maxWait)
	}
	h.slowRequest = cmp.Or(r.SlowRequest, h.slowRequest)
	h.slowAnswer = cmp.Or(r.SlowAnswer, h.slowAnswer)
	h.replica = cmp.Or(r.replica, h.replica)
	if r.ExtraMembers > 0 || r.Drift != nil {
		h.bend = append(h.bend, bending{r.ExtraMembers, r.Drift, rand.New(rand.NewPCG(r.dice.Uint64(), 0))})
	}
}
