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
	AppliedStore
	DriftStore
	// Companies lists the companies of which anything is kept.
	Companies(ctx context.Context) ([]string, error)
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
	// CreatePlan stores a plan, with what its manifest desires if that is given.
	CreatePlan(ctx context.Context, p *StoredPlan) error
	// Plan gives a plan with its approvals, without what its manifest desires.
	Plan(ctx context.Context, company, name string) (*StoredPlan, error)
	// PlanDesired gives what a plan's manifest desires; ErrNotFound when the plan does not exist or was stored without it.
	PlanDesired(ctx context.Context, company, name string) (*Desired, error)
	// Plans lists a company's plans, newest first, without their operations.
	Plans(ctx context.Context, company string) ([]*StoredPlan, error)
	// ApprovePlan adds an approval to a plan.
	ApprovePlan(ctx context.Context, company, name string, a Approval) error
	// WithdrawApprovals takes back those approvals of a plan that `which` says, and keeps who did; it tells how many.
	WithdrawApprovals(ctx context.Context, company, name string, which func(Approval) bool, w Withdrawal) (int, error)
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
	// CreatedBy is the creator with what vouches for him.
	CreatedBy Principal `json:"createdBy,omitzero"`
	// Sources are the names of the manifest's files.
	Sources []string `json:"sources,omitempty"`
	// Empty: the plan has no operation, so that its manifest holds without being applied (ownership.go).
	Empty bool `json:"empty,omitempty"`
	// Fingerprint tells what a plan that found nothing to do was made from (standing.go); empty where that can't be told.
	Fingerprint string `json:"fingerprint,omitempty"`
	// Replaces is the plan that this one was made in place of, when that went stale.
	Replaces string `json:"replaces,omitempty"`
	// Repairs is the run whose manifest in force the plan brings upstream back to; empty for all that drift did not cause.
	Repairs string `json:"repairs,omitempty"`
	// Approvals, oldest first.
	Approvals []Approval `json:"-"`
	// Withdrawals are approvals that were taken back, oldest first.
	Withdrawals []Withdrawal `json:"-"`
	// Desired is what the manifest asks for, without secrets; see PlanStore.
	Desired *Desired `json:"-"`
}

// RunStore keeps runs.
type RunStore interface {
	CreateRun(ctx context.Context, r *Run) error
	// UpdateRun replaces a run.
	UpdateRun(ctx context.Context, r *Run) error
	Run(ctx context.Context, company, name string) (*Run, error)
	// Runs lists a company's runs, newest first, without their outcomes.
	Runs(ctx context.Context, company string) ([]*Run, error)
	// DeleteRun removes a run with its journal and its traces.
	DeleteRun(ctx context.Context, company, name string) error
}

// AppliedStore keeps which manifests are in force in a company: of each title the one that was applied last and not undone.
type AppliedStore interface {
	// SetApplied notes that a run has put a plan's manifest into force; what it desires is taken over from the stored plan.
	// To say it again of the same run changes nothing, nor does a plan that repairs what a manifest in force wants.
	SetApplied(ctx context.Context, a Applied) error
	// Applied lists the manifests in force, the one that was applied last first; none when there are none.
	Applied(ctx context.Context, company string) ([]*Applied, error)
	// AppliedDesired gives what the manifest asks for that a run has put into force, without secrets; ErrNotFound when that is
	// not so, or was not kept.
	AppliedDesired(ctx context.Context, company, run string) (*Desired, error)
	// ForgetApplied takes the manifest of a title out of force, and those of the title before it; ErrNotFound when there is none.
	ForgetApplied(ctx context.Context, company, title string) error
	// UndoApplied notes that the run `by` has undone another: if that had put a manifest into force, the one before it is in
	// force again. Undoing the undoing puts it into force anew.
	UndoApplied(ctx context.Context, company, run, by string) error
}

// JournalStore keeps, for every run, the intent of each call before it goes upstream and its outcome after. Both ends
// take several calls, so that calls in parallel share one write to disk.
type JournalStore interface {
	// Begin records the intent of the calls; when it returns, the intents are on disk.
	Begin(ctx context.Context, entries ...JournalEntry) error
	// End records the outcome of calls begun, and in the same transaction what they changed in the recorded state of the
	// company; changes are made in the given order. What the run changed is also kept with the run, see Traces. Without
	// entries it only changes the recorded state.
	End(ctx context.Context, company string, changes []RecordChange, entries ...JournalEntry) error
	// Journal walks a run's entries in call order; a call that was begun and not ended has no outcomes.
	Journal(ctx context.Context, company, run string) iter.Seq2[JournalEntry, error]
	// Traces walks, in key order, what a run changed in the recorded state, licences' counts aside.
	Traces(ctx context.Context, company, run string) iter.Seq2[Trace, error]
}

// Turner is implemented by a store that can end calls and begin others in one transaction: that halves what a run waits for
// the disk.
type Turner interface {
	// Turn is End and Begin at once: both happen, or neither.
	Turn(ctx context.Context, company string, changes []RecordChange, ended, begun []JournalEntry) error
}

// Trace is one thing that a run changed: as it was before the run first changed it, and as the run left it. A nil record
// means that there was none.
type Trace struct {
	Key           Key
	Before, After Record
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
