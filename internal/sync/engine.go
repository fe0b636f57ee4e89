package sync

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Engine refreshes the recorded state, makes plans and carries them out. It is safe for concurrent use; that only one
// run at a time changes a company is the caller's to see to (Execute does not check).
type Engine struct {
	Store  Store
	Target Target
	// Clock gives the time for names and records of what happened; nil means time.Now.
	Clock func() time.Time
	// Parallel is the number of calls in flight when a run names none; 0 means 8.
	Parallel int
	// Pause is the ceiling of the first pause before an operation is sent again; each further one is twice as high, up to 30
	// times. 0 means 2 s.
	Pause time.Duration
	// Patience is how long a run waits for upstream when it does not say itself; 0 means 30 minutes, less than 0 not at all.
	Patience time.Duration
	// Random draws numbers in [0, 1) for the jitter of pauses; nil means math/rand.
	Random func() float64
}

// ErrNotRecorded: nothing is recorded of the company yet; a refresh comes first.
var ErrNotRecorded = errors.New("no recorded state")

func (e *Engine) now() time.Time {
	if e.Clock != nil {
		return e.Clock().UTC()
	}
	return time.Now().UTC()
}

// Refresh replaces the recorded state of a company by what upstream holds now. progress, if given, is called with the
// number of records read so far.
func (e *Engine) Refresh(ctx context.Context, company string, progress func(records int)) (Company, error) {
	var seen Company
	applied, resting := e.carriedOver(ctx, company)
	err := e.Store.Record(ctx, func(put func(Record) error) (Company, error) {
		records := 0
		var kept []Record
		c, err := e.Target.Observe(ctx, company, func(r Record) error {
			records++
			if progress != nil {
				progress(records)
			}
			if e, ok := r.(*Extension); ok && applied[e.ID] != nil {
				kept = append(kept, applied[e.ID]...)
			}
			return put(r)
		})
		for _, r := range append(kept, resting...) {
			if release, ok := r.(*Release); ok && release.over(e.now()) || err != nil {
				continue
			}
			err = put(r)
		}
		c.RecordedAt = e.now().Format(time.RFC3339)
		seen = c
		return c, err
	})
	if err != nil {
		return Company{}, fmt.Errorf("refresh of company %s: %w", company, err)
	}
	return seen, nil
}

// Plan compares a desired state with the recorded one. It changes nothing. The error is Faults when the manifest can't be
// planned, ErrNotRecorded when the company was never refreshed.
func (e *Engine) Plan(ctx context.Context, company string, desired *Desired, policy Policy) (plan *Plan, err error) {
	if lineage := desired.policy(policy).Lineage; lineage != "" && desired.Owned == nil {
		if desired.Owned, err = e.owned(ctx, company, lineage); err != nil {
			return nil, err
		}
	}
	if rules := desired.policy(policy).Renumber; len(rules) > 0 {
		known := *desired
		if known.Renumbered, err = e.renumberedBy(ctx, company, rules); err != nil {
			return nil, err
		}
		desired = &known
	}
	view, err := e.Store.Observed(ctx, company)
	if errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("company %s: %w", company, ErrNotRecorded)
	}
	if err != nil {
		return nil, err
	}
	defer func() { // a record that could not be read voids the plan
		if closeErr := view.Close(); closeErr != nil {
			plan, err = nil, errors.Join(err, closeErr)
		}
	}()
	if len(desired.Pools) > 0 && desired.Today == "" {
		today := *desired
		today.Today = e.now().Format(time.DateOnly)
		desired = &today
	}
	obs, err := e.withDetails(ctx, company, desired.details(view), view)
	if err != nil {
		return nil, err
	}
	return MakePlan(desired, obs, policy)
}

// NewName gives a fresh name for a plan or run: its prefix, the time, and a few random letters, fit for a resource name.
func (e *Engine) NewName(prefix string) string {
	var b [3]byte
	rand.Read(b[:])
	return prefix + "-" + e.now().Format("20060102-150405") + "-" + hex.EncodeToString(b[:])
}

// Recover marks the runs of a company that a process left running as interrupted, so that they can be resumed. It is
// called once, by whoever opened the store, before anything runs.
func (e *Engine) Recover(ctx context.Context, company string) ([]*Run, error) {
	runs, err := e.Store.Runs(ctx, company)
	if err != nil {
		return nil, err
	}
	var interrupted []*Run
	for _, listed := range runs {
		if listed.State != RunRunning {
			continue
		}
		r, err := e.Store.Run(ctx, company, listed.Name)
		if err != nil {
			return nil, err
		}
		r.State, r.EndTime = RunInterrupted, e.now()
		r.Message = "the gateway ended while the run was going on; resume it to go on where it stopped"
		if err := e.Store.UpdateRun(ctx, r); err != nil {
			return nil, err
		}
		interrupted = append(interrupted, r)
	}
	return interrupted, nil
}
