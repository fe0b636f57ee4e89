package sandboxtest

import (
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// Fault is a rule that makes some requests go wrong. Which requests: Operation
// (an id of the catalogue, or a pattern of ids), Method, Path (a pattern),
// Login. When: Skip, Times, Probability, After, For. What: Latency,
// SlowRequest, SlowAnswer; Status with RetryAfter, RetryAfterForm, Format and
// Body; Limit; Cut, Lost and Hold; Expire, Lock; Stale; ExtraMembers, Drift;
// RowCode and Pending of imports. docs/sandbox.md has an example of each.
type Fault = sandbox.Fault

// The parts of a Fault.
type (
	Latency  = sandbox.Latency  // a distribution of waiting times, see Fixed
	Pace     = sandbox.Pace     // how slowly a body goes
	Limit    = sandbox.Limit    // a token bucket
	Stale    = sandbox.Stale    // a replica that lags
	Drift    = sandbox.Drift    // members of another type
	Duration = sandbox.Duration // a time.Duration that JSON writes as "250ms"
)

// FaultState is a fault in force, and how often it came up.
type FaultState = sandbox.FaultState

// Fixed is the latency that is always the same.
func Fixed(d time.Duration) *Latency { return sandbox.Fixed(d) }

// ParseFault reads a fault as the flag --fault of gateway sandbox takes it:
// "operation: ListDdis, status: 503, times: 2".
func ParseFault(rule string) (Fault, error) { return sandbox.ParseFault(rule) }

// SetFaults replaces the faults in force. One that cannot be meant, such as a
// status of 7, fails the test.
func (s *Server) SetFaults(faults ...Fault) {
	s.tb.Helper()
	s.must(s.sandbox.SetFaults(faults))
}

// SetFaultRules is SetFaults for rules in the words of the flag --fault.
func (s *Server) SetFaultRules(rules ...string) {
	s.tb.Helper()
	faults := make([]Fault, len(rules))
	for i, rule := range rules {
		var err error
		faults[i], err = ParseFault(rule)
		s.must(err)
	}
	s.SetFaults(faults...)
}

// Faults lists the faults in force and how often each came up.
func (s *Server) Faults() []FaultState { return s.sandbox.Faults() }

// ClearFaults ends all faults.
func (s *Server) ClearFaults() {
	s.tb.Helper()
	s.must(s.sandbox.SetFaults(nil))
}
