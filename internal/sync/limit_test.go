package sync

import (
	"testing"
	"time"
)

// TestTheLimitLearns drives the limit by answers, one after the other, of so many calls in flight.
func TestTheLimitLearns(t *testing.T) {
	good := Request{Name: "AttachDdi", Took: 20 * time.Millisecond}
	slow := Request{Name: "AttachDdi", Took: 900 * time.Millisecond}
	refused := Request{Name: "AttachDdi", Took: time.Millisecond, Throttled: true}
	lost := Request{Name: "AttachDdi", Took: time.Second, Failed: true}
	times := func(n int, r Request) (all []Request) {
		for range n {
			all = append(all, r)
		}
		return all
	}
	for _, c := range []struct {
		name     string
		most     int
		requests []Request
		want     int
	}{
		{"it begins low", 32, nil, 2},
		{"and not above what is configured", 1, nil, 1},
		{"it doubles with every window of good answers", 32, times(2+4+8, good), 16},
		{"up to what is configured", 10, times(50, good), 10},
		{"a refusal halves it", 32, append(times(30, good), refused), 16},
		{"many refusals of one window halve it once", 32, append(times(30, good), times(8, refused)...), 16},
		{"after a refusal it grows by one a window", 32, append(append(times(30, good), refused), times(17, good)...), 17},
		{"it never falls below one", 4, []Request{refused, good, refused, good, refused}, 1},
		{"answers that become slow take off a tenth", 32, append(times(30, good), slow), 28},
		{"a lost answer says nothing", 32, append(times(6, good), lost), 8},
		{"requests of another kind are not compared", 32, append(times(30, good), times(5, Request{Name: "CreateSubscriber", Took: time.Second})...), 32},
		{"requests without a name never seem slow", 32, append(times(30, Request{}), times(5, Request{Took: time.Minute})...), 32},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, at := newLimit(c.most), time.Unix(1000, 0)
			for _, r := range c.requests {
				l.flying(l.room(at))
				at = at.Add(100 * time.Microsecond)
				if r.Throttled {
					r.Took = 10 * time.Millisecond // sent before the cut, but for the first
				}
				l.told(r, at)
				if !r.Throttled {
					at = at.Add(r.Took)
				}
			}
			if got := l.room(at); got != c.want {
				t.Errorf("limit is %d, want %d", got, c.want)
			}
		})
	}
}

func TestWhatIsNotUsedDoesNotGrow(t *testing.T) {
	l, at := newLimit(32), time.Unix(1000, 0)
	for range 100 {
		l.flying(1)
		l.told(Request{}, at)
	}
	if got := l.room(at); got > 3 {
		t.Errorf("one call at a time made the limit %d", got)
	}
}

func TestRetryAfterKeepsEverythingBack(t *testing.T) {
	l, at := newLimit(8), time.Unix(1000, 0)
	l.congested(at, at, 5*time.Second)
	l.congested(at, at, time.Second) // a shorter one does not shorten it
	if got := l.room(at.Add(4 * time.Second)); got != 0 {
		t.Errorf("room for %d calls within Retry-After, want none", got)
	}
	if got := l.room(at.Add(5 * time.Second)); got != 1 {
		t.Errorf("room for %d calls after it, want 1: the half of 2", got)
	}
}

// TestTheCircuitOpensAndCloses walks a circuit through its states; pauses are drawn at their highest.
func TestTheCircuitOpensAndCloses(t *testing.T) {
	at := time.Unix(1000, 0)
	c := circuit{wait: newBackoff(time.Second, 4*time.Second, func() float64 { return 1 })}
	down := &Trouble{Kind: Down}
	for range openAfter - 1 {
		c.trouble(at, down)
	}
	c.answered()
	for range openAfter - 1 {
		c.trouble(at.Add(time.Second), down)
	}
	if c.state != circuitClosed {
		t.Fatal("an answer in between did not count")
	}
	c.trouble(at.Add(2*time.Second), down)
	if c.state != circuitOpen || !c.since.Equal(at.Add(time.Second)) || !c.next.Equal(at.Add(3*time.Second)) {
		t.Fatalf("after %d troubles in a row the circuit is %+v", openAfter, c)
	}
	at = c.next
	for _, pause := range []time.Duration{2, 4, 4} {
		c.probed(at, down)
		if want := at.Add(pause * time.Second); !c.next.Equal(want) {
			t.Fatalf("next probe at %s, want %s", c.next, want)
		}
	}
	c.probed(at, nil)
	if c.state != circuitHalfOpen {
		t.Fatal("an answered probe did not half open it")
	}
	if c.trouble(at, &Trouble{Kind: Down, After: time.Minute}); c.state != circuitOpen || !c.next.Equal(at.Add(time.Minute)) {
		t.Fatalf("trouble when half open: %+v; want it open until upstream wants calls", c)
	}
	c.probed(at, nil)
	if c.answered(); c.state != circuitClosed || c.troubles != 0 || c.probes != 0 {
		t.Errorf("an answered call left %+v", c)
	}
}

func TestPausesAreDrawnBelowACeilingThatDoubles(t *testing.T) {
	for _, c := range []struct {
		n            int
		random       float64
		jitter, even time.Duration
	}{
		{0, 0, 0, time.Second},
		{0, 0.5, time.Second, 1500 * time.Millisecond},
		{1, 0.5, 2 * time.Second, 3 * time.Second},
		{3, 0.5, 5 * time.Second, 7500 * time.Millisecond},
		{1000, 0.5, 5 * time.Second, 7500 * time.Millisecond},
	} {
		b := newBackoff(2*time.Second, 10*time.Second, func() float64 { return c.random })
		if j, s := b.jitter(c.n), b.spread(c.n); j != c.jitter || s != c.even {
			t.Errorf("after %d failures, %v drawn: %s and %s, want %s and %s", c.n, c.random, j, s, c.jitter, c.even)
		}
	}
}
