package sync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Span says how much of a history is kept: what is younger than an age, or the last few. The zero value keeps all.
type Span struct {
	Age  time.Duration
	Last int
}

// ParseSpan reads "90d", "36h" or "500"; "all" and nothing keep all.
func ParseSpan(s string) (Span, error) {
	s = strings.TrimSpace(s)
	if s == "" || s == "all" {
		return Span{}, nil
	}
	if n, err := strconv.Atoi(s); err == nil && n > 0 {
		return Span{Last: n}, nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n <= 36500 {
			return Span{Age: time.Duration(n) * 24 * time.Hour}, nil
		}
	} else if age, err := time.ParseDuration(s); err == nil && age > 0 {
		return Span{Age: age}, nil
	}
	return Span{}, fmt.Errorf("%q: want an age such as 90d or 36h, a number such as 500, or all", s)
}

// keeps tells whether an entry stays that was made at a time and is followed by some newer ones.
func (s Span) keeps(made, now time.Time, newer int) bool {
	switch {
	case s.Last > 0:
		return newer < s.Last
	case s.Age > 0:
		return now.Sub(made) <= s.Age
	}
	return true
}

// Retention says how much of a company's history is kept.
type Retention struct {
	Runs, Plans Span
}

// Pruned counts what was removed.
type Pruned struct{ Runs, Plans int }

// resumeWithin is how long a run that can be resumed is kept whatever else is: a number such as "the last 5" is soon full where
// plans are applied every few minutes.
const resumeWithin = 7 * 24 * time.Hour

// Prune removes runs and plans that are older than is to be kept. What is still needed stays whatever its age: a run that
// goes on, one of the last week that can be resumed, the runs that put the manifests in force into force, the last one of
// each named manifest, and the plans of all runs that stay. It is called while nothing goes on in the company.
func (e *Engine) Prune(ctx context.Context, company string, r Retention) (Pruned, error) {
	var pruned Pruned
	runs, err := e.Store.Runs(ctx, company)
	if err != nil {
		return pruned, err
	}
	needed, inForce := map[string]bool{}, map[string]bool{}
	applied, err := e.Store.Applied(ctx, company)
	if err != nil {
		return pruned, err
	}
	for _, a := range applied {
		inForce[a.Run], needed[a.Plan] = true, true
	}
	last, err := e.lastApplied(ctx, company) // who owns which users is told by these
	if err != nil {
		return pruned, err
	}
	owning := map[string]bool{}
	for _, plan := range last {
		owning[plan.plan], needed[plan.plan] = true, true
	}
	for i, run := range runs { // newest first
		going := !run.State.Ended() || run.State.Resumable() && e.now().Sub(run.rested()) <= resumeWithin
		if r.Runs.keeps(run.StartTime, e.now(), i) || going || inForce[run.Name] || owning[run.Plan] && run.Counts.Done > 0 {
			needed[run.Plan] = true
			continue
		}
		if err := e.Store.DeleteRun(ctx, company, run.Name); err != nil && !errors.Is(err, ErrNotFound) {
			return pruned, err
		}
		pruned.Runs++
	}
	plans, err := e.Store.Plans(ctx, company)
	if err != nil {
		return pruned, err
	}
	for i, plan := range plans {
		if r.Plans.keeps(plan.CreateTime, e.now(), i) || needed[plan.Name] {
			continue
		}
		if err := e.Store.DeletePlan(ctx, company, plan.Name); err != nil && !errors.Is(err, ErrNotFound) {
			return pruned, err
		}
		pruned.Plans++
	}
	return pruned, nil
}

// Matches tells whether a run is one of those that a reader of the history asks for.
func (f RunFilter) Matches(r *Run) bool {
	return (len(f.States) == 0 || slices.Contains(f.States, r.State)) && (f.Plan == "" || r.Plan == f.Plan) &&
		(f.Actor == "" || strings.EqualFold(r.Actor, f.Actor)) && within(r.StartTime, f.Since, f.Until)
}

// RunFilter chooses runs; the zero value all.
type RunFilter struct {
	States []RunState
	Plan   string
	Actor  string
	// Since and Until bound when it was started; zero: not.
	Since, Until time.Time
}

func within(t, since, until time.Time) bool {
	return (since.IsZero() || !t.Before(since)) && (until.IsZero() || t.Before(until))
}

// PlanFilter chooses plans; the zero value all.
type PlanFilter struct {
	Creator string
	// Undoes is the run that it undoes.
	Undoes       string
	Since, Until time.Time
}

// Matches tells whether a plan, of which the head is enough, is one of those asked for.
func (f PlanFilter) Matches(p *StoredPlan) bool {
	return (f.Creator == "" || strings.EqualFold(p.Creator, f.Creator)) && (f.Undoes == "" || p.Plan.Undoes == f.Undoes) && within(p.CreateTime, f.Since, f.Until)
}
