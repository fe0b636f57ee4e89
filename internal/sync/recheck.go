package sync

import (
	"context"
	"fmt"
)

// What a run looks at before its first call: that what its plan relies on is still so, and that the plan can be carried out on what
// is recorded by now.

// checkFresh re-reads what the operations that are left rely on.
func (c *coordinator) checkFresh(ctx context.Context) (halted string, err error) {
	keys := c.relied()
	if len(keys) == 0 {
		return "", nil
	}
	var fresh map[Key]Record
	sound := c.walkBeside()
	err = c.persist(ctx, func() (err error) {
		fresh, err = c.engine.Target.Read(ctx, c.world.Company(), c.world, keys)
		return err
	})
	unsound := sound()
	if err != nil {
		if c.interrupted(ctx) == haltStopped {
			return haltStopped, nil
		}
		return fmt.Sprintf("what the plan relies on could not be read again: %v", err), nil
	}
	stale := c.withoutHalfDone(c.Plan.stale(fresh, keys), fresh)
	if len(stale) == 0 {
		return c.checkSound(ctx, unsound, fresh, keys)
	}
	c.Plan.rely(stale, c.world)
	if err := c.engine.learn(ctx, c.world, fresh, stale); err != nil {
		return "", err
	}
	if c.Run.Options.Stale == StaleDrop {
		if stale, err = c.dropStale(stale); err != nil || len(stale) == 0 {
			return "", err
		}
	}
	return refuseStale(stale), nil
}

// relied lists the keys that the plan relies on and that no operation done so far may have changed. Before the first
// operation these are all of them; on a resumed run, those of the operations that are left, less what is done itself or
// waited for something that is done.
func (c *coordinator) relied() []Key {
	if c.counts.Done == 0 && len(c.before) == 0 {
		keys := make([]Key, len(c.Plan.Touched))
		for i, t := range c.Plan.Touched {
			keys[i] = t.Key
		}
		return keys
	}
	changed, left := map[Key]bool{}, map[Key]bool{}
	for i := range c.Plan.Operations {
		op := &c.Plan.Operations[i]
		if c.outcomes[op.ID].Status == Held {
			continue
		}
		if c.outcomes[op.ID].Status != Done && !c.before[op.ID] {
			left[op.Key], left[op.Login.Key()] = true, true
			continue
		}
		if op.Action == ActionSave { // it changes nothing
			continue
		}
		changed[op.Key], changed[op.Login.Key()] = true, true
	}
	after := map[int]bool{} // operations behind one that is done
	for i := range c.Plan.Operations {
		op := &c.Plan.Operations[i]
		for _, n := range op.Needs {
			if c.ops[n].Action != ActionSave && (c.outcomes[n].Status == Done || c.before[n]) {
				after[op.ID], changed[op.Key] = true, true
			}
			if after[n] { // options go with the subscriber, however far behind it comes again
				after[op.ID] = true
				changed[op.Key] = changed[op.Key] || op.detail()
			}
		}
	}
	var keys []Key
	for _, t := range c.Plan.Touched {
		if left[t.Key] && !changed[t.Key] || t.Key == DefaultDDIKey() && c.mindsDefault(t) {
			keys = append(keys, t.Key)
		}
	}
	return keys
}

// walkBeside walks a plan that nothing is done of yet over what is recorded now, while upstream is read: what the plan does not
// rely on, such as the seats that are left, may have changed too. What it gives waits for the end and says what is wrong.
func (c *coordinator) walkBeside() (sound func() error) {
	if c.counts.Done > 0 || len(c.before) > 0 {
		return func() error { return nil }
	}
	wrong := make(chan error, 1)
	go func() { wrong <- Invariants(c.Plan, c.world) }()
	return func() error { return <-wrong }
}

// checkSound says why a plan can't be carried out on what is recorded, unsound being what walkBeside found. What was just read is
// as the plan wants it, so it corrects what is recorded, if an earlier go was misled by an answer that lagged or lied.
func (c *coordinator) checkSound(ctx context.Context, unsound error, fresh map[Key]Record, keys []Key) (halted string, err error) {
	if unsound == nil {
		return "", nil
	}
	read := make([]Stale, len(keys))
	for i, k := range keys {
		read[i].Key = k
	}
	if err := c.engine.learn(ctx, c.world, fresh, read); err != nil {
		return "", err
	}
	if err = Invariants(c.Plan, c.world); err != nil {
		return "the plan is stale, make a new one: as things stand now, " + err.Error(), nil
	}
	return "", nil
}
