package rainbow

import (
	"context"
	"slices"
	"strings"
	"time"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// confirmStep tells whether a single operation took effect. Upstream's lists may lag behind its writes, so what is not
// there is looked for again: once for what does no harm when it is done twice, and as long as lists may lag for what
// creates.
func (t *Target) confirmStep(ctx context.Context, company bulksync.Company, step bulksync.Step) (bulksync.Outcome, error) {
	o := bulksync.Outcome{Operation: step.Operation.ID, Status: bulksync.NotDone}
	bound := t.again()
	if step.Operation.Action == bulksync.ActionCreate {
		bound = t.opts.Settle
	}
	err := t.patiently(ctx, bound, func() (bool, error) {
		left, holds, err := t.holds(ctx, company, step)
		if holds {
			o.Status, o.ID, o.Seen = bulksync.Done, left.id, left.seen
		}
		return holds, err
	})
	return o, err
}

// again is the pause before a second look.
func (t *Target) again() time.Duration { return 5 * t.opts.PollInterval }

// patiently looks again and again, at growing pauses, until something is found or the bound is over; at least twice. The bound
// counts from the first answer: one that was long in coming says nothing of what upstream shows later.
func (t *Target) patiently(ctx context.Context, bound time.Duration, look func() (found bool, err error)) error {
	next := t.again()
	var answered time.Time
	for {
		began := time.Now()
		if found, err := look(); found || err != nil {
			return err
		}
		if answered.IsZero() {
			answered = time.Now()
		} else if began.Sub(answered) >= bound {
			return nil
		}
		if err := pause(ctx, max(0, min(next, bound-time.Since(answered)))); err != nil {
			return err
		}
		next += next / 2
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// holds tells whether upstream is as an operation leaves it, and what that left.
func (t *Target) holds(ctx context.Context, company bulksync.Company, step bulksync.Step) (left effect, holds bool, err error) {
	op, refs := &step.Operation, step.Refs
	attach := op.Action == bulksync.ActionAttach
	switch op.Key.Kind {
	case bulksync.KindUser:
		return t.userHolds(ctx, company.ID, step)
	case bulksync.KindExtension:
		switch op.Action {
		case bulksync.ActionSave: // it leaves nothing upstream and is just done again
			return effect{}, false, nil
		case bulksync.ActionRestore:
			holds, err = t.restored(ctx, step)
			return effect{}, holds, err
		}
		left.id, holds, err = t.numberHolds(ctx, step)
	case bulksync.KindOptions, bulksync.KindSettings, bulksync.KindKeys:
		return t.detailHolds(ctx, step)
	case bulksync.KindDevice:
		var d *rvcpprovisioningv1.SipDevice
		d, err = t.device(ctx, refs.SystemID, refs.ThingID, bulksync.DeviceKey(op.Key.ID))
		if op.Action != bulksync.ActionAttach && op.Action != bulksync.ActionDetach {
			left, holds = deviceHolds(d, op)
			break
		}
		holds = d != nil && attach == (d.GetPhoneNumberId() == refs.SubscriberID && d.GetPhoneNumberId() != "")
	case bulksync.KindDDI:
		var d *rvcpprovisioningv1.Ddi
		d, err = t.ddi(ctx, refs.SystemID, bulksync.E164(op.Key.ID))
		if op.Action != bulksync.ActionAttach && op.Action != bulksync.ActionDetach {
			left, holds = ddiHolds(d, op)
			break
		}
		holds = d != nil && attach == (d.GetUserId() == refs.UserID)
	case bulksync.KindLicence:
		var profiles []*adminv1.UserProfile
		profiles, err = t.profilesOf(ctx, refs.UserID)
		holds = err == nil && attach == slices.ContainsFunc(profiles, func(p *adminv1.UserProfile) bool { return p.GetSubscriptionId() == refs.ThingID })
	}
	return left, holds, err
}

// numberHolds judges the operations on extensions and paired numbers.
func (t *Target) numberHolds(ctx context.Context, step bulksync.Step) (id string, holds bool, err error) {
	op, refs := &step.Operation, step.Refs
	n, err := t.numberByName(ctx, refs.SystemID, shortNumber(op.Key))
	if err != nil {
		return "", false, err
	}
	his := n != nil && n.GetUserId() == refs.UserID && refs.UserID != ""
	switch op.Action {
	case bulksync.ActionCreate:
		return n.GetId(), his, nil
	case bulksync.ActionDelete:
		return "", !his || refs.SubscriberID != "" && n.GetId() != refs.SubscriberID, nil
	case bulksync.ActionDetach:
		return "", !his, nil
	}
	return "", his && carries(n, op), nil
}

// carries tells whether a number has the values that an operation gives it.
func carries(n *adminv1.SystemPhoneNumber, op *bulksync.Operation) bool {
	if v, ok := op.After("internalNumber"); ok && v != n.GetInternalNumber() {
		return false
	}
	v, ok := op.After("number")
	return !ok || bulksync.SamePhone(v, n.GetNumber()) || bulksync.SamePhone(v, n.GetNumberE164())
}

// userHolds judges the operations on a user. A password can't be seen: it counts as set when all else is as it shall be.
func (t *Target) userHolds(ctx context.Context, company string, step bulksync.Step) (left effect, holds bool, err error) {
	op := &step.Operation
	if _, renamed := op.Renames(); renamed && step.Refs.UserID != "" {
		return t.renameHolds(ctx, company, step)
	}
	found, err := t.usersByLogin(ctx, company, []bulksync.Login{op.Login})
	if err != nil || !userIsAs(found[op.Login], op) {
		return effect{}, false, err
	}
	seen, err := t.seenUser(ctx, company, found[op.Login])
	if err != nil || seen == nil {
		return effect{}, true, err
	}
	return effect{id: seen.ID, seen: seen}, true, nil
}

// renameHolds judges a rename by the user's id, which stays: whoever has the new login by now may be somebody else.
func (t *Target) renameHolds(ctx context.Context, company string, step bulksync.Step) (left effect, holds bool, err error) {
	u, err := t.userByID(ctx, step.Refs.UserID)
	if err != nil || u == nil || !userIsAs(u, &step.Operation) {
		return effect{}, false, err
	}
	seen, err := t.seenUser(ctx, company, u)
	if err != nil || seen == nil {
		return effect{}, true, err
	}
	return effect{id: seen.ID, seen: seen}, true, nil
}

// userIsAs tells whether a user, nil when there is none, is as an operation leaves him.
func userIsAs(u *adminv1.User, op *bulksync.Operation) bool {
	if op.Action == bulksync.ActionDelete || u == nil {
		return op.Action == bulksync.ActionDelete && u == nil
	}
	for _, c := range op.Changes {
		if !valueIsAs(u, c) {
			return false
		}
	}
	return true
}

// valueIsAs compares as the planner does: what it would not change again is done.
func valueIsAs(u *adminv1.User, c bulksync.Change) bool {
	if id, ok := strings.CutPrefix(c.Name, licencePrefix); ok {
		return slices.ContainsFunc(u.GetProfiles(), func(p *adminv1.UserProfile) bool { return p.GetSubscriptionId() == id })
	}
	if a := findAttribute(c.Name); a != nil {
		return bulksync.SameAttribute(c.Name, a.get(u), c.After)
	}
	f, n, ok := position(c.Name)
	if !ok {
		return true // upstream does not show it
	}
	item := ""
	if items := f.get(u); n < len(items) {
		item = items[n]
	}
	return bulksync.SameAttribute(c.Name, item, c.After)
}
