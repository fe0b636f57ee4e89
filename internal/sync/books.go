package sync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// The books of an execution: what an earlier go left, what upstream says of it, and every outcome as it comes in.

// recall reads the journal of an earlier go: done stays done, begun and not ended is lost, all else starts anew.
func (c *coordinator) recall(ctx context.Context) error {
	lost := map[int]bool{}
	for entry, err := range c.engine.Store.Journal(ctx, c.Run.Company, c.Run.Name) {
		if err != nil {
			return err
		}
		if err := c.check(entry); err != nil {
			return err
		}
		c.lastCall = max(c.lastCall, entry.Number)
		for _, id := range entry.Operations {
			c.sent[id]++
		}
		if entry.Ended.IsZero() {
			c.lost = append(c.lost, entry)
			for _, id := range entry.Operations {
				lost[id] = true
			}
			continue
		}
		for _, o := range entry.Outcomes {
			if o.Status == Done && c.outcomes[o.Operation].Status != Done {
				c.outcomes[o.Operation] = o
				c.counts.Done++
			}
		}
	}
	for _, op := range c.Plan.Operations {
		if c.outcomes[op.ID].Status == Done {
			c.release(op.ID)
		}
	}
	for _, op := range c.Plan.Operations {
		if _, ended := c.outcomes[op.ID]; !ended && !c.before[op.ID] && !lost[op.ID] && c.open[op.ID] == 0 {
			c.enqueue(op.ID)
		}
	}
	c.Run.Counts = c.counts
	return c.recallSaved(ctx)
}

// check refuses a journal that is not of this plan.
func (c *coordinator) check(entry JournalEntry) error {
	if len(entry.Operations) == 0 {
		return fmt.Errorf("journal of run %s: call %d has no operation", entry.Run, entry.Number)
	}
	for _, id := range entry.Operations {
		if c.ops[id] == nil {
			return fmt.Errorf("journal of run %s: call %d has operation %d, which the plan has not", entry.Run, entry.Number, id)
		}
	}
	for _, o := range entry.Outcomes {
		if !slices.Contains(entry.Operations, o.Operation) {
			return fmt.Errorf("journal of run %s: call %d has the outcome of operation %d, which is not of it", entry.Run, entry.Number, o.Operation)
		}
	}
	return nil
}

// release lets what waited for an operation go on; it does not enqueue.
func (c *coordinator) release(id int) (freed []int) {
	for _, d := range c.dependants[id] {
		if c.open[d]--; c.open[d] == 0 {
			freed = append(freed, d)
		}
	}
	return freed
}

func (c *coordinator) enqueue(id int) { c.ready.put(id) }

// lookUpLost asks upstream what became of calls whose outcome an earlier go did not learn.
func (c *coordinator) lookUpLost(ctx context.Context) (halted string, err error) {
	for i, entry := range c.lost {
		if halted, err = c.lookUp(ctx, entry); halted == "" && err == nil {
			continue
		}
		for _, left := range c.lost[i:] {
			for _, id := range left.Operations {
				if _, ended := c.outcomes[id]; !ended {
					c.end(Outcome{Operation: id, Status: Unknown, Message: cmp.Or(halted, noBooks(err))})
				}
			}
		}
		return halted, err
	}
	return c.interrupted(ctx), nil
}

func (c *coordinator) lookUp(ctx context.Context, entry JournalEntry) (halted string, err error) {
	if why := c.interrupted(ctx); why != "" {
		return why, nil
	}
	call := begun{Call: Call{Run: entry.Run, Number: entry.Number, Company: c.world.Company(), UsersBy: c.Run.Options.UsersBy}, entry: entry}
	for _, id := range entry.Operations {
		step := c.step(c.ops[id])
		step.Sent = c.sent[id]
		call.Steps = append(call.Steps, step)
	}
	began := fmt.Sprintf("operation %d (%s) was begun and its outcome is unknown", entry.Operations[0], call.Steps[0].Operation.Title())
	var r result
	err = c.persist(ctx, func() error {
		r = c.confirm(ctx, call, began)
		if r.trouble != nil && r.halt == "" {
			return r.trouble
		}
		return nil
	})
	switch {
	case err != nil && c.interrupted(ctx) != "":
		return c.interrupted(ctx), nil
	case err != nil || r.halt != "" || r.doubt:
		return r.outcomes[0].Message, nil
	}
	return "", c.settle(ctx, []finished{r.finished})
}

// settle records outcomes: in the run's view, and with what they changed in the store.
func (c *coordinator) settle(ctx context.Context, ended []finished) error {
	_, err := c.turn(ctx, ended, 0)
	return err
}

// turn records outcomes, and in the same write to the disk the intent of the next calls, as many as there is room for. It
// gives these calls: what the outcomes make possible is not among them yet.
func (c *coordinator) turn(ctx context.Context, ended []finished, room int) (next []begun, err error) {
	if len(ended) == 0 {
		return nil, nil
	}
	var changes []RecordChange
	entries := make([]JournalEntry, len(ended))
	for i, f := range ended {
		for at := range f.outcomes {
			f.outcomes[at].Millis = f.took.Milliseconds()
		}
		f.entry.Ended, f.entry.Outcomes = c.engine.now(), f.outcomes
		entries[i] = f.entry
		changes = append(changes, c.take(f.outcomes)...)
	}
	store, both := c.engine.Store.(Turner)
	if both && room > 0 && c.halted == "" && c.interrupted(ctx) == "" {
		if next, err = c.pick(room); err != nil {
			return nil, err
		}
	}
	began := time.Now()
	// What happened upstream is written down even when the run is being cut off.
	if kept := context.WithoutCancel(ctx); len(next) > 0 {
		err = store.Turn(kept, c.Run.Company, changes, entries, c.intents(next))
	} else {
		err = c.engine.Store.End(kept, c.Run.Company, changes, entries...)
	}
	c.wrote = time.Since(began)
	if err != nil {
		c.forget(ended, err)
		return nil, err
	}
	for _, f := range ended {
		if err := c.follow(f.outcomes); err != nil {
			return next, err
		}
	}
	return next, nil
}

// follow does what the outcomes of a call ask for.
func (c *coordinator) follow(outcomes []Outcome) error {
	c.parts.note(outcomes)
	if c.halted == "" && outcomes[0].Split {
		return c.cut(outcomes)
	}
	for _, o := range outcomes {
		next := c.conclude
		if o.Status == NotDone && c.halted == "" {
			next = c.again
		}
		if err := next(o); err != nil {
			return err
		}
	}
	return nil
}

// take lays over the run's view what outcomes changed, and counts how often they were sent.
func (c *coordinator) take(outcomes []Outcome) (changes []RecordChange) {
	lay := func(next []RecordChange) {
		c.world.Apply(next)
		changes = append(changes, next...)
	}
	for i := range outcomes {
		o := &outcomes[i]
		if o.Status == Done || o.Status == Failed {
			o.Attempts = max(1, c.sent[o.Operation])
		}
		op := c.ops[o.Operation]
		if o.Status == Failed && op.detail() && c.world.Record(op.Key) != nil {
			lay([]RecordChange{gone(op.Key)}) // some of its calls may have been carried out: it is read again
		}
		if o.Status != Done {
			continue
		}
		next := Effects(op, c.world, o.ID)
		resting := releases(next, c.world, c.engine.now())
		lay(next)
		lay(resting)
		if o.Seen != nil {
			lay([]RecordChange{change(c.seen(op, o.Seen))})
		}
	}
	return changes
}

// forget leaves the outcomes of calls unknown that could not be written down: the next go looks them up.
func (c *coordinator) forget(ended []finished, err error) {
	for _, f := range ended {
		for _, o := range f.outcomes {
			o.Status, o.Message = Unknown, noBooks(err)
			c.end(o)
		}
	}
}

func noBooks(err error) string { return fmt.Sprintf("the books of the run could not be kept: %v", err) }

// seen is what to record of a thing that the target read back. A user who existed before is seen at one moment of a run
// that may be giving and taking his licences at the same time, and noted at another: his licences are as the run knows
// them.
func (c *coordinator) seen(op *Operation, r Record) Record {
	u, isUser := r.(*User)
	if !isUser || op.Action == ActionCreate {
		return r
	}
	next := *u
	if known := find[User](c.world, u.Key()); known != nil {
		next.Licences = known.Licences
	}
	return &next
}

// conclude notes an outcome and what follows from it for the operations that need this one.
func (c *coordinator) conclude(o Outcome) error {
	c.end(o)
	switch o.Status {
	case Done:
		for _, id := range c.release(o.Operation) {
			if c.outcomes[id].Status != Held {
				c.enqueue(id)
			}
		}
	case Failed, Skipped:
		op := c.ops[o.Operation]
		for _, id := range c.dependants[o.Operation] {
			if _, ended := c.outcomes[id]; !ended {
				if err := c.skip(c.ops[id], fmt.Sprintf("needs operation %d (%s), which %s", op.ID, op.Title(), map[Status]string{Failed: "failed", Skipped: "was skipped"}[o.Status])); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (c *coordinator) skip(op *Operation, why string) error {
	return c.conclude(Outcome{Operation: op.ID, Status: Skipped, Message: why})
}

func (c *coordinator) end(o Outcome) {
	c.outcomes[o.Operation] = o
	switch o.Status {
	case Done:
		c.counts.Done++
	case Failed:
		c.counts.Failed++
	case Skipped:
		c.counts.Skipped++
	case NotDone:
		c.counts.NotDone++
	case Unknown:
		c.counts.Unknown++
	}
	c.Run.Counts = c.counts
	c.tell(Event{Operation: c.ops[o.Operation], Outcome: &o})
}

// tell tells the watcher.
func (c *coordinator) tell(e Event) {
	c.Run.Figures = c.total()
	if c.Watch != nil {
		e.Run, e.Circuit = *c.Run, c.circuit.state.String()
		c.Watch(e)
	}
}

// total are the figures of this go and those before.
func (c *coordinator) total() Figures {
	f := c.figures
	c.limit.fill(&f)
	return f.plus(c.earlier)
}

// finish ends the run and stores it.
func (c *coordinator) finish(ctx context.Context, why string) error {
	r := c.Run
	r.Outcomes = make([]Outcome, 0, len(c.Plan.Operations)) // events show the old ones
	for _, op := range c.Plan.Operations {
		if c.before[op.ID] {
			continue
		}
		o, ended := c.outcomes[op.ID]
		if !ended {
			o = Outcome{Operation: op.ID, Status: NotDone, Message: cmp.Or(why, "not started")}
			c.counts.NotDone++
		}
		o.Saved = "" // the journal keeps it
		r.Outcomes = append(r.Outcomes, o)
	}
	c.showHold(time.Now(), Hold{})
	r.Strand(c.Plan, c.outcomes)
	r.Counts, r.EndTime, r.Message, r.Figures = c.counts, c.engine.now(), why, c.total()
	switch {
	case c.counts.Done+c.counts.Held == c.counts.Total:
		r.State, r.Message = RunSucceeded, ""
	case why == haltStopped:
		r.State = RunCancelled
	case ctx.Err() != nil:
		r.State = RunInterrupted
	case why != "" || c.counts.NotDone+c.counts.Unknown > 0:
		r.State = RunWaiting
	default:
		r.State = RunFailed
	}
	if r.State == RunSucceeded {
		if err := c.putIntoForce(ctx); err != nil {
			r.State, r.Message = RunWaiting, noBooks(err)
			return errors.Join(err, c.engine.rest(ctx, c.Execution))
		}
	}
	return c.engine.rest(ctx, c.Execution)
}

// giveUp ends a run whose books could not be opened. What is known of its operations stays as it was.
func (e *Engine) giveUp(ctx context.Context, x Execution, why error) error {
	x.Run.State, x.Run.EndTime, x.Run.Message = RunWaiting, e.now(), noBooks(why)
	if ctx.Err() != nil {
		x.Run.State = RunInterrupted
	}
	return e.rest(ctx, x)
}

// rest stores a run that has ended and tells its watcher.
func (e *Engine) rest(ctx context.Context, x Execution) error {
	err := e.Store.UpdateRun(context.WithoutCancel(ctx), x.Run)
	if x.Watch != nil {
		x.Watch(Event{Run: *x.Run})
	}
	return err
}
