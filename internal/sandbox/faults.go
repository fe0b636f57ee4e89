package sandbox

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// Fault makes some requests go wrong. The first rule that matches and still
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
	// Body is sent with Status as it is, as JSON when it starts with { and as
	// text else; empty sends Rainbow's envelope of the status.
	Body string `json:"body,omitempty"`
	// Times is how often the rule applies; 0 is always.
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

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// faults holds the rules in force; it has its own lock.
type faults struct {
	mu    sync.Mutex
	rules []*faultRule
	dice  *rand.Rand
}

type faultRule struct {
	Fault
	skipped, applied int
}

func newFaults(seed uint64) *faults {
	return &faults{dice: rand.New(rand.NewPCG(seed, 0x5b7d0c0ffee))}
}

// SetFaults replaces the rules in force; nil ends all. The error names a rule
// that cannot be meant.
func (s *Sandbox) SetFaults(rules []Fault) error {
	for i, r := range rules {
		if err := r.check(); err != nil {
			return fmt.Errorf("fault %d: %w", i, err)
		}
	}
	s.faults.set(rules)
	return nil
}

func (f Fault) check() error {
	if _, err := path.Match(f.Path, ""); err != nil {
		return fmt.Errorf("path %q: %w", f.Path, err)
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return fmt.Errorf("status %d is outside 200 to 599", f.Status)
	}
	if f.Probability < 0 || f.Probability > 1 {
		return fmt.Errorf("probability %v is outside 0 to 1", f.Probability)
	}
	if _, known := rowMessages()[f.RowCode]; f.RowCode != 0 && !known {
		return fmt.Errorf("row code %d is unknown", f.RowCode)
	}
	if f.DropAfter && f.Status != 0 {
		return fmt.Errorf("dropAfter does the work, status %d does not: only one can be set", f.Status)
	}
	return nil
}

func (f *faults) set(rules []Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = nil
	for _, r := range rules {
		f.rules = append(f.rules, &faultRule{Fault: r})
	}
}

func (f *faults) list() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := []Fault{}
	for _, r := range f.rules {
		list = append(list, r.Fault)
	}
	return list
}

// next answers the fault that hits a request, nil for none.
func (f *faults) next(method, target string) *Fault {
	return f.pick(func(r *faultRule) bool { return r.RowCode == 0 && r.matches(method, target) })
}

// row answers the code that the row of a user must fail with, 0 for none.
func (f *faults) row(login string) int {
	hit := f.pick(func(r *faultRule) bool {
		return r.RowCode != 0 && (r.Login == "" || strings.EqualFold(r.Login, login))
	})
	if hit == nil {
		return 0
	}
	return hit.RowCode
}

// pick answers the first rule that matches and still has a turn.
func (f *faults) pick(matches func(*faultRule) bool) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rules {
		if !matches(r) || (r.Times > 0 && r.applied >= r.Times) {
			continue
		}
		if r.skipped < r.Skip {
			r.skipped++
			continue
		}
		if r.Probability > 0 && r.Probability < 1 && f.dice.Float64() >= r.Probability {
			continue
		}
		r.applied++
		fault := r.Fault
		return &fault
	}
	return nil
}

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

// answer writes the fault's status and body.
func (f *Fault) answer(w http.ResponseWriter) {
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(f.RetryAfter))
	}
	body, contentType := []byte(f.Body), "text/plain; charset=utf-8"
	if f.Body == "" {
		body, _ = encode(&apiError{Status: f.Status, Details: "fault of the sandbox"})
	}
	if len(body) > 0 && (body[0] == '{' || body[0] == '[') {
		contentType = "application/json; charset=utf-8"
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(f.Status)
	w.Write(body)
}
