package sync

import (
	"math"
	gosync "sync"
	"time"
)

// How many calls may be in flight is learned, as TCP learns it (AIMD): the limit begins low, doubles with every window
// of good answers until something says stop, then grows by one a window. A 429 halves it; answers that take much longer
// than they used to take off a tenth. It never exceeds what was configured, nor falls below one.
//
//	answer                                   limit
//	----------------------------------------------------------------------------
//	good, and the limit was used             +1 (slow start), later +1/limit
//	slow: recent mean > 3x the best + 25 ms  x 0.9, once a window
//	429, or 503 with Retry-After             x 0.5, once a window; nothing is sent before Retry-After is over
//
// A window ends when a request comes back that was sent after the last cut: those before it say nothing new. Rejected:
// the gradient limiters of the well-known libraries, which learn one latency for all; a run mixes requests that take a
// millisecond with such that take seconds, so that the mix would be taken for congestion. Best and mean are kept for each
// kind of request.

// Request is one request of a call, as its target tells of it.
type Request struct {
	// Name is that of the operation upstream: requests of one name are alike. Without a name how long it took says nothing.
	Name string
	// Took is the time from sending to the answer.
	Took time.Duration
	// Held is how long it was held back before it was sent, on account of an earlier 429 or a budget.
	Held time.Duration
	// Throttled: it was answered that there are too many.
	Throttled bool
	// Failed: no answer came, or a 5xx.
	Failed bool
}

// firstLimit is where a run begins.
const firstLimit = 2

// limit is the number of calls that may be in flight. It is safe for concurrent use; times are handed in.
type limit struct {
	mu      gosync.Mutex // guards the rest
	most    float64
	now     float64
	highest float64
	started bool      // slow start is over
	cut     time.Time // of the last cut
	until   time.Time // nothing is sent before
	kinds   map[string]*pace
	// inFlight is how many calls are on their way.
	inFlight int
	// What was told so far.
	requests, throttled int
	waited              time.Duration
}

// pace is how long requests of one name take, in seconds.
type pace struct{ best, mean float64 }

// The latency that is taken for congestion.
const (
	slowFactor = 3
	slowFloor  = 0.025 // seconds
)

func newLimit(most int) *limit {
	first := math.Min(firstLimit, float64(most))
	return &limit{most: float64(most), now: first, highest: first, kinds: map[string]*pace{}}
}

// room is how many calls may be in flight at a time.
func (l *limit) room(at time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at.Before(l.until) {
		return 0
	}
	return int(l.now)
}

// held is when calls may be sent again; zero when they may.
func (l *limit) held(at time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at.Before(l.until) {
		return l.until
	}
	return time.Time{}
}

// flying notes how many calls are in flight.
func (l *limit) flying(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight = n
}

// told takes what a target tells of a request.
func (l *limit) told(r Request, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests++
	l.waited += r.Held
	switch {
	case r.Throttled:
		l.throttled++
		l.reduce(0.5, at.Add(-r.Took), at)
	case !r.Failed:
		l.answered(r, at)
	}
}

// fill puts what is known into the figures of a run.
func (l *limit) fill(f *Figures) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f.Limit, f.HighestLimit = int(l.now), int(l.highest)
	f.Requests, f.Refused, f.HeldBack = l.requests, l.throttled, MillisOf(l.waited)
}

// congested: upstream had enough of a request sent at a time, and wants none for a while.
func (l *limit) congested(sent, at time.Time, after time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := at.Add(after); after > 0 && until.After(l.until) {
		l.until = until
	}
	l.reduce(0.5, sent, at)
}

// answered: a request was answered well.
func (l *limit) answered(r Request, at time.Time) {
	if l.slow(r) {
		l.reduce(0.9, at.Add(-r.Took), at)
		return
	}
	if 2*float64(l.inFlight) < math.Floor(l.now) {
		return // it was not used: nothing is known of more
	}
	step := 1.0
	if l.started {
		step = 1 / l.now
	}
	l.now = math.Min(l.most, l.now+step)
	l.highest = math.Max(l.highest, l.now)
}

// slow notes how long a request took and tells whether its kind has become slow.
func (l *limit) slow(r Request) bool {
	if r.Name == "" || r.Took <= 0 {
		return false
	}
	took := r.Took.Seconds()
	p := l.kinds[r.Name]
	if p == nil {
		l.kinds[r.Name] = &pace{took, took}
		return false
	}
	p.mean += (took - p.mean) / 8
	if took < p.best {
		p.best = took
	} else {
		p.best += (took - p.best) / 256 // upstream may have become slower for good
	}
	return p.mean > slowFactor*p.best+slowFloor
}

// reduce cuts the limit, once for all requests that were on their way at the time.
func (l *limit) reduce(factor float64, sent, at time.Time) {
	if sent.Before(l.cut) {
		return
	}
	l.now, l.cut, l.started = math.Max(1, l.now*factor), at, true
}
