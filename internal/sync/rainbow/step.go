package rainbow

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// effect is what a carried out step gives back.
type effect struct {
	id   string
	seen bulksync.Record
	// saved is what a save has read.
	saved string
}

// applyStep carries out a single operation. An answer that says that upstream is so already counts as done when reading
// back agrees: the request may have been repeated on the way, or somebody else did the same.
func (t *Target) applyStep(ctx context.Context, company bulksync.Company, step bulksync.Step) (bulksync.Outcome, error) {
	done, err := t.send(ctx, company, step)
	if err == nil && step.Operation.Action == bulksync.ActionCreate && done.id == "" {
		return t.created(ctx, company, step), nil
	}
	if err == nil {
		return bulksync.Outcome{Operation: step.Operation.ID, Status: bulksync.Done, ID: done.id, Seen: done.seen, Saved: done.saved, Attempts: 1}, nil
	}
	f := judge(err)
	if f.general {
		return bulksync.Outcome{}, hidden(fmt.Errorf("%s: %w", step.Operation.Title(), err), step)
	}
	if !f.lost && (f.status == http.StatusConflict || f.status == http.StatusNotFound) {
		if left, holds, err := t.heldAlready(ctx, company, step); err == nil && holds {
			return bulksync.Outcome{Operation: step.Operation.ID, Status: bulksync.Done, ID: left.id, Seen: left.seen, Attempts: 1}, nil
		}
	}
	o := f.outcome(step)
	o.Attempts = 1
	var piece *pieceError
	if errors.As(err, &piece) {
		o.Message = piece.name + " was not put back: " + o.Message
	}
	if f.lost {
		o.Trouble = trouble(err)
	}
	return o, nil
}

// created is the outcome of a creation whose answer did not say under which id: that is looked up, for all that follows needs
// it.
func (t *Target) created(ctx context.Context, company bulksync.Company, step bulksync.Step) bulksync.Outcome {
	o := bulksync.Outcome{Operation: step.Operation.ID, Status: bulksync.Unknown, Message: "upstream took it, and did not say under which id it is", Attempts: 1}
	err := t.patiently(ctx, t.opts.Settle, func() (bool, error) {
		left, holds, err := t.holds(ctx, company, step)
		holds = holds && left.id != ""
		if holds {
			o = bulksync.Outcome{Operation: step.Operation.ID, Status: bulksync.Done, ID: left.id, Seen: left.seen, Attempts: 1}
		}
		return holds, err
	})
	if err != nil {
		o.Trouble = trouble(err)
	}
	return o
}

// heldAlready tells whether upstream is as an operation leaves it, of which it says that it can't be done. When it may
// have been done by an earlier try, upstream gets the time to show it.
func (t *Target) heldAlready(ctx context.Context, company bulksync.Company, step bulksync.Step) (left effect, holds bool, err error) {
	if step.Sent == 0 && !unsure(ctx) {
		return t.holds(ctx, company, step)
	}
	err = t.patiently(ctx, t.opts.Settle, func() (_ bool, err error) {
		left, holds, err = t.holds(ctx, company, step)
		return holds, err
	})
	return left, holds, err
}

// send makes the requests of a single operation.
func (t *Target) send(ctx context.Context, company bulksync.Company, step bulksync.Step) (effect, error) {
	op := &step.Operation
	attach := op.Action == bulksync.ActionAttach
	switch op.Key.Kind {
	case bulksync.KindUser:
		switch op.Action {
		case bulksync.ActionCreate:
			return t.createUser(ctx, company, step)
		case bulksync.ActionDelete:
			return t.deleteUser(ctx, step)
		}
		return t.updateUser(ctx, company, step)
	case bulksync.KindExtension:
		switch op.Action {
		case bulksync.ActionCreate:
			return t.createSubscriber(ctx, step)
		case bulksync.ActionDelete:
			return t.deleteSubscriber(ctx, step)
		case bulksync.ActionSave:
			return t.save(ctx, step)
		case bulksync.ActionRestore:
			return t.restore(ctx, step)
		}
		return effect{}, t.updateNumber(ctx, step)
	case bulksync.KindOptions:
		if err := t.putOptions(ctx, step); err != nil {
			return effect{}, err
		}
		return t.optionsLeft(ctx, step), nil
	case bulksync.KindSettings:
		return effect{}, t.putSettings(ctx, step)
	case bulksync.KindKeys:
		return t.putDeviceKeys(ctx, step)
	case bulksync.KindDevice:
		if op.Action != bulksync.ActionAttach && op.Action != bulksync.ActionDetach {
			return t.provisionDevice(ctx, company, step)
		}
		return effect{}, t.moveDevice(ctx, step, attach)
	case bulksync.KindDDI:
		if op.Action != bulksync.ActionAttach && op.Action != bulksync.ActionDetach {
			return t.provisionDDI(ctx, step)
		}
		return effect{}, t.moveDDI(ctx, step, attach)
	case bulksync.KindLicence:
		return effect{}, t.moveLicence(ctx, step, attach)
	}
	return effect{}, beforehand(fmt.Errorf("operation %d: %s %s is not known", op.ID, op.Action, op.Key))
}

// shortNumber is the number in the key of an extension.
func shortNumber(k bulksync.Key) bulksync.Number {
	return bulksync.Number(k.ID[strings.LastIndexByte(k.ID, '/')+1:])
}

func (t *Target) createSubscriber(ctx context.Context, step bulksync.Step) (effect, error) {
	number := string(shortNumber(step.Operation.Key))
	resp, err := t.subscribers.CreateSubscriber(ctx, &rvcpprovisioningv1.CreateSubscriberRequest{
		SystemId: step.Refs.SystemID,
		Body:     &rvcpprovisioningv1.CreateSubscriberBody{UserId: &step.Refs.UserID, ShortNumber: &number},
	})
	return effect{id: resp.GetData().GetId()}, err
}

// deleteSubscriber deletes a subscriber; one whose id is not recorded is looked up first.
func (t *Target) deleteSubscriber(ctx context.Context, step bulksync.Step) (effect, error) {
	id := step.Refs.SubscriberID
	if id == "" {
		n, err := t.numberByName(ctx, step.Refs.SystemID, shortNumber(step.Operation.Key))
		if err != nil {
			return effect{}, beforehand(err)
		}
		if n == nil {
			return effect{}, nil // it is gone
		}
		id = n.GetId()
	}
	_, err := t.subscribers.DeleteSubscriber(ctx, &rvcpprovisioningv1.DeleteSubscriberRequest{SystemId: step.Refs.SystemID, PhoneNumberId: id})
	return effect{}, err
}

// updateNumber changes what an equipped PBX's number carries, and pairs it with the user when the operation is an attach.
func (t *Target) updateNumber(ctx context.Context, step bulksync.Step) error {
	body := &adminv1.UpdateSystemPhoneNumberBody{}
	if step.Operation.Action == bulksync.ActionAttach {
		body.UserId = &step.Refs.UserID
	}
	if v, ok := step.Operation.After("internalNumber"); ok {
		body.InternalNumber = &v
	}
	if v, ok := step.Operation.After("number"); ok {
		body.Number = &v
	}
	_, err := t.numbers.UpdateSystemPhoneNumber(ctx, &adminv1.UpdateSystemPhoneNumberRequest{
		SystemId: step.Refs.SystemID, PhoneNumberId: step.Refs.ThingID, Body: body,
	})
	return err
}

func (t *Target) moveDevice(ctx context.Context, step bulksync.Step, attach bool) (err error) {
	refs := step.Refs
	if attach {
		_, err = t.subscribers.AssignDeviceToSubscriber(ctx, &rvcpprovisioningv1.AssignDeviceToSubscriberRequest{
			SystemId: refs.SystemID, PhoneNumberId: refs.SubscriberID,
			Body: &rvcpprovisioningv1.AssignDeviceToSubscriberBody{DeviceId: &refs.ThingID},
		})
		return err
	}
	_, err = t.subscribers.UnassignDeviceFromSubscriber(ctx, &rvcpprovisioningv1.UnassignDeviceFromSubscriberRequest{
		SystemId: refs.SystemID, PhoneNumberId: refs.SubscriberID, DeviceId: refs.ThingID,
	})
	return err
}

func (t *Target) moveDDI(ctx context.Context, step bulksync.Step, attach bool) (err error) {
	refs := step.Refs
	if attach {
		_, err = t.ddis.AssignDdiToUser(ctx, &rvcpprovisioningv1.AssignDdiToUserRequest{SystemId: refs.SystemID, PhoneNumberId: refs.ThingID, UserId: refs.UserID})
		return err
	}
	_, err = t.ddis.UnassignDdiFromUser(ctx, &rvcpprovisioningv1.UnassignDdiFromUserRequest{SystemId: refs.SystemID, PhoneNumberId: refs.ThingID, UserId: refs.UserID})
	return err
}

func (t *Target) moveLicence(ctx context.Context, step bulksync.Step, attach bool) (err error) {
	refs := step.Refs
	if attach {
		_, err = t.profiles.AssignUserSubscription(ctx, &adminv1.AssignUserSubscriptionRequest{
			UserId: refs.UserID, SubscriptionId: refs.ThingID, Body: &adminv1.AssignUserSubscriptionBody{},
		})
		return err
	}
	_, err = t.profiles.UnassignUserSubscription(ctx, &adminv1.UnassignUserSubscriptionRequest{UserId: refs.UserID, SubscriptionId: refs.ThingID})
	return err
}

// updateUser changes a user by UpdateUser. Lists are replaced as a whole, so the user is read before when one changes.
func (t *Target) updateUser(ctx context.Context, company bulksync.Company, step bulksync.Step) (effect, error) {
	op := &step.Operation
	var now *adminv1.User
	for _, c := range op.Changes {
		if _, _, numbered := position(c.Name); numbered && now == nil {
			format := full
			resp, err := t.users.GetUser(ctx, &adminv1.GetUserRequest{UserId: step.Refs.UserID, Format: &format})
			if err != nil {
				return effect{}, beforehand(err)
			}
			now = resp.GetData()
		}
	}
	body := updateBody(now, op.Changes)
	if step.Password != "" {
		body.Password = &step.Password
	}
	resp, err := t.users.UpdateUser(ctx, &adminv1.UpdateUserRequest{UserId: step.Refs.UserID, Body: body}, t.userShown)
	if err != nil {
		return effect{}, err
	}
	seen, err := t.seenUser(ctx, company.ID, resp.GetData())
	if err != nil || seen == nil || seen.Login != op.Login {
		return effect{}, nil // it is done; how it looks now is for the next refresh
	}
	return effect{seen: seen}, nil
}
