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
	// RetryOf is the run whose failed part this one does; Only are its operations then, in ascending order, all of them else.
	RetryOf string `json:"retryOf,omitempty"`
	Only    []int  `json:"only,omitempty"`
	// Hold says why it stands still while it goes on.
	Hold    *Hold   `json:"hold,omitempty"`
	Figures Figures `json:"figures,omitzero"`
	// Message says why the run stopped, when it did not simply succeed.
	Message string `json:"message,omitempty"`
	// Stranded are the first of the users whom it left without a number when it ended before its time (stranded.go), and
	// StrandedCount is how many there are.
	Stranded      []Login `json:"stranded,omitempty"`
	StrandedCount int     `json:"strandedCount,omitempty"`
	// Outcomes is filled when the run has ended, by operation id.
	Outcomes []Outcome `json:"outcomes,omitempty"`
}

// RunOption is what a caller may choose about a run.
type RunOption struct {
	// Parallel is the highest number of calls in flight; 0 means the engine's default.
	Parallel int `json:"parallel,omitempty"`
	// Override carries out what the plan holds back too.
	Override bool `json:"override,omitempty"`
	// Patience is how long the run waits for upstream when that is down or wants no calls; 0 means the engine's default,
	// less than 0 that it does not wait.
	Patience Millis  `json:"patience,omitempty"`
	UsersBy  UsersBy `json:"usersBy,omitempty"`
	// Stale says what becomes of operations that rely on what changed since the plan was made: empty or StaleRefuse, the run
	// waits; StaleDrop, it goes on without them.
	Stale StalePolicy `json:"stale,omitempty"`
}

// UsersBy is how a target creates, changes and deletes users.
type UsersBy string

// The ways. UsersByDefault leaves it to the target.
const (
	UsersByDefault UsersBy = ""
	// UsersByImport sends many at a time, as rows of an import.
	UsersByImport UsersBy = "import"
	// UsersByAdmin makes a call for each.
	UsersByAdmin UsersBy = "admin"
)

// Millis is a duration in milliseconds, for what is stored: not all readers of JSON agree on what a time.Duration is there.
type Millis int64

// MillisOf makes milliseconds of a duration; what is less than a millisecond is left out, but a negative one stays negative.
func MillisOf(d time.Duration) Millis {
	if d < 0 {
		return min(-1, Millis(d.Milliseconds()))
	}
	return Millis(d.Milliseconds())
}

// Duration is the same as a time.Duration.
func (s Millis) Duration() time.Duration { return time.Duration(s) * time.Millisecond }

// Figures are what a run came to, over all its goes.
type Figures struct {
	// Calls are those of the journal, Requests what they took upstream (0 when the target does not tell), Repeats the
	// operations and batches that were sent again, Refused the requests answered 429.
	Calls    int `json:"calls,omitempty"`
	Requests int `json:"requests,omitempty"`
	Repeats  int `json:"repeats,omitempty"`
	Refused  int `json:"refused,omitempty"`
	// Limit is how many calls may be in flight, as learned so far, HighestLimit the most that it was.
	Limit        int `json:"limit,omitempty"`
	HighestLimit int `json:"highestLimit,omitempty"`
	// HeldBack is what requests were held back before they were sent, summed over them. Throttled, Waited and Paused are
	// how long the run stood still because upstream wanted no calls, was down, or because of a pause.
	HeldBack  Millis `json:"heldBack,omitempty"`
	Throttled Millis `json:"throttled,omitempty"`
	Waited    Millis `json:"waited,omitempty"`
	Paused    Millis `json:"paused,omitempty"`
}

// plus adds the figures of an earlier go; the limit is that of this one.
func (f Figures) plus(o Figures) Figures {
	f.Calls += o.Calls
	f.Requests += o.Requests
	f.Repeats += o.Repeats
	f.Refused += o.Refused
	f.HighestLimit = max(f.HighestLimit, o.HighestLimit)
	f.HeldBack += o.HeldBack
	f.Throttled += o.Throttled
	f.Waited += o.Waited
	f.Paused += o.Paused
	return f
}

// others are the operations of the plan that are not the run's: an earlier run has done them. Nil for a run of all.
func (r *Run) others(p *Plan) map[int]bool {
	if r.RetryOf == "" {
		return nil
	}
	mine := make(map[int]bool, len(r.Only))
	for _, id := range r.Only {
		mine[id] = true
	}
	others := make(map[int]bool, len(p.Operations))
	for i := range p.Operations {
		if id := p.Operations[i].ID; !mine[id] {
			others[id] = true
		}
	}
	return others
}

// rested is when a run came to rest, or was started if it did not.
func (r *Run) rested() time.Time {
	if r.EndTime.IsZero() {
		return r.StartTime
	}
	return r.EndTime
}

// RunState is where a run stands.
type RunState string

// The states of a run. Only Running is followed by another.
const (
	RunRunning RunState = "running"
	// RunSucceeded: every operation is done that the plan does not hold back.
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
	// Held counts the operations that the plan holds back.
	Held int `json:"held,omitempty"`
}
