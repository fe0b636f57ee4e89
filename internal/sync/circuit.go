package sync

import "time"

// When upstream is down, calls would fail one after the other, each for no fault of its own. So a run has a circuit:
//
//	closed ──(openAfter troubles in a row)──> open ──(a probe is answered)──> half-open ──(a call is answered)──> closed
//	                                           ^                                  │
//	                                           └──────────(trouble)───────────────┘
//
// Open, nothing is sent but a harmless probe now and then, at growing intervals; half-open, one call at a time. The
// intervals go on growing until a call is answered: reads may work where writes do not.

// openAfter is how many calls and look-ups in a row meet trouble before the circuit opens.
const openAfter = 5

type circuitState int

const (
	circuitClosed circuitState = iota
	circuitOpen
	circuitHalfOpen
)

// String names the state.
func (s circuitState) String() string {
	switch s {
	case circuitOpen:
		return "open"
	case circuitHalfOpen:
		return "half-open"
	}
	return "closed"
}

// circuit belongs to a coordinator. Times are handed in.
type circuit struct {
	state circuitState
	// troubles in a row, and probes since the circuit opened.
	troubles, probes int
	// since is when the first of the troubles came; next when a probe is due.
	since, next time.Time
	// last says what the trouble is.
	last string
	wait backoff
}

// trouble notes that upstream did not take a call or a probe.
func (c *circuit) trouble(at time.Time, t *Trouble) {
	if c.troubles == 0 {
		c.since = at
	}
	c.troubles++
	c.last = t.Error()
	if c.state == circuitHalfOpen || c.state == circuitClosed && c.troubles >= openAfter {
		c.state = circuitOpen
		c.next = at.Add(max(c.wait.spread(c.probes), t.After))
		c.probes++
	}
}

// probed notes how a probe went; nil is well.
func (c *circuit) probed(at time.Time, t *Trouble) {
	if t == nil {
		c.state = circuitHalfOpen
		return
	}
	c.last = t.Error()
	c.next = at.Add(max(c.wait.spread(c.probes), t.After))
	c.probes++
}

// answered notes that a call came back with an answer of upstream.
func (c *circuit) answered() { *c = circuit{wait: c.wait} }
