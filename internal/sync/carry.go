package sync

import (
	"context"
	"fmt"
	"slices"
)

// carry sends a call and, when its answer was lost, looks up what became of it.
func (e *Engine) carry(ctx context.Context, call Call) result {
	entry := JournalEntry{Company: call.Company.ID, Run: call.Run, Number: call.Number, Began: e.now()}
	for _, s := range call.Steps {
		entry.Operations = append(entry.Operations, s.Operation.ID)
	}
	outcomes, err := e.Target.Apply(ctx, call)
	if err != nil {
		return result{finished{entry, call.all(NotDone, err.Error())}, err.Error()}
	}
	lost := slices.IndexFunc(outcomes, func(o Outcome) bool { return o.Status == Unknown })
	if lost < 0 {
		return result{finished: finished{entry, outcomes}}
	}
	found, err := e.Target.Confirm(ctx, call)
	if err != nil || slices.ContainsFunc(found, func(o Outcome) bool { return o.Status == Unknown }) {
		why := fmt.Sprintf("the answer to operation %d (%s) was lost (%s) and looking it up failed", outcomes[lost].Operation, call.Steps[lost].Operation.Title(), outcomes[lost].Message)
		if err != nil {
			why += ": " + err.Error()
		}
		return result{finished{entry, call.all(Unknown, why)}, why}
	}
	for i := range found {
		if found[i].Status == NotDone {
			found[i].Message = outcomes[lost].Message
		}
	}
	return result{finished: finished{entry, found}}
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
