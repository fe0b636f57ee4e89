package sync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// carry sends a call and looks up what became of it when its answer was lost. It runs beside the coordinator and looks at
// nothing of it that changes.
func (c *coordinator) carry(ctx context.Context, call begun) result {
	var told atomic.Bool
	call.Tell = func(r Request) {
		told.Store(true)
		c.limit.told(r, time.Now())
	}
	began := time.Now()
	outcomes, err := c.engine.Target.Apply(ctx, call.Call)
	took := time.Since(began)
	if err != nil {
		return call.untaken(ctx, err)
	}
	at, why := call.lost(outcomes)
	if why == "" {
		if !told.Load() { // a target that tells nothing of its requests is judged by its calls
			c.limit.told(Request{Name: call.name(), Took: took}, time.Now())
		}
		return result{finished: finished{entry: call.entry, outcomes: outcomes, took: took}, call: call}
	}
	var trouble *Trouble
	if at < len(outcomes) {
		trouble = outcomes[at].Trouble
	}
	r := c.confirm(ctx, call, fmt.Sprintf("the answer to operation %d (%s) was lost (%s)", call.Steps[at].Operation.ID, call.Steps[at].Operation.Title(), why))
	for i := range r.outcomes {
		if r.outcomes[i].Status == NotDone {
			r.outcomes[i].Message, r.trouble = why, cmp.Or(r.trouble, trouble)
		}
	}
	r.took = time.Since(began)
	return r
}

// untaken is the result of a call that upstream did not take: nothing was done.
func (call begun) untaken(ctx context.Context, err error) result {
	r := result{finished: finished{entry: call.entry, outcomes: call.all(NotDone, err.Error())}, call: call}
	if r.trouble = troubleOf(err); r.trouble == nil || ctx.Err() != nil {
		r.halt = err.Error()
		return r
	}
	for i := range r.outcomes {
		r.outcomes[i].Trouble = r.trouble
	}
	return r
}

// confirm looks up what became of a call, why saying how that came into doubt.
func (c *coordinator) confirm(ctx context.Context, call begun, why string) result {
	r := result{finished: finished{entry: call.entry}, call: call}
	found, err := c.engine.Target.Confirm(ctx, call.Call)
	if err == nil {
		at, still := call.lost(found)
		if still == "" {
			r.outcomes = found
			return r
		}
		err = errors.New(still)
		if at < len(found) {
			r.trouble = found[at].Trouble
		}
		r.doubt = true
	} else {
		r.trouble = troubleOf(err)
		r.doubt = r.trouble != nil
	}
	why += " and looking it up failed: " + err.Error()
	r.outcomes = call.all(Unknown, why)
	if call.lookups++; ctx.Err() != nil || r.trouble == nil && call.lookups >= tries {
		r.doubt = false
	}
	if r.call = call; !r.doubt {
		r.halt = why
	}
	return r
}

// name tells calls apart that take differently long.
func (c Call) name() string {
	if len(c.Steps) != 1 {
		return ""
	}
	op := &c.Steps[0].Operation
	return string(op.Action) + " " + string(op.Key.Kind)
}

// lost tells which step of a call has no known outcome, and says why; no words when each has one. Outcomes that do not
// fit the call are as good as lost: to take them for what they are not would do an operation twice, or never.
func (c Call) lost(outcomes []Outcome) (step int, why string) {
	if len(outcomes) != len(c.Steps) {
		return 0, fmt.Sprintf("%d outcomes came for %d operations", len(outcomes), len(c.Steps))
	}
	for i, o := range outcomes {
		if want := c.Steps[i].Operation.ID; o.Operation != want {
			return i, fmt.Sprintf("the outcome of operation %d came for operation %d", o.Operation, want)
		}
		switch o.Status {
		case Done, Failed, NotDone:
		case Unknown:
			return i, cmp.Or(o.Message, "its outcome is unknown")
		default:
			return i, fmt.Sprintf("its outcome is %q", o.Status)
		}
	}
	return 0, ""
}

// all gives every step of a call the same outcome.
func (c Call) all(s Status, message string) []Outcome {
	outcomes := make([]Outcome, len(c.Steps))
	for i, step := range c.Steps {
		outcomes[i] = Outcome{Operation: step.Operation.ID, Status: s, Message: message}
	}
	return outcomes
}

// step is an operation with what it needs to be carried out, as the run knows it now; its password is filled in later.
func (c *coordinator) step(op *Operation) Step {
	step := Step{Operation: *op, Refs: c.refs(op)}
	if op.Action == ActionRestore {
		for _, id := range op.Needs {
			if saved := cmp.Or(c.outcomes[id].Saved, c.saved[id]); saved != "" && c.ops[id].Action == ActionSave {
				step.Saved = append(step.Saved, saved)
			}
		}
	}
	return step
}

// refs looks up the upstream ids that an operation needs, as the run knows them now.
func (c *coordinator) refs(op *Operation) Refs {
	var refs Refs
	who := op.Login.Key()
	if op.renames() {
		who = op.Key
	}
	if u := find[User](c.world, who); u != nil {
		refs.UserID = u.ID
	}
	if pbx := c.world.Company().CloudPbx; pbx != nil {
		refs.SystemID = pbx.ID
	}
	if op.Key.Kind != KindUser && op.Key.Kind != KindDDI && op.Key.Kind != KindLicence {
		if s := SubscriberOf(c.world, op.Login); s != nil {
			refs.SubscriberID = s.ID
		}
	}
	switch r := c.world.Record(op.Key).(type) {
	case *Extension:
		refs.SystemID, refs.SubscriberID, refs.ThingID = r.SystemID, r.ID, r.ID
	case *Device:
		refs.ThingID = r.ID
		if r.SubscriberID != "" {
			refs.SubscriberID = r.SubscriberID
		}
	case *DDI:
		refs.ThingID = r.ID
	case *Licence:
		refs.ThingID = r.ID
	}
	if op.Key.Kind == KindKeys {
		if d := find[Device](c.world, DeviceKey(op.Key.ID).Key()); d != nil {
			refs.ThingID = d.ID
		}
	}
	return refs
}
