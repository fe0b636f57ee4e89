package sync

import (
	"context"
	"errors"
	"iter"
	"time"
)

// The kinds of a store's errors.
var (
	// ErrNotFound: no plan, run or company with that name is stored.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the thing changed since it was read, or exists already.
	ErrConflict = errors.New("conflict")
)

// Store keeps the engine's books. Every method is atomic and durable when it returns; implementations are safe for
// concurrent use. It speaks the engine's terms, so that another implementation than internal/state can follow.
type Store interface {
	StateStore
	PlanStore
	RunStore
	JournalStore
}

// StateStore keeps the recorded upstream state, by company.
type StateStore interface {
	// Observed opens a consistent view; it must be closed. A company never recorded gives ErrNotFound.
	Observed(ctx context.Context, company string) (Snapshot, error)
	// Record replaces the whole recorded state of a company by what fill hands to put, all or nothing: when fill fails, the
	// old state stays. fill may call upstream; the store holds no lock meanwhile.
	Record(ctx context.Context, fill func(put func(Record) error) (Company, error)) error
}

// Snapshot is an Observed that holds resources.
type Snapshot interface {
	Observed
	Close() error
}

// PlanStore keeps plans. Names are unique in a company and chosen by the engine.
type PlanStore interface {
	CreatePlan(ctx context.Context, p *StoredPlan) error
	Plan(ctx context.Context, company, name string) (*StoredPlan, error)
	// Plans lists a company's plans, newest first, without their operations.
	Plans(ctx context.Context, company string) ([]*StoredPlan, error)
	DeletePlan(ctx context.Context, company, name string) error
}

// StoredPlan is a plan with its name and history.
type StoredPlan struct {
	Name       string    `json:"name"`
	Plan       *Plan     `json:"plan"`
	Hash       string    `json:"hash"`
	CreateTime time.Time `json:"createTime"`
	// RecordTime is when the state that it was made from was read from upstream.
	RecordTime time.Time `json:"recordTime,omitzero"`
	// Creator is the principal that asked for it, in words.
	Creator string `json:"creator,omitempty"`
	// Sources are the names of the manifest's files.
	Sources []string `json:"sources,omitempty"`
}

// RunStore keeps runs.
type RunStore interface {
	CreateRun(ctx context.Context, r *Run) error
	// UpdateRun replaces a run.
	UpdateRun(ctx context.Context, r *Run) error
	Run(ctx context.Context, company, name string) (*Run, error)
	// Runs lists a company's runs, newest first.
	Runs(ctx context.Context, company string) ([]*Run, error)
}

// JournalStore keeps, for every run, the intent of each call before it goes upstream and its outcome after. Both ends
// take several calls, so that calls in parallel share one write to disk.
type JournalStore interface {
	// Begin records the intent of the calls; when it returns, the intents are on disk.
	Begin(ctx context.Context, entries ...JournalEntry) error
	// End records the outcome of calls begun, and in the same transaction what they changed in the recorded state of the
	// company; changes are made in the given order.
	End(ctx context.Context, company string, changes []RecordChange, entries ...JournalEntry) error
	// Journal walks a run's entries in call order; a call that was begun and not ended has no outcomes.
	Journal(ctx context.Context, company, run string) iter.Seq2[JournalEntry, error]
}

// JournalEntry is one call of a run.
type JournalEntry struct {
	Company string `json:"company"`
	Run     string `json:"run"`
	Number  int    `json:"number"`
	// Operations are the ids of the plan's operations in the call.
	Operations []int     `json:"operations"`
	Began      time.Time `json:"began"`
	Ended      time.Time `json:"ended,omitzero"`
	Outcomes   []Outcome `json:"outcomes,omitempty"`
}

// RecordChange is one change of the recorded state: Record is stored under its key; without one, Key is removed.
type RecordChange struct {
	Key    Key
	Record Record
}
