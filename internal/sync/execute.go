package sync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Event tells a watcher of a run what just happened.
type Event struct {
	Run Run
	// Circuit tells whether calls go upstream: "closed", "half-open" (one at a time) or "open" (only probes).
	Circuit string
	// Operation and Outcome are set when an operation came to its end; nil when only the run's state changed.
	Operation *Operation
	Outcome   *Outcome
}

// Execution is one go at a run: what Execute needs beside the engine.
type Execution struct {
	Run  *Run
	Plan *Plan
	// Secrets of the manifest, when it is at hand; operations that need one and have none are skipped.
	Secrets Secrets
	// Stop asks for an orderly end: calls in flight are finished, nothing is started.
	Stop <-chan struct{}
	// Pause, if given, makes the run stand still (true) and go on (false): calls in flight are finished, nothing is started,
	// and the run keeps its place and its secrets.
	Pause <-chan bool
	// Watch, if given, is called after every change, from one goroutine.
	Watch func(Event)
}

// Execute carries out a run from the start, or goes on with one that stopped: what the journal knows as done stays done,
// what was begun and not ended is looked up upstream first, all else is tried again. When it returns, the run has ended
// and its record is stored; the error says why its books could not be kept, never that an operation failed.
//
// One goroutine, the coordinator, owns the run's view of upstream, its journal and its counts; the calls alone run in
// goroutines of their own, and all have ended when Execute returns. Cancelling ctx cuts the calls off; their outcome is
// then unknown and is looked up when the run is resumed.
func (e *Engine) Execute(ctx context.Context, x Execution) (err error) {
	view, err := e.Store.Observed(ctx, x.Run.Company)
	if err != nil {
		return errors.Join(err, e.giveUp(ctx, x, err))
	}
	defer func() { err = errors.Join(err, view.Close()) }() // it says whether a record was unreadable

	c := newCoordinator(e, x, Overlay(recently(view)))
	if err := c.recall(ctx); err != nil {
		return errors.Join(err, e.giveUp(ctx, x, err))
	}
	why, err := c.carryOn(ctx)
	if err != nil && why == "" {
		why = noBooks(err)
	}
	return errors.Join(err, c.finish(ctx, why))
}

// carryOn takes the run from where an earlier go left it to its end, or to what keeps it from going on.
func (c *coordinator) carryOn(ctx context.Context) (halted string, err error) {
	for _, step := range []func(context.Context) (string, error){c.lookUpLost, c.checkFresh, c.work} {
		if halted, err = step(ctx); halted != "" || err != nil {
			return halted, err
		}
	}
	return "", nil
}

// coordinator is the state of an execution. Only its own goroutine touches it, but for the limit, which has a lock.
type coordinator struct {
	Execution
	engine *Engine
	world  *World
	ops    map[int]*Operation
	// outcomes holds how an operation ended, for those that have; before those that an earlier run did.
	outcomes map[int]Outcome
	before   map[int]bool
	// saved is what saves of earlier runs have read that this one's restores need.
	saved      map[int]string
	dependants map[int][]int
	// open counts the needs of an operation that are not done yet.
	open  map[int]int
	ready queue
	// later are operations that are sent again when their time comes, nextLater that of the first.
	later     []postponed
	nextLater time.Time
	// lost are calls that the journal knows as begun only; doubts those of this go whose look-up is to be repeated.
	lost     []JournalEntry
	doubts   []doubt
	lastCall int
	counts   RunCounts
	// sent counts how often an operation was sent, tried how often it was then found not done.
	sent, tried map[int]int
	// parts says of operations of a batch that was refused with which others they go again.
	parts   splits
	limit   *limit
	circuit circuit
	// next hands calls to goroutines that have carried one before.
	next chan begun
	// wrote is how long the last write to the store took.
	wrote time.Duration
	// troubled is when the first trouble came since upstream answered last.
	troubled time.Time
	paused   bool
	standing standstill
	// figures are of this go, earlier those before.
	figures, earlier Figures
	// halted says why no further call is started; empty while work goes on.
	halted string
}

// The pauses between two tries, unless the engine says otherwise.
const (
	defaultPause = 2 * time.Second
	longestPause = 30 // times as long
	longestProbe = 30 * time.Second
)

func newCoordinator(e *Engine, x Execution, world *World) *coordinator {
	n := len(x.Plan.Operations)
	c := &coordinator{
		Execution: x, engine: e, world: world,
		ops: make(map[int]*Operation, n), outcomes: make(map[int]Outcome, n), before: x.Run.others(x.Plan), saved: map[int]string{},
		dependants: map[int][]int{}, open: make(map[int]int, n),
		sent: map[int]int{}, tried: map[int]int{}, earlier: x.Run.Figures,
		limit: newLimit(cmp.Or(x.Run.Options.Parallel, e.Parallel, 8)),
	}
	first := cmp.Or(e.Pause, defaultPause)
	c.circuit.wait = newBackoff(first, longestPause*first, e.Random)
	c.counts.Total = n - len(c.before)
	for i := range x.Plan.Operations {
		op := &x.Plan.Operations[i]
		c.ops[op.ID] = op
		for _, need := range op.Needs {
			if !c.before[need] {
				c.open[op.ID]++
				c.dependants[need] = append(c.dependants[need], op.ID)
			}
		}
		if op.Held != "" && !x.Run.Options.Override {
			c.outcomes[op.ID] = Outcome{Operation: op.ID, Status: Held, Message: op.Held}
			c.counts.Held++
		}
	}
	return c
}

// finished is a call that came back.
type finished struct {
	entry    JournalEntry
	outcomes []Outcome
	// trouble is why upstream did not take it; nil when it was answered.
	trouble *Trouble
	took    time.Duration
}

// result is what a call's goroutine reports.
type result struct {
	finished
	call begun
	// halt says why nothing else should be started.
	halt string
	// doubt: what became of the call is not known, and looking it up is to be tried again.
	doubt bool
}

// work starts calls while there is room and settles those that come back, until nothing is left or a reason to stop
// comes up.
func (c *coordinator) work(ctx context.Context) (halted string, err error) {
	results := make(chan result)
	c.next = make(chan begun)
	defer close(c.next) // nothing flies any more
	flying := 0
	probes := make(chan *Trouble)
	probing := false
	stop, cut := c.Stop, ctx.Done()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := time.Now()
		c.halted = cmp.Or(c.halted, c.interrupted(ctx), c.outOfPatience(now))
		c.wake(now)
		if c.halted == "" && err == nil {
			var calls []begun
			if calls, err = c.begin(ctx, c.room(now, flying)); err == nil {
				flying += c.launch(ctx, calls, results) + c.lookAgain(ctx, results)
			}
			if c.probeDue(now) && !probing {
				probing = true
				go func() { probes <- c.probe(ctx) }()
			}
		}
		c.show(now)
		if flying == 0 && !probing && (c.halted != "" || err != nil || c.idle()) {
			c.leaveDoubts()
			return c.halted, err
		}
		timer.Reset(c.nap(now, probing))
		select {
		case <-stop:
			stop = nil // interrupted sees it
		case <-cut:
			cut = nil
		case c.paused = <-c.Pause:
			c.troubled = time.Time{} // a pause takes nobody's patience
		case t := <-probes:
			probing = false
			c.circuit.probed(time.Now(), t)
		case r := <-results:
			back := gather(results, r, flying, min(max(c.wrote, gatherLeast), gatherMost))
			flying -= len(back)
			next, e := c.land(ctx, back, flying)
			if e != nil && err == nil {
				err = e
			}
			flying += c.launch(ctx, next, results)
		case <-timer.C:
		}
	}
}

// How long others are waited for when a call came back: as long as the last write to the disk took, which calls that end
// together share, within these bounds.
const (
	gatherLeast = 500 * time.Microsecond
	gatherMost  = 10 * time.Millisecond
)

// gather takes what comes back together with a first one: at once when half of the calls in flight has, else what comes
// within a moment. While the one half is written down, the other is under way.
func gather(results <-chan result, first result, flying int, wait time.Duration) []result {
	back := []result{first}
	var over <-chan time.Time
	for len(back) < flying {
		select {
		case r := <-results:
			back = append(back, r)
			continue
		default:
		}
		if 2*len(back) >= flying {
			break
		}
		if over == nil {
			over = time.After(wait)
		}
		select {
		case r := <-results:
			back = append(back, r)
		case <-over:
			return back
		}
	}
	return back
}

// launch lets calls go; it tells how many. A goroutine that has carried a call waits for the next: its stack has grown to
// what a call needs.
func (c *coordinator) launch(ctx context.Context, calls []begun, results chan<- result) int {
	for _, call := range calls {
		select {
		case c.next <- call:
		default:
			go func() {
				results <- c.carry(ctx, call)
				for call := range c.next {
					results <- c.carry(ctx, call)
				}
			}()
		}
	}
	return len(calls)
}

// lookAgain looks up calls that are in doubt and whose time has come; it tells how many.
func (c *coordinator) lookAgain(ctx context.Context, results chan<- result) (n int) {
	if len(c.doubts) == 0 {
		return 0
	}
	now := time.Now()
	left := c.doubts[:0]
	for _, d := range c.doubts {
		if d.at.After(now) || c.circuit.state == circuitOpen || c.limit.room(now) == 0 {
			left = append(left, d)
			continue
		}
		n++
		go func() { results <- c.confirm(ctx, d.call, d.why) }()
	}
	c.doubts = left
	return n
}

// room is how many calls may start now. A call whose outcome is in doubt keeps its place.
func (c *coordinator) room(now time.Time, flying int) int {
	switch {
	case c.paused || c.circuit.state == circuitOpen:
		return 0
	case c.circuit.state == circuitHalfOpen:
		return 1 - flying - len(c.doubts)
	}
	room := c.limit.room(now) - flying - len(c.doubts)
	c.limit.flying(flying + max(0, min(room, c.ready.len())))
	return room
}

// idle tells whether nothing is left to be done.
func (c *coordinator) idle() bool {
	return c.ready.len() == 0 && len(c.later) == 0 && len(c.doubts) == 0
}

// haltStopped is the reason to stop that is nobody's fault.
const haltStopped = "stopped on request"

// interrupted says whether somebody wants the run to end, and how.
func (x *Execution) interrupted(ctx context.Context) string {
	select {
	case <-x.Stop:
		return haltStopped
	case <-ctx.Done():
		return fmt.Sprintf("cut off: %v", context.Cause(ctx))
	default:
		return ""
	}
}

// begun is a call on its way, with its entry in the journal.
type begun struct {
	Call
	entry JournalEntry
	// lookups counts how often its outcome was looked up in vain.
	lookups int
}

// begin picks operations that can go now, at most room calls of them, and writes their intent to the journal.
func (c *coordinator) begin(ctx context.Context, room int) ([]begun, error) {
	if room <= 0 {
		return nil, nil
	}
	calls, err := c.pick(room)
	if err != nil || len(calls) == 0 {
		return nil, err
	}
	return calls, c.engine.Store.Begin(ctx, c.intents(calls)...)
}

// intents are the entries of calls that are about to go.
func (c *coordinator) intents(calls []begun) []JournalEntry {
	entries := make([]JournalEntry, len(calls))
	for i, call := range calls {
		entries[i] = call.entry
		for _, id := range call.entry.Operations {
			c.sent[id]++
		}
	}
	c.figures.Calls += len(calls)
	return entries
}

// load is what a call that is being filled holds.
type load struct{ call, size int }

// pick takes operations from the queue and makes calls of them.
func (c *coordinator) pick(room int) (calls []begun, err error) {
	loads := map[string]load{} // batch group -> the call that still has room
	c.leastFirst()
	for c.ready.len() > 0 {
		op := c.ops[c.ready.first()]
		step := c.step(op)
		step.Sent = c.sent[op.ID]
		if why := c.secret(&step); why != "" {
			c.ready.take()
			if err := c.skip(op, why); err != nil {
				return nil, err
			}
			continue
		}
		batch := c.batch(&step)
		at, shared := loads[batch.Group]
		if shared && batch.Room > 0 && at.size+batch.Weight > batch.Room {
			shared = false
		}
		if !shared {
			if len(calls) == room {
				break
			}
			calls = append(calls, c.newCall())
			at = load{call: len(calls) - 1}
		}
		c.ready.take()
		call := &calls[at.call]
		call.Steps = append(call.Steps, step)
		call.entry.Operations = append(call.entry.Operations, op.ID)
		at.size += batch.Weight
		if loads[batch.Group] = at; batch.Group == "" || len(call.Steps) == batch.Size {
			delete(loads, batch.Group)
		}
	}
	return calls, nil
}

func (c *coordinator) newCall() begun {
	c.lastCall++
	return begun{
		Call: Call{
			Run: c.Run.Name, Number: c.lastCall, Company: c.world.Company(), UsersBy: c.Run.Options.UsersBy,
		},
		entry: JournalEntry{Company: c.Run.Company, Run: c.Run.Name, Number: c.lastCall, Began: c.engine.now()},
	}
}

// leastFirst puts first, while one call at a time is let through, what was sent least often: an operation that upstream
// always answers with a 5xx must not keep the circuit from closing.
func (c *coordinator) leastFirst() {
	if c.circuit.state == circuitHalfOpen {
		c.ready.prefer(c.sent)
	}
}

func (c *coordinator) batch(step *Step) Batch {
	if b, ok := c.engine.Target.(Batcher); ok {
		if batch := b.Batch(step, c.Run.Options.UsersBy); batch.Group != "" {
			return c.parts.batch(step.Operation.ID, batch)
		}
	}
	return Batch{Size: 1}
}

// secret fills in the step's password; it says why it can't.
func (c *coordinator) secret(s *Step) string {
	place := s.Operation.Secret
	if place == nil {
		return ""
	}
	if c.Secrets != nil {
		if v, ok := c.Secrets.Secret(s.Operation.Login, place.Field); ok {
			s.Password = v
			return ""
		}
	}
	return fmt.Sprintf("needs the manifest: its %s stands at %s", place.Field, place.Position)
}

// land settles calls that came back, and gives those that may go in their place. A call whose outcome is unknown stays
// open in the journal.
func (c *coordinator) land(ctx context.Context, back []result, flying int) ([]begun, error) {
	var ended []finished
	now := time.Now()
	c.limit.flying(flying)
	for _, r := range back {
		c.halted = cmp.Or(c.halted, r.halt)
		c.met(now, r)
		if r.doubt {
			c.doubtful(now, r)
			continue
		}
		if slices.ContainsFunc(r.outcomes, func(o Outcome) bool { return o.Status == Unknown }) {
			for _, o := range r.outcomes {
				o.Status = Unknown
				c.end(o)
			}
			continue
		}
		ended = append(ended, r.finished)
	}
	return c.turn(ctx, ended, c.room(now, flying))
}
