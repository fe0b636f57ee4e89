package sync

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// What is sent again, and when:
//
//	what came                                       sent again            counted against the operation
//	------------------------------------------------------------------------------------------------------
//	429, 503 with Retry-After: surely not done      after Retry-After     no
//	no connection: surely not done                  after a backoff       no; the circuit opens after openAfter in a row
//	answer lost, looked up, and found not done      after a backoff       yes: after three times it failed; not while the
//	                                                                      circuit is open
//	a batch was refused as a whole                  at once, in halves    no
//	refused                                         never                 -
//	no account, a login refused                     never: the run waits  -
//
// All of it is bounded by the run's patience: so long it waits for upstream without an answer, then it comes to rest.

// tries is how often an operation is sent when its answer is lost and it is then found not done.
const tries = 3

// backoff gives growing pauses, drawn at random so that those who failed together do not come back together.
type backoff struct {
	first, longest time.Duration
	random         func() float64 // in [0, 1)
}

func newBackoff(first, longest time.Duration, random func() float64) backoff {
	if random == nil {
		random = rand.Float64 //nolint:gosec // a pause is no secret
	}
	return backoff{first, max(first, longest), random}
}

// ceiling is the longest pause after n failures before.
func (b backoff) ceiling(n int) time.Duration {
	d := b.first
	for ; n > 0 && d < b.longest; n-- {
		d *= 2
	}
	return min(d, b.longest)
}

// jitter draws a pause from nothing to the ceiling ("full jitter").
func (b backoff) jitter(n int) time.Duration {
	return time.Duration(b.random() * float64(b.ceiling(n)))
}

// spread draws a pause from half the ceiling to all of it, for what must not come too soon.
func (b backoff) spread(n int) time.Duration {
	c := b.ceiling(n)
	return c/2 + time.Duration(b.random()*float64(c/2))
}

// postponed is an operation, or the look-up of a call, that waits for its time.
type postponed struct {
	operation int
	at        time.Time
}

// postpone sends an operation again later.
func (c *coordinator) postpone(id int, pause time.Duration) {
	at := time.Now().Add(pause)
	c.later = append(c.later, postponed{id, at})
	if c.nextLater.IsZero() || at.Before(c.nextLater) {
		c.nextLater = at
	}
}

// wake lets those go whose time has come.
func (c *coordinator) wake(now time.Time) {
	if c.nextLater.IsZero() || c.nextLater.After(now) {
		return
	}
	waiting := c.later
	c.later, c.nextLater = nil, time.Time{}
	for _, p := range waiting {
		if !p.at.After(now) {
			c.enqueue(p.operation)
			continue
		}
		c.later = append(c.later, p)
		if c.nextLater.IsZero() || p.at.Before(c.nextLater) {
			c.nextLater = p.at
		}
	}
}

// again puts an operation that surely was not done back in the queue, unless it was tried often enough.
func (c *coordinator) again(o Outcome) error {
	c.figures.Repeats++
	if o.Trouble != nil || c.circuit.state != circuitClosed {
		c.postpone(o.Operation, c.wait().jitter(c.circuit.troubles))
		return nil
	}
	if c.tried[o.Operation]++; c.tried[o.Operation] < tries {
		c.postpone(o.Operation, c.wait().jitter(c.tried[o.Operation]-1))
		return nil
	}
	o.Attempts = c.sent[o.Operation]
	o.Status, o.Message = Failed, fmt.Sprintf("sent %d times and never done: %s", tries, o.Message)
	return c.conclude(o)
}

func (c *coordinator) wait() backoff { return c.circuit.wait }

// cut sends the operations of a refused batch again, in halves.
func (c *coordinator) cut(outcomes []Outcome) error {
	c.figures.Repeats++
	if c.parts.hopeless(outcomes[0].Operation) {
		for _, o := range outcomes {
			o.Status = Failed
			if err := c.conclude(o); err != nil {
				return err
			}
		}
		return nil
	}
	c.parts.halve(outcomes)
	for _, o := range outcomes {
		c.enqueue(o.Operation)
	}
	return nil
}
