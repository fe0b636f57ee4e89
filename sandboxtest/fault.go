package sandboxtest

import (
	"encoding/json"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// Fault makes some requests go wrong. The first fault that matches and still
// has a turn applies.
type Fault struct {
	// Method is compared exactly; empty matches every method.
	Method string `json:"method,omitempty"`
	// Path is a pattern of the whole path: * stands for one segment (or a part
	// of one), ** at the end for the rest. Empty matches every path.
	Path string `json:"path,omitempty"`
	// Status is answered instead of doing the work; 0 does the work.
	Status int `json:"status,omitempty"`
	// RetryAfter is sent with Status, in seconds; 0 sends none.
	RetryAfter int `json:"retryAfter,omitempty"`
	// Body is sent with Status as it is; empty sends Rainbow's envelope.
	Body string `json:"body,omitempty"`
	// Times is how often the fault applies; 0 is always.
	Times int `json:"times,omitempty"`
	// Skip lets that many matching requests pass first.
	Skip int `json:"skip,omitempty"`
	// Probability is the chance of each turn, 0 and 1 both being certain.
	Probability float64 `json:"probability,omitempty"`
	// Latency is waited before anything else.
	Latency Duration `json:"latency,omitempty"`
	// DropAfter does the work and then cuts the connection: a lost answer.
	DropAfter bool `json:"dropAfter,omitempty"`
	// RowCode makes rows of imports fail with that code (1001 to 1012, 2001 to
	// 2022) instead of requests; Login narrows it to the rows of one user.
	// Times, Skip and Probability count rows then.
	RowCode int    `json:"rowCode,omitempty"`
	Login   string `json:"login,omitempty"`
}

// Duration is a time.Duration that JSON writes as "250ms".
type Duration time.Duration

// MarshalText writes the duration as time.Duration prints it.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// translate hands faults on in the vocabulary of /sandbox/faults, which is the
// stable one.
func translate(faults []Fault) ([]sandbox.Fault, error) {
	text, err := json.Marshal(faults)
	if err != nil {
		return nil, err
	}
	var list []sandbox.Fault
	err = json.Unmarshal(text, &list)
	return list, err
}

// SetFaults replaces the faults in force. One that cannot be meant, such as a
// status of 7, fails the test.
func (s *Server) SetFaults(faults ...Fault) {
	s.tb.Helper()
	list, err := translate(faults)
	s.must(err)
	s.must(s.sandbox.SetFaults(list))
}

// ClearFaults ends all faults.
func (s *Server) ClearFaults() {
	s.tb.Helper()
	s.must(s.sandbox.SetFaults(nil))
}
