package sandbox

import (
	"path"
	"strings"
	"time"
)

// Fault is a rule that makes some requests go wrong. Its JSON names are the
// vocabulary of the flag --fault, of fault files and of /sandbox/faults; how
// the fields work together stands in docs/sandbox.md, with an example of each.
//
// Rules are met in order. What only shapes a request (Latency, SlowRequest,
// SlowAnswer, Stale, ExtraMembers, Drift) adds up over the rules; the first
// rule that decides the answer (Status, Limit, Cut, Lost, Expire, Lock) ends
// the search.
type Fault struct {
	// Name stands in the journal and in the list of rules; empty becomes
	// "fault N", with the rule's place.
	Name string `json:"name,omitempty"`

	// Operation is an id of the catalogue, or a pattern of ids ("List*").
	Operation string `json:"operation,omitempty"`
	// Method is compared exactly; empty matches every method.
	Method string `json:"method,omitempty"`
	// Path is a pattern of the whole path: * stands for one segment (or a part
	// of one), ** at the end for the rest. Empty matches every path.
	Path string `json:"path,omitempty"`
	// Login narrows the rule to the requests of one account: those that sign in
	// as it, or carry its token. With RowCode it is the user of the row.
	Login string `json:"login,omitempty"`

	// Skip lets that many matching requests pass first.
	Skip int `json:"skip,omitempty"`
	// Times is how often the rule applies; 0 is always.
	Times int `json:"times,omitempty"`
	// Probability is the chance of each turn, 0 and 1 both being certain.
	Probability float64 `json:"probability,omitempty"`
	// After is how long the rule sleeps once it is set, For how long it then is
	// awake; 0 is forever. Both follow the clock of the sandbox.
	After Duration `json:"after,omitempty"`
	For   Duration `json:"for,omitempty"`

	// Latency is waited before the request is looked at, but after it was read.
	Latency *Latency `json:"latency,omitempty"`
	// SlowRequest reads the body of the request slowly.
	SlowRequest *Pace `json:"slowRequest,omitempty"`
	// SlowAnswer sends the body of the answer slowly.
	SlowAnswer *Pace `json:"slowAnswer,omitempty"`

	// Status is answered instead of doing the work; 0 does the work.
	Status int `json:"status,omitempty"`
	// Limit refuses what is too much: status 429 unless Status says otherwise.
	Limit *Limit `json:"limit,omitempty"`
	// RetryAfter is sent with Status, in seconds; 0 sends none. A Limit says
	// itself when to come back.
	RetryAfter int `json:"retryAfter,omitempty"`
	// RetryAfterForm is seconds (the default) or date.
	RetryAfterForm string `json:"retryAfterForm,omitempty"`
	// Format is the body of such an answer: json (Rainbow's envelope, the
	// default), html (a page as of a proxy), text, or empty.
	Format string `json:"format,omitempty"`
	// Body is sent as it is in place of Format, as JSON when it starts with { or
	// [ and as text else.
	Body string `json:"body,omitempty"`

	// Cut breaks the connection; see the constants.
	Cut string `json:"cut,omitempty"`
	// Lost does the work and loses the answer; see the constants.
	Lost string `json:"lost,omitempty"`
	// Hold is how long Cut "silence" and Lost "timeout" keep the caller waiting
	// before the connection is closed; 0 is 150 seconds.
	Hold Duration `json:"hold,omitempty"`

	// Expire makes a good token an expired one: once (for this request), token
	// (for good), all (every token issued so far).
	Expire string `json:"expire,omitempty"`
	// Lock locks the account that signs in, as five failures would.
	Lock Duration `json:"lock,omitempty"`

	// Stale answers reads from a replica that lags behind.
	Stale *Stale `json:"stale,omitempty"`
	// ExtraMembers adds that many undocumented members to the answer.
	ExtraMembers int `json:"extraMembers,omitempty"`
	// Drift changes the type of members of the answer.
	Drift *Drift `json:"drift,omitempty"`

	// RowCode makes rows of imports fail with that code (1001 to 1012, 2001 to
	// 2022) instead of requests; Login narrows it to the rows of one user.
	// Times, Skip and Probability count rows then.
	RowCode int `json:"rowCode,omitempty"`
	// Pending keeps an import from starting for that long. The rule counts
	// imports.
	Pending Duration `json:"pending,omitempty"`
}

// What Fault.Cut may be. But for CutMidBody, CutShortBody and CutOpenChunk the
// work is not done.
const (
	CutBeforeRead = "before-read" // reset once the head of the request is read
	CutAfterRead  = "after-read"  // reset once its body is read, too
	CutSilence    = "silence"     // no answer, see Fault.Hold
	CutMidBody    = "mid-body"    // reset within the body of the answer
	CutShortBody  = "short-body"  // closed within the body, whose Content-Length promised more
	CutOpenChunk  = "open-chunk"  // closed within a chunked body
)

// What Fault.Lost may be. The work is done.
const (
	LostClose   = "close"   // the connection is closed without an answer
	LostReset   = "reset"   // it is reset
	LostTimeout = "timeout" // there is no answer, see Fault.Hold
	Lost502     = "502"     // a proxy answers in place of Rainbow
	Lost504     = "504"
)

// What Fault.Expire may be.
const (
	ExpireOnce  = "once"
	ExpireToken = "token"
	ExpireAll   = "all"
)

// Pace is how slowly a body goes: Bytes, then a pause of Every, and so on. When
// Max is over (30 seconds unless given), the rest follows at once.
type Pace struct {
	Bytes int      `json:"bytes"`
	Every Duration `json:"every"`
	Max   Duration `json:"max,omitempty"`
}

// Limit is a token bucket: Rate requests a second, Burst at once (1 unless
// given). Per says who shares a bucket: all (the default), account or token.
type Limit struct {
	Rate  float64 `json:"rate"`
	Burst int     `json:"burst,omitempty"`
	Per   string  `json:"per,omitempty"`
}

// Stale is a replica that shows each change late: after For, or after Reads
// answers without it. It answers lists, and with ByID reads of one document,
// too. Collection narrows it to the reads of one kind of document.
type Stale struct {
	Collection string   `json:"collection,omitempty"`
	For        Duration `json:"for,omitempty"`
	Reads      int      `json:"reads,omitempty"`
	ByID       bool     `json:"byId,omitempty"`
}

// Drift turns the members of a name, or one at random, into another type:
// string, number, bool, null or list; empty picks another type by chance.
type Drift struct {
	Member string `json:"member,omitempty"`
	To     string `json:"to,omitempty"`
}

// Duration is a time.Duration that JSON writes as "250ms".
type Duration time.Duration

// MarshalText writes the duration as time.Duration prints it.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// ofImports tells whether the rule is about imports, not about requests.
func (f *Fault) ofImports() bool { return f.RowCode != 0 || f.Pending != 0 }

// decides tells whether the rule settles what the answer is.
func (f *Fault) decides() bool {
	return f.Status != 0 || f.Limit != nil || f.Cut != "" || f.Lost != "" || f.Expire != "" || f.Lock != 0
}

// matches compares method and path with the rule's.
func (f Fault) matches(method, target string) bool {
	if f.Method != "" && f.Method != method {
		return false
	}
	if f.Path == "" {
		return true
	}
	if head, all := strings.CutSuffix(f.Path, "/**"); all {
		segments := strings.Count(head, "/") + 1
		parts := strings.SplitN(target, "/", segments+1)
		if len(parts) <= segments {
			return false
		}
		target = strings.Join(parts[:segments], "/")
		ok, _ := path.Match(head, target)
		return ok
	}
	ok, _ := path.Match(f.Path, target)
	return ok
}

// concerns tells whether a request is one that the rule is about.
func (f *Fault) concerns(q *requestFacts) bool {
	if !f.matches(q.method, q.path) || f.Login != "" && !strings.EqualFold(f.Login, q.login) {
		return false
	}
	if ok, _ := path.Match(f.Operation, q.operation.id); f.Operation != "" && !ok {
		return false
	}
	switch {
	case f.Expire != "":
		return q.bearer
	case f.Lock != 0:
		return q.basic && q.login != ""
	case f.Stale != nil:
		return f.Stale.concerns(q.operation)
	}
	return true
}
