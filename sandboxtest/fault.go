package sandboxtest

import (
	"encoding/json"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// Fault is a rule that makes some requests go wrong: the same rule, under the
// same JSON names, as the flag --fault of gateway sandbox takes and
// /sandbox/faults; docs/sandbox.md of the module has an example of each part.
//
// Faults are met in order. What only shapes a request (Latency, SlowRequest,
// SlowAnswer, Stale, ExtraMembers, Drift) adds up; the first fault that decides
// the answer (Status, Limit, Cut, Lost, Expire, Lock) ends the search.
type Fault struct {
	// Name stands in the journal; empty becomes "fault N".
	Name string `json:"name,omitempty"`

	// Which requests: those that all of these match, empty ones matching all.
	Operation string `json:"operation,omitempty"` // an id of the catalogue, or a pattern of ids ("List*")
	Method    string `json:"method,omitempty"`
	Path      string `json:"path,omitempty"`  // a pattern: * is one segment or a part of one, ** at the end the rest
	Login     string `json:"login,omitempty"` // requests of one account; with RowCode the user of the row

	// When: Skip requests pass first, then Times apply (0: all), each with a
	// Probability (0 and 1 are certain), After some time and For some time.
	Skip        int      `json:"skip,omitempty"`
	Times       int      `json:"times,omitempty"`
	Probability float64  `json:"probability,omitempty"`
	After       Duration `json:"after,omitempty"`
	For         Duration `json:"for,omitempty"`

	// How long it takes.
	Latency     *Latency `json:"latency,omitempty"`     // before the request is looked at
	SlowRequest *Pace    `json:"slowRequest,omitempty"` // of reading the request's body
	SlowAnswer  *Pace    `json:"slowAnswer,omitempty"`  // of sending the answer's

	// What is answered instead of doing the work.
	Status         int    `json:"status,omitempty"`
	Limit          *Limit `json:"limit,omitempty"`          // refuses what is too much: 429 unless Status says otherwise
	RetryAfter     int    `json:"retryAfter,omitempty"`     // sent with Status, in seconds; a Limit says itself when
	RetryAfterForm string `json:"retryAfterForm,omitempty"` // seconds (the default) or date
	Format         string `json:"format,omitempty"`         // json (Rainbow's envelope, the default), html, text or empty
	Body           string `json:"body,omitempty"`           // sent in place of Format

	// What becomes of the connection.
	Cut  string   `json:"cut,omitempty"`  // one of the Cut constants
	Lost string   `json:"lost,omitempty"` // one of the Lost constants
	Hold Duration `json:"hold,omitempty"` // of CutSilence and LostTimeout; 0 is 150 seconds

	// What becomes of tokens and accounts.
	Expire string   `json:"expire,omitempty"` // one of the Expire constants
	Lock   Duration `json:"lock,omitempty"`   // locks the account that signs in

	// What answers show.
	Stale        *Stale `json:"stale,omitempty"`
	ExtraMembers int    `json:"extraMembers,omitempty"` // undocumented ones, that many
	Drift        *Drift `json:"drift,omitempty"`

	// What becomes of imports; the rule counts rows, or imports, then.
	RowCode int      `json:"rowCode,omitempty"` // rows fail with it: 1001 to 1012, 2001 to 2022
	Pending Duration `json:"pending,omitempty"` // an import does not start for that long
}

// What Fault.Cut may be: the connection breaks. But for the last three the
// work is not done.
const (
	CutBeforeRead = sandbox.CutBeforeRead // reset once the head of the request is read
	CutAfterRead  = sandbox.CutAfterRead  // reset once its body is read, too
	CutSilence    = sandbox.CutSilence    // no answer, see Fault.Hold
	CutMidBody    = sandbox.CutMidBody    // reset within the body of the answer
	CutShortBody  = sandbox.CutShortBody  // closed within the body, whose Content-Length promised more
	CutOpenChunk  = sandbox.CutOpenChunk  // closed within a chunked body
)

// What Fault.Lost may be: the work is done, its answer is lost.
const (
	LostClose   = sandbox.LostClose   // the connection is closed without an answer
	LostReset   = sandbox.LostReset   // it is reset
	LostTimeout = sandbox.LostTimeout // there is no answer, see Fault.Hold
	Lost502     = sandbox.Lost502     // a proxy answers in place of Rainbow
	Lost504     = sandbox.Lost504
)

// What Fault.Expire may be: a good token has expired.
const (
	ExpireOnce  = sandbox.ExpireOnce  // for this request
	ExpireToken = sandbox.ExpireToken // for good
	ExpireAll   = sandbox.ExpireAll   // every token issued so far
)

// Latency is a distribution of waiting times: fixed (Value; see Fixed), uniform
// (Min to Max), normal or lognormal (Median and P99, between Min and Max).
type Latency struct {
	Distribution string   `json:"distribution,omitempty"`
	Value        Duration `json:"value,omitempty"`
	Min          Duration `json:"min,omitempty"`
	Max          Duration `json:"max,omitempty"`
	Median       Duration `json:"median,omitempty"`
	P99          Duration `json:"p99,omitempty"`
}

// Fixed is the latency that is always the same.
func Fixed(d time.Duration) *Latency { return &Latency{Value: Duration(d)} }

// MarshalJSON writes a fixed latency as its value.
func (l Latency) MarshalJSON() ([]byte, error) {
	if l.Distribution == "" {
		return json.Marshal(l.Value)
	}
	type plain Latency
	return json.Marshal(plain(l))
}

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

// translate hands faults on under their JSON names, which are the stable ones.
func translate(faults []Fault) ([]sandbox.Fault, error) {
	if len(faults) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(faults)
	if err != nil {
		return nil, err
	}
	return sandbox.ParseFaults(text)
}

// SetFaults replaces the faults in force. One that cannot be meant, such as a
// status of 7, fails the test.
func (s *Server) SetFaults(faults ...Fault) {
	s.tb.Helper()
	list, err := translate(faults)
	s.must(err)
	s.must(s.sandbox.SetFaults(list))
}

// SetFaultRules is SetFaults for rules in the words of the flag --fault:
// "operation: ListDdis, status: 503, times: 2".
func (s *Server) SetFaultRules(rules ...string) {
	s.tb.Helper()
	list, err := sandbox.CollectFaults(rules, "")
	s.must(err)
	s.must(s.sandbox.SetFaults(list))
}

// ClearFaults ends all faults.
func (s *Server) ClearFaults() {
	s.tb.Helper()
	s.must(s.sandbox.SetFaults(nil))
}

// FaultCount is how often a fault in force came up.
type FaultCount struct {
	Name    string
	Matched int // requests or rows it is about, since it was set
	Hits    int // those it made go wrong
}

// FaultCounts lists the faults in force, in their order.
func (s *Server) FaultCounts() []FaultCount {
	var list []FaultCount
	for _, f := range s.sandbox.Faults() {
		list = append(list, FaultCount{f.Rule.Name, f.Matched, f.Hits})
	}
	return list
}
