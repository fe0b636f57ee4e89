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

	c := newCoordinator(e, x, Overlay(view))
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

// coordinator is the state of an execution. Only its own goroutine touches it.
type coordinator struct {
	Execution
	engine *Engine
	world  *World
	ops    map[int]*Operation
	// outcomes holds how an operation ended, for those that have.
	outcomes   map[int]Outcome
	dependants map[int][]int
	// open counts the needs of an operation that are not done yet.
	open  map[int]int
	ready []int
	// lost are calls that the journal knows as begun only.
	lost     []JournalEntry
	lastCall int
	counts   RunCounts
	// tried counts how often an operation was found not done.
	tried map[int]int
	// halted says why no further call is started; empty while work goes on.
	halted string
}

func newCoordinator(e *Engine, x Execution, world *World) *coordinator {
	n := len(x.Plan.Operations)
	c := &coordinator{
		Execution: x, engine: e, world: world,
		ops: make(map[int]*Operation, n), outcomes: make(map[int]Outcome, n),
		dependants: map[int][]int{}, open: make(map[int]int, n),
		tried: map[int]int{}, counts: RunCounts{Total: n},
	}
	for i := range x.Plan.Operations {
		op := &x.Plan.Operations[i]
		c.ops[op.ID] = op
		c.open[op.ID] = len(op.Needs)
		for _, need := range op.Needs {
			c.dependants[need] = append(c.dependants[need], op.ID)
		}
	}
	return c
}

// finished is a call that came back.
type finished struct {
	entry    JournalEntry
	outcomes []Outcome
}

// result is what a call's goroutine reports.
type result struct {
	finished
	// halt says why nothing else should be started.
	halt string
}

// work starts calls while there is room and settles those that come back, until nothing is left or a reason to stop
// comes up.
func (c *coordinator) work(ctx context.Context) (halted string, err error) {
	room := cmp.Or(c.Run.Options.Parallel, c.engine.Parallel, 8)
	results := make(chan result)
	flying := 0
	stop := c.Stop
	for {
		c.halted = cmp.Or(c.halted, c.interrupted(ctx))
		if c.halted == "" && err == nil {
			var calls []begun
			if calls, err = c.begin(ctx, room-flying); err == nil {
				for _, call := range calls {
					go func() { results <- c.carry(ctx, call) }()
				}
				flying += len(calls)
			}
		}
		if flying == 0 {
			return c.halted, err
		}
		select {
		case <-stop:
			stop = nil // interrupted sees it
		case r := <-results:
			back := []result{r}
			for more := true; more; {
				select {
				case r := <-results:
					back = append(back, r)
				default:
					more = false
				}
			}
			flying -= len(back)
			if e := c.land(ctx, back); e != nil && err == nil {
				err = e
			}
		}
	}
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

// begun is a call on its way, with its entry in the journal, and the pause before it is sent.
type begun struct {
	Call
	entry JournalEntry
	pause time.Duration
}

// begin picks operations that can go now, at most room calls of them, and writes their intent to the journal.
func (c *coordinator) begin(ctx context.Context, room int) ([]begun, error) {
	var calls []begun
	open := map[string]int{} // batch group -> index of the call that still has room
	for len(c.ready) > 0 {
		op := c.ops[c.ready[0]]
		step := Step{Operation: *op, Refs: c.refs(op)}
		if why := c.secret(&step); why != "" {
			c.ready = c.ready[1:]
			if err := c.skip(op, why); err != nil {
				return nil, err
			}
			continue
		}
		batch := c.batch(op)
		at, shared := open[batch.Group]
		if !shared {
			if len(calls) == room {
				break
			}
			c.lastCall++
			calls = append(calls, begun{
				Call:  Call{Run: c.Run.Name, Number: c.lastCall, Company: c.world.Company()},
				entry: JournalEntry{Company: c.Run.Company, Run: c.Run.Name, Number: c.lastCall, Began: c.engine.now()},
			})
			at = len(calls) - 1
			if batch.Group != "" {
				open[batch.Group] = at
			}
		}
		c.ready = c.ready[1:]
		calls[at].Steps = append(calls[at].Steps, step)
		calls[at].entry.Operations = append(calls[at].entry.Operations, op.ID)
		calls[at].pause = max(calls[at].pause, c.pause(op))
		if len(calls[at].Steps) == batch.Size {
			delete(open, batch.Group)
		}
	}
	if len(calls) == 0 {
		return nil, nil
	}
	entries := make([]JournalEntry, len(calls))
	for i, call := range calls {
		entries[i] = call.entry
	}
	return calls, c.engine.Store.Begin(ctx, entries...)
}

// pause is how long to wait before an operation is sent again.
func (c *coordinator) pause(op *Operation) time.Duration {
	if n := c.tried[op.ID]; n > 0 {
		return cmp.Or(c.engine.Pause, 2*time.Second) << (n - 1)
	}
	return 0
}

func (c *coordinator) batch(op *Operation) Batch {
	if b, ok := c.engine.Target.(Batcher); ok {
		if batch := b.Batch(op); batch.Group != "" {
			return batch
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

// land settles calls that came back. A call whose outcome is unknown stays open in the journal.
func (c *coordinator) land(ctx context.Context, back []result) error {
	var ended []finished
	for _, r := range back {
		c.halted = cmp.Or(c.halted, r.halt)
		if slices.ContainsFunc(r.outcomes, func(o Outcome) bool { return o.Status == Unknown }) {
			for _, o := range r.outcomes {
				o.Status = Unknown
				c.end(o)
			}
			continue
		}
		ended = append(ended, r.finished)
	}
	return c.settle(ctx, ended)
}
