package sync

import "time"

// Run is one application of a plan.
type Run struct {
	Name    string `json:"name"`
	Company string `json:"company"`
	// Plan is the name of the plan; Hash its hash, which must still hold when the run is resumed.
	Plan  string   `json:"plan"`
	Hash  string   `json:"hash"`
	State RunState `json:"state"`
	// Actor is the principal that started it, in words.
	Actor     string    `json:"actor,omitempty"`
	Options   RunOption `json:"options"`
	StartTime time.Time `json:"startTime"`
	EndTime   time.Time `json:"endTime,omitzero"`
	Counts    RunCounts `json:"counts"`
	// Message says why the run stopped, when it did not simply succeed.
	Message string `json:"message,omitempty"`
	// Outcomes is filled when the run has ended, by operation id.
	Outcomes []Outcome `json:"outcomes,omitempty"`
}

// RunOption is what a caller may choose about a run.
type RunOption struct {
	// Parallel is the highest number of calls in flight; 0 means the engine's default.
	Parallel int `json:"parallel,omitempty"`
}

// RunState is where a run stands.
type RunState string

// The states of a run. Only Running is followed by another.
const (
	RunRunning RunState = "running"
	// RunSucceeded: every operation is done.
	RunSucceeded RunState = "succeeded"
	// RunFailed: some operations failed or were skipped; the others are done.
	RunFailed RunState = "failed"
	// RunCancelled: it was stopped on request; it can be resumed.
	RunCancelled RunState = "cancelled"
	// RunInterrupted: the process ended while it ran; it can be resumed.
	RunInterrupted RunState = "interrupted"
	// RunWaiting: it could not start or go on (stale plan, upstream down, no account); it can be resumed.
	RunWaiting RunState = "waiting"
)

// Ended tells whether the run has come to rest.
func (s RunState) Ended() bool { return s != RunRunning }

// Resumable tells whether the run can be taken up again.
func (s RunState) Resumable() bool { return s != RunSucceeded }

// RunCounts counts a run's operations by how they ended so far.
type RunCounts struct {
	Total   int `json:"total"`
	Done    int `json:"done"`
	Failed  int `json:"failed"`
	Skipped int `json:"skipped"`
	NotDone int `json:"notDone"`
	Unknown int `json:"unknown"`
}
