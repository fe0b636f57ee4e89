package sync

import (
	"context"
	"slices"
)

// withoutHalfDone leaves out of what is stale what an earlier go of the run has made so.
func (c *coordinator) withoutHalfDone(stale []Stale, fresh map[Key]Record) []Stale {
	if len(stale) == 0 || len(c.sent) == 0 {
		return stale
	}
	changed := c.Plan.changedNames()
	return slices.DeleteFunc(stale, func(s Stale) bool { return c.halfDone(s.Key, fresh[s.Key], changed[s.Key]) })
}

// halfDone tells whether a thing is not as the plan relies on it because of an operation that was sent and did not come to its
// end: some operations are several calls, of which the first may have been done. What it began to create is there, and what it
// began to change is as before but for that.
func (c *coordinator) halfDone(k Key, now Record, changed []string) bool {
	relied, found := c.Plan.touch(k)
	if now == nil || !found {
		return false
	}
	if k == DefaultDDIKey() {
		return c.sentDefault(now)
	}
	sent := false
	for i := range c.Plan.Operations {
		op := &c.Plan.Operations[i]
		if op.Key != k || c.sent[op.ID] == 0 || c.outcomes[op.ID].Status == Done {
			continue
		}
		sent = true
		switch op.Action {
		case ActionCreate:
			return relied.Hash == ""
		case ActionUpdate:
			now = c.rewound(op, now)
		}
	}
	return sent && reliance(now, changed) == relied.Hash
}

// rewound gives a record with the values that it had before an operation changed them.
func (c *coordinator) rewound(op *Operation, now Record) Record {
	if op.renames() {
		return now
	}
	inverse := *op
	inverse.Changes = slices.Clone(op.Changes)
	for i, change := range op.Changes {
		inverse.Changes[i].Before, inverse.Changes[i].After = change.After, change.Before
	}
	w := Overlay(c.world)
	w.put(now)
	for _, change := range Effects(&inverse, w, "") {
		if change.Key == op.Key && change.Record != nil {
			return change.Record
		}
	}
	return now
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
