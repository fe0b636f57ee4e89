package sync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// carry sends a call, after its pause, and looks up what became of it when its answer was lost. It runs beside the
// coordinator and looks at nothing of it that changes.
func (c *coordinator) carry(ctx context.Context, call begun) result {
	if call.pause > 0 {
		select {
		case <-time.After(call.pause):
		case <-c.Stop:
		case <-ctx.Done():
		}
		if why := c.interrupted(ctx); why != "" {
			return result{finished{call.entry, call.all(NotDone, why)}, why}
		}
	}
	target := c.engine.Target
	outcomes, err := target.Apply(ctx, call.Call)
	if err != nil {
		return result{finished{call.entry, call.all(NotDone, err.Error())}, err.Error()}
	}
	at, why := call.lost(outcomes)
	if why == "" {
		return result{finished: finished{call.entry, outcomes}}
	}
	lost := fmt.Sprintf("the answer to operation %d (%s) was lost (%s)", call.Steps[at].Operation.ID, call.Steps[at].Operation.Title(), why)
	found, err := target.Confirm(ctx, call.Call)
	if err == nil {
		if _, still := call.lost(found); still != "" {
			err = errors.New(still)
		}
	}
	if err != nil {
		lost += " and looking it up failed: " + err.Error()
		return result{finished{call.entry, call.all(Unknown, lost)}, lost}
	}
	for i := range found {
		if found[i].Status == NotDone {
			found[i].Message = why
		}
	}
	return result{finished: finished{call.entry, found}}
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

// refs looks up the upstream ids that an operation needs, as the run knows them now.
func (c *coordinator) refs(op *Operation) Refs {
	var refs Refs
	if u := find[User](c.world, op.Login.Key()); u != nil {
		refs.UserID = u.ID
	}
	if pbx := c.world.Company().CloudPbx; pbx != nil {
		refs.SystemID = pbx.ID
	}
	if s := SubscriberOf(c.world, op.Login); s != nil {
		refs.SubscriberID = s.ID
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
	return refs
}
