package sync

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// A run stands still for three reasons: it was paused, upstream asked to be left alone, or upstream is down. While it does,
// its Hold says which, and it goes on by itself. How long it bears the last two is its patience.

// HoldReason says why a run stands still.
type HoldReason string

// The reasons.
const (
	HoldPaused    HoldReason = "paused"
	HoldThrottled HoldReason = "throttled"
	HoldUpstream  HoldReason = "upstream"
)

// Hold is a run's standing still.
type Hold struct {
	Reason HoldReason `json:"reason"`
	Since  time.Time  `json:"since"`
	// Next is when upstream is tried again, Until when the run gives up; zero for a pause.
	Next    time.Time `json:"next,omitzero"`
	Until   time.Time `json:"until,omitzero"`
	Message string    `json:"message,omitempty"`
}

// defaultPatience is how long a run waits for upstream when nobody says.
const defaultPatience = 30 * time.Minute

// patience is how long this run waits for upstream.
func (c *coordinator) patience() time.Duration {
	return max(0, cmp.Or(c.Run.Options.Patience.Duration(), c.engine.Patience, defaultPatience))
}

// standstill is a coordinator's hold with the time that all of them took.
type standstill struct {
	now  Hold
	from time.Time
}

// hold says why nothing is started now; the zero Hold while things go on.
func (c *coordinator) hold(now time.Time) Hold {
	held := c.limit.held(now)
	switch {
	case c.halted != "":
		return Hold{}
	case c.paused:
		return Hold{Reason: HoldPaused, Message: "paused on request"}
	case c.circuit.state != circuitClosed:
		return Hold{
			Reason: HoldUpstream, Since: c.circuit.since, Next: c.circuit.next, Until: c.troubled.Add(c.patience()), Message: c.circuit.last,
		}
	case !held.IsZero():
		return Hold{Reason: HoldThrottled, Next: held, Until: c.troubled.Add(c.patience()), Message: "upstream asked to wait"}
	}
	return Hold{}
}

// show tells the watchers when the run begins to stand still, goes on, or waits for another moment.
func (c *coordinator) show(now time.Time) {
	c.showHold(now, c.hold(now))
}

func (c *coordinator) showHold(now time.Time, h Hold) {
	was := c.standing.now
	if h.Reason == was.Reason {
		if h.Since = was.Since; h == was {
			return
		}
	} else {
		took := MillisOf(now.Sub(c.standing.from))
		switch was.Reason {
		case HoldThrottled:
			c.figures.Throttled += took
		case HoldUpstream:
			c.figures.Waited += took
		case HoldPaused:
			c.figures.Paused += took
		}
		c.standing.from = now
		if h.Reason != "" && h.Since.IsZero() {
			h.Since = now
		}
	}
	c.standing.now = h
	c.Run.Hold = nil
	if h.Reason != "" {
		utc := h
		utc.Since, utc.Next, utc.Until = inUTC(h.Since), inUTC(h.Next), inUTC(h.Until)
		c.Run.Hold = &utc
	}
	c.tell(Event{})
}

// inUTC is a time as it is stored and shown, without its monotonic part.
func inUTC(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Round(0).UTC()
}

// met notes how upstream took a call.
func (c *coordinator) met(now time.Time, r result) {
	if r.halt != "" {
		return
	}
	t := r.trouble
	if t == nil {
		c.troubled = time.Time{}
		c.circuit.answered()
		return
	}
	if c.troubled.IsZero() {
		c.troubled = now
	}
	if t.Kind == Down {
		c.circuit.trouble(now, t)
		return
	}
	c.limit.congested(now.Add(-r.took), now, max(t.After, c.circuit.wait.jitter(c.tried[r.entry.Operations[0]])))
}

// outOfPatience says why the run waits no longer for upstream.
func (c *coordinator) outOfPatience(now time.Time) string {
	held := c.limit.held(now)
	if c.paused || c.troubled.IsZero() || c.circuit.state == circuitClosed && held.IsZero() {
		return ""
	}
	until := c.troubled.Add(c.patience())
	switch {
	case held.After(until):
		return fmt.Sprintf("upstream wants no calls before %s, which is longer than the run waits for it (%s)", clock(held), c.patience())
	case now.Before(until):
		return ""
	}
	return fmt.Sprintf("upstream has not been there since %s (%s), and the run waits %s for it", clock(c.troubled), cmp.Or(c.circuit.last, "it asked to wait"), c.patience())
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05 UTC") }

// probeDue tells whether it is time to see whether upstream is back.
func (c *coordinator) probeDue(now time.Time) bool {
	return c.halted == "" && !c.paused && c.circuit.state == circuitOpen && !now.Before(c.circuit.next)
}

// probe sees whether upstream is back; it changes nothing there. An error that waiting does not help is for the next call.
func (c *coordinator) probe(ctx context.Context) *Trouble {
	p, ok := c.engine.Target.(Prober)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, longestProbe)
	defer cancel()
	go func() {
		select {
		case <-c.Stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	return troubleOf(p.Probe(ctx, c.world.Company()))
}

// nap is how long nothing happens unless a call comes back.
func (c *coordinator) nap(now time.Time, probing bool) time.Duration {
	next := now.Add(time.Hour)
	sooner := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	held := c.limit.held(now)
	switch {
	case c.halted != "" || c.paused:
		return time.Hour
	case c.circuit.state == circuitOpen:
		if !probing {
			sooner(c.circuit.next)
		}
	case !held.IsZero():
		sooner(held)
	default:
		sooner(c.nextLater)
		for _, d := range c.doubts {
			sooner(d.at)
		}
	}
	if !c.troubled.IsZero() && (c.circuit.state != circuitClosed || !held.IsZero()) {
		sooner(c.troubled.Add(c.patience()))
	}
	return max(0, next.Sub(now))
}

// doubt is a call whose outcome is to be looked up again.
type doubt struct {
	call begun
	why  string
	at   time.Time
}

func (c *coordinator) doubtful(now time.Time, r result) {
	c.doubts = append(c.doubts, doubt{r.call, r.outcomes[0].Message, now.Add(c.circuit.wait.spread(r.call.lookups - 1))})
}

// leaveDoubts leaves calls open in the journal that could not be looked up: the next go begins with them.
func (c *coordinator) leaveDoubts() {
	for _, d := range c.doubts {
		for _, o := range d.call.all(Unknown, d.why) {
			c.end(o)
		}
	}
	c.doubts = nil
}

// persist does what must be done before the work can begin, again and again while upstream is not there. It returns what
// keeps the run from going on: another error, or the end of its patience.
func (c *coordinator) persist(ctx context.Context, do func() error) error {
	began := time.Now()
	for n := 0; ; n++ {
		err := do()
		t := troubleOf(err)
		now := time.Now()
		pause := c.circuit.wait.spread(n)
		if t != nil {
			pause = max(pause, t.After)
		}
		until := began.Add(c.patience())
		if t == nil || ctx.Err() != nil || now.Add(pause).After(until) {
			c.showHold(now, Hold{})
			return err
		}
		c.showHold(now, Hold{Reason: HoldUpstream, Since: began, Next: now.Add(pause), Until: until, Message: t.Error()})
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-c.Stop:
		case <-ctx.Done():
		case c.paused = <-c.Pause:
		}
		timer.Stop()
		if c.interrupted(ctx) != "" {
			c.showHold(time.Now(), Hold{})
			return err
		}
	}
}
