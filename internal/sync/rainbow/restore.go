package rainbow

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// restoration puts back what saves have read. Every piece is compared with what is there first, so that it can be done
// again after an answer was lost, and done in full whatever was done before.
type restoration struct {
	*Target
	system string
	// id and number are the new subscriber's.
	id     string
	number bulksync.Number
	was    settings
	to     pointers
}

// restorationOf reads what the saves of a restore have left.
func (t *Target) restorationOf(step bulksync.Step) (restoration, error) {
	r := restoration{Target: t, system: step.Refs.SystemID, id: step.Refs.SubscriberID, number: shortNumber(step.Operation.Key)}
	for _, saved := range step.Saved {
		var both struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal([]byte(saved), &both); err != nil {
			return r, fmt.Errorf("what was saved can't be read: %w", err)
		}
		into := any(&r.to)
		if both.ID != "" {
			into = &r.was
		}
		if err := json.Unmarshal([]byte(saved), into); err != nil {
			return r, fmt.Errorf("what was saved can't be read: %w", err)
		}
	}
	if r.was.ID == "" {
		return r, errors.New("nothing was saved of the subscriber")
	}
	return r, nil
}

// piece is one thing to put back: whether it is there, and what puts it there.
type piece struct {
	name string
	// there tells that nothing is to be done.
	there bool
	put   func(context.Context) error
}

// restore puts back every piece. What upstream refuses is told, and does not keep the rest from being put back.
func (t *Target) restore(ctx context.Context, step bulksync.Step) (effect, error) {
	r, err := t.restorationOf(step)
	if err != nil {
		return effect{}, beforehand(err)
	}
	pieces, err := r.pieces(ctx)
	if err != nil {
		return effect{}, beforehand(err)
	}
	var refused error
	for _, p := range pieces {
		if p.there {
			continue
		}
		if err := p.put(ctx); err != nil {
			if f := judge(err); f.general || f.lost {
				return effect{}, err
			}
			if refused == nil {
				refused = &pieceError{p.name, err}
			}
		}
	}
	return effect{}, refused
}

// pieceError says which piece upstream refused.
type pieceError struct {
	name  string
	cause error
}

func (e *pieceError) Error() string { return e.name + ": " + e.cause.Error() }
func (e *pieceError) Unwrap() error { return e.cause }

// restored tells whether every piece is there.
func (t *Target) restored(ctx context.Context, step bulksync.Step) (bool, error) {
	r, err := t.restorationOf(step)
	if err != nil {
		return false, err
	}
	pieces, err := r.pieces(ctx)
	return err == nil && !slices.ContainsFunc(pieces, func(p piece) bool { return !p.there }), err
}

// pieces compares what was saved with what is there.
func (r restoration) pieces(ctx context.Context) ([]piece, error) {
	now, err := r.options(ctx, r.system, r.id)
	if err != nil {
		return nil, err
	}
	all := r.optionPieces(now)
	for _, was := range r.keysToPut() {
		shall := r.follow(was)
		there, err := r.keyAt(ctx, r.system, shall)
		if err != nil {
			return nil, err
		}
		all = append(all, piece{fmt.Sprintf("key %d of the phone with id %s", shall.Place, shall.Device), there != nil && (there.settled(shall) || there.Type != was.Type || !r.mine(*there)),
			func(ctx context.Context) error { return r.putKey(ctx, r.system, was, shall) }})
	}
	forwards, err := r.forwardPieces(ctx)
	return append(all, forwards...), err
}

// same compares two overflows; one that is not said is the company's.
func (o overflow) same(p overflow) bool {
	return o.Value == p.Value && o.Delay == p.Delay && cmp.Or(o.Unavailable, "default") == cmp.Or(p.Unavailable, "default")
}

func (r restoration) optionPieces(now settings) []piece {
	var all []piece
	if was := r.was.Overflow; was != nil && was.Value != "" && (now.Overflow == nil || !now.Overflow.same(*was)) {
		unavailable := cmp.Or(was.Unavailable, "default") // mandatory, though upstream may leave it out (guide)
		body := &rvcpprovisioningv1.UpdateSubscriberOverflowBody{Value: &was.Value, UnavailableOverflow: &unavailable}
		if was.Delay > 0 {
			body.NoReplyDelay = &was.Delay
		}
		all = append(all, piece{name: "the overflow", put: func(ctx context.Context) error {
			_, err := r.subscribers.UpdateSubscriberOverflow(ctx, &rvcpprovisioningv1.UpdateSubscriberOverflowRequest{SystemId: r.system, PhoneNumberId: r.id, Body: body})
			return err
		}})
	}
	if was := r.was.Barring; was != nil && (now.Barring == nil || *now.Barring != *was) {
		all = append(all, piece{name: "the barring", put: func(ctx context.Context) error {
			body := &rvcpprovisioningv1.UpdateSubscriberBarringOptionsBody{}
			if was.Permissions != "" {
				body.Permissions = &was.Permissions
			}
			if was.Restrictions != "" {
				body.Restrictions = &was.Restrictions
			}
			_, err := r.subscribers.UpdateSubscriberBarringOptions(ctx, &rvcpprovisioningv1.UpdateSubscriberBarringOptionsRequest{SystemId: r.system, PhoneNumberId: r.id, Body: body})
			return err
		}})
	}
	if was := r.was.Pstn; was != nil && was.Policy != "" && (now.Pstn == nil || *now.Pstn != *was) {
		all = append(all, piece{name: "the PSTN device", put: func(ctx context.Context) error {
			body := &rvcpprovisioningv1.UpdateSubscriberPstnDeviceOptionsBody{Policy: &was.Policy}
			if was.Number != "" {
				body.NumberE164 = &was.Number
			}
			_, err := r.subscribers.UpdateSubscriberPstnDeviceOptions(ctx, &rvcpprovisioningv1.UpdateSubscriberPstnDeviceOptionsRequest{SystemId: r.system, PhoneNumberId: r.id, Body: body})
			return err
		}})
	}
	if was := r.was.Headers; was != nil && *was != (headers{}) && (now.Headers == nil || *now.Headers != *was) {
		all = append(all, piece{name: "the SIP headers", put: func(ctx context.Context) error {
			body := &rvcpprovisioningv1.UpdateSubscriberSipHeadersBody{}
			if was.One != "" {
				body.CustomSipHeader_1 = &was.One
			}
			if was.Two != "" {
				body.CustomSipHeader_2 = &was.Two
			}
			_, err := r.subscribers.UpdateSubscriberSipHeaders(ctx, &rvcpprovisioningv1.UpdateSubscriberSipHeadersRequest{SystemId: r.system, PhoneNumberId: r.id, Body: body})
			return err
		}})
	}
	return all
}

// keysToPut are the keys of the subscriber's phones, and those of others that point to it, each once. A key of his phones
// that points to somebody whose extension changes too is that one's.
func (r restoration) keysToPut() []key {
	var all []key
	for _, k := range r.was.Keys {
		if at, found := slices.BinarySearchFunc(r.to.Keys, k, key.compare); !found || r.mine(r.to.Keys[at]) {
			all = append(all, k)
		}
	}
	for _, k := range r.to.Keys {
		if r.mine(k) {
			all = append(all, k)
		}
	}
	slices.SortFunc(all, key.compare)
	return slices.CompactFunc(all, func(a, b key) bool { return a.compare(b) == 0 })
}

// mine tells whether a key points to the subscriber that was deleted.
func (r restoration) mine(k key) bool { return k.pointsTo(r.was.ID, r.was.Number) }

// follow is a key as it shall be: pointing to the new subscriber where it pointed to the old one.
func (r restoration) follow(k key) key {
	if !r.mine(k) {
		return k
	}
	k.Number = r.number
	if k.Subscriber != "" {
		k.Subscriber = r.id
	}
	return k
}

// forwardPieces makes the groups' forwards to the old number go to the new one.
func (r restoration) forwardPieces(ctx context.Context) ([]piece, error) {
	var all []piece
	for _, f := range r.to.Forwards {
		if f.Number != r.was.Number {
			continue
		}
		resp, err := r.groups.GetGroupForwards(ctx, &rvcpprovisioningv1.GetGroupForwardsRequest{SystemId: r.system, GroupId: f.Group})
		if missing(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		there := true // changed by somebody else, unless it still goes to the old number
		for _, now := range resp.GetData().GetGroupForwards() {
			if now.GetType() == f.Type && now.GetActivate() && now.GetDestinationType() == internalNumber && now.GetNumber() == string(f.Number) {
				there = false
			}
		}
		all = append(all, piece{fmt.Sprintf("the %s forward of the group with id %s", f.Type, f.Group), there, func(ctx context.Context) error {
			yes, kind, number := true, internalNumber, string(r.number)
			body := &rvcpprovisioningv1.UpdateGroupForwardBody{Activate: &yes, DestinationType: &kind, Number: &number, Enable: f.Enable, ImmediateOverflowWhenEmpty: f.WhenEmpty}
			if f.Delay > 0 {
				body.NoReplyDelay = &f.Delay
			}
			_, err := r.groups.UpdateGroupForward(ctx, &rvcpprovisioningv1.UpdateGroupForwardRequest{SystemId: r.system, GroupId: f.Group, CallForwardType: f.Type, Body: body})
			return err
		}})
	}
	return all, nil
}
