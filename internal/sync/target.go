package sync

import "context"

// Target is the upstream that an engine changes. Its methods may be called by several goroutines at once.
type Target interface {
	// Observe reads the whole upstream state of a company and hands every record to put, in no particular order.
	Observe(ctx context.Context, company string, put func(Record) error) (Company, error)
	// Read reads the records with the given keys afresh; the ones that do not exist are missing from the answer.
	Read(ctx context.Context, company Company, observed Observed, keys []Key) (map[Key]Record, error)
	// Apply carries out a call and gives one outcome for each of its steps, in their order. The error is for what concerns
	// no single step (no account, cancelled before anything was sent): then nothing was done. It is Trouble when the call
	// may be sent again later.
	Apply(ctx context.Context, call Call) ([]Outcome, error)
	// Confirm looks up whether a call whose outcome is unknown took effect; it changes nothing upstream. A step that did
	// not take effect comes back with status NotDone, and only when upstream's own lists had the time to show it.
	Confirm(ctx context.Context, call Call) ([]Outcome, error)
}

// Prober is implemented by a target that can see, without changing anything, whether upstream is there. Its error is
// Trouble when it is not.
type Prober interface {
	Probe(ctx context.Context, company Company) error
}

// Batch tells how many operations of one kind and action a target takes in one call, and how the calls are grouped:
// operations with the same non-empty group may share a call.
type Batch struct {
	Group string
	Size  int
	// Weight is what the operation takes of the Room of a call; a Room of 0 is without end.
	Weight, Room int
}

// Batcher is implemented by a target that takes several operations in one call; without it, each goes alone.
type Batcher interface {
	Batch(step *Step, by UsersBy) Batch
}

// Call is what goes upstream at once: one operation, or several that the target takes as a batch.
type Call struct {
	// Run and Number name the call for ever: the label of an import, the journal's key.
	Run    string
	Number int
	// Company as recorded.
	Company Company
	Steps   []Step
	// UsersBy says how users are created, changed and deleted.
	UsersBy UsersBy
	// Tell, if given, is told of every request that the call makes; it may be called by several goroutines.
	Tell func(Request)
}

// Step is one operation of a call with what it needs to be carried out.
type Step struct {
	Operation Operation
	// Refs are the upstream ids it needs, as recorded now (an earlier operation of the run may have created them).
	Refs Refs
	// Sent is how often the operation was sent before: upstream may be so already.
	Sent int
	// Password is the secret that Operation.Secret points at. It is never stored or shown.
	Password string `json:"-"`
	// Saved is what the saves that a restore needs have read, in the order of its needs.
	Saved []string `json:"-"`
}

// Refs are upstream ids. Which ones are set depends on the operation: the user's always, but for a user's creation.
type Refs struct {
	UserID string
	// SystemID is that of the Cloud PBX, or of the equipped PBX of a pairing.
	SystemID string
	// SubscriberID is the phone number id of the user's subscriber (devices), or of the extension concerned.
	SubscriberID string
	// ThingID is the id of the device, DDI or subscription concerned.
	ThingID string
}

// Status is how an operation ended.
type Status string

// The statuses of an operation in a run.
const (
	// Done: it took effect upstream.
	Done Status = "done"
	// Failed: upstream refused it; nothing changed.
	Failed Status = "failed"
	// NotDone: it was not carried out though nothing refused it (cancelled, or found not done after a crash).
	NotDone Status = "not-done"
	// Unknown: the answer was lost; it must be looked up before anything else is done.
	Unknown Status = "unknown"
	// Skipped: an operation that it needs did not succeed, or its secret is missing.
	Skipped Status = "skipped"
	// Held: the plan holds it back, and the run does not override that.
	Held Status = "held"
)

// Outcome is how one step ended.
type Outcome struct {
	Operation int    `json:"operation"`
	Status    Status `json:"status"`
	// ID is the upstream id of what the operation created (user, subscriber).
	ID string `json:"id,omitempty"`
	// Code is Rainbow's error code (a row code such as 2003, or errorDetailsCode such as 409000); 0 when there is none.
	Code int `json:"code,omitempty"`
	// Message says what went wrong, or what blocked it; it never holds a secret.
	Message string `json:"message,omitempty"`
	// Saved is what a save read, for the restore that needs it: text that only the target reads, without secrets. The
	// journal keeps it.
	Saved string `json:"saved,omitempty"`
	// Attempts counts how often it was sent.
	Attempts int `json:"attempts,omitempty"`
	// Millis is how long its call took the last time, with the look-up of a lost answer, in milliseconds.
	Millis int64 `json:"millis,omitempty"`
	// Seen is the thing as upstream shows it afterwards, when the target read it back: it is recorded in place of what the
	// operation was expected to leave.
	Seen Record `json:"-"`
	// Trouble is what lost the answer (Unknown), or kept upstream from taking the call (NotDone); nil when waiting would not
	// help.
	Trouble *Trouble `json:"-"`
	// Split: the call was refused as a whole, so that the fault may be that of another of its operations. The status is then
	// NotDone, and the operations are sent again in smaller calls.
	Split bool `json:"-"`
}
