package syncserver

import (
	"maps"
	"sync"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// stopReason says why a run was asked to stop.
type stopReason int

const (
	notStopped stopReason = iota
	stopAsked
	stopShutdown
)

// liveRun is a run that is going on, as it is shown to callers. The engine's events go in by note; it never waits for
// those who look: a watcher reads the log of outcomes at its own pace.
type liveRun struct {
	name string
	plan *bulksync.StoredPlan
	// stopped is closed to ask for an orderly end.
	stopped chan struct{}
	// pauses tells the engine to stand still or go on; it holds the last word.
	pauses chan bool
	// ended is closed when the run has come to rest and its record is stored.
	ended chan struct{}

	mu      sync.Mutex // guards the rest
	run     bulksync.Run
	latest  map[int]bulksync.Outcome // by operation
	log     []bulksync.Outcome       // in the order in which they came
	changed chan struct{}            // closed and replaced at every change
	reason  stopReason
	paused  bool
}

// newLiveRun shows a run that is about to go on; before holds the outcomes of an earlier go that stay.
func newLiveRun(run *bulksync.Run, plan *bulksync.StoredPlan, before []bulksync.Outcome) *liveRun {
	l := &liveRun{
		name: run.Name, plan: plan, run: *run, stopped: make(chan struct{}), ended: make(chan struct{}), pauses: make(chan bool, 1),
		latest: map[int]bulksync.Outcome{}, changed: make(chan struct{}),
	}
	l.run.Outcomes = nil
	for _, o := range before {
		l.latest[o.Operation] = o
		l.log = append(l.log, o)
	}
	return l
}

// note takes an event of the engine.
func (l *liveRun) note(e bulksync.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.run.Counts, l.run.Hold, l.run.Figures = e.Run.Counts, e.Run.Hold, e.Run.Figures // that it has come to rest is told by finish, when its record is final
	if e.Outcome != nil {
		l.latest[e.Outcome.Operation] = *e.Outcome
		l.log = append(l.log, *e.Outcome)
	}
	l.wake()
}

func (l *liveRun) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// finish shows the run at rest.
func (l *liveRun) finish(run *bulksync.Run) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.run = *run
	l.run.Outcomes = nil
	l.wake()
	close(l.ended)
}

// stop asks for an orderly end; the first reason counts.
func (l *liveRun) stop(reason stopReason) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reason == notStopped {
		l.reason = reason
		close(l.stopped)
		l.wake()
	}
}

// pause makes the run stand still, or go on; it tells whether that is news.
func (l *liveRun) pause(on bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.paused == on || l.run.State.Ended() {
		return false
	}
	l.paused = on
	select {
	case <-l.pauses:
	default:
	}
	l.pauses <- on
	return true
}

func (l *liveRun) stopReason() stopReason {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reason
}

// view is the run now, without outcomes.
func (l *liveRun) view() (run bulksync.Run, stopping bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.run, l.reason != notStopped && !l.run.State.Ended()
}

// look is what a watcher sees.
type look struct {
	run      bulksync.Run
	stopping bool
	outcomes []bulksync.Outcome // from the log; not to be changed
	next     int                // where to read on
	changed  <-chan struct{}
	last     bool // the run has come to rest and no outcome is left
}

// lookFrom gives the run now and at most `most` outcomes from a place of the log on.
func (l *liveRun) lookFrom(at, most int) look {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := min(len(l.log), at+most)
	return look{
		run: l.run, stopping: l.reason != notStopped && !l.run.State.Ended(),
		outcomes: l.log[at:next:next], next: next, changed: l.changed,
		last: l.run.State.Ended() && next == len(l.log),
	}
}

// logged is the length of the log.
func (l *liveRun) logged() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.log)
}

// outcomes gives the outcomes so far, by operation.
func (l *liveRun) outcomes() map[int]bulksync.Outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.latest)
}
