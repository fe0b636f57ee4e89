package sync

import (
	"slices"
)

// withoutHalfDone leaves out of what is stale what an earlier go of the run has made so.
func (c *coordinator) withoutHalfDone(stale []Stale, fresh map[Key]Record) []Stale {
	if len(stale) == 0 || len(c.sent) == 0 {
		return stale
	}
	changed, begun := c.Plan.changedNames(), c.begun()
	return slices.DeleteFunc(stale, func(s Stale) bool { return c.halfDone(s.Key, fresh[s.Key], changed[s.Key], begun[s.Key]) })
}

// begun lists the operations that were sent and did not come to their end, by what they concern.
func (c *coordinator) begun() map[Key][]*Operation {
	begun := map[Key][]*Operation{}
	for i := range c.Plan.Operations {
		if op := &c.Plan.Operations[i]; c.sent[op.ID] > 0 && c.outcomes[op.ID].Status != Done {
			begun[op.Key] = append(begun[op.Key], op)
		}
	}
	return begun
}

// halfDone tells whether a thing is not as the plan relies on it because of an operation that was sent and did not come to its
// end: some operations are several calls, of which the first may have been done. What it began to create is there, and what it
// began to change is as before but for that.
func (c *coordinator) halfDone(k Key, now Record, changed []string, begun []*Operation) bool {
	relied, found := c.Plan.touch(k)
	if now == nil || !found {
		return false
	}
	if k == DefaultDDIKey() {
		return c.sentDefault(now)
	}
	for _, op := range begun {
		switch op.Action {
		case ActionCreate:
			return relied.Hash == ""
		case ActionUpdate:
			now = c.rewound(op, now)
		}
	}
	return len(begun) > 0 && reliance(now, changed) == relied.Hash
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
