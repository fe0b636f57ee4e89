package rainbow

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// What dies with a subscriber and can be put back: its settings, the programmable keys of its phones, and whatever points
// to it. This file reads it, restore.go puts it back. What was read travels through the journal as JSON; the subscriber's
// passwords, which upstream shows in clear text, are not in it.

// settings is what a save reads of one subscriber.
type settings struct {
	ID     string          `json:"id"`
	Number bulksync.Number `json:"number"`

	Overflow *overflow `json:"overflow,omitempty"`
	Barring  *barring  `json:"barring,omitempty"`
	Pstn     *pstn     `json:"pstn,omitempty"`
	Headers  *headers  `json:"headers,omitempty"`

	// Keys are those of its phones.
	Keys []key `json:"keys,omitempty"`
}

// overflow is that to voicemail (GetSubscriberOverflow); a delay of 0 is not set.
type overflow struct {
	Value       string `json:"value"`
	Unavailable string `json:"unavailable,omitempty"`
	Delay       int32  `json:"delay,omitempty"`
}

type barring struct {
	Permissions  string `json:"permissions,omitempty"`
	Restrictions string `json:"restrictions,omitempty"`
}

type pstn struct {
	Policy string `json:"policy"`
	Number string `json:"number,omitempty"`
}

type headers struct {
	One string `json:"one,omitempty"`
	Two string `json:"two,omitempty"`
}

// pointers is what a save reads of what points to extensions.
type pointers struct {
	Keys     []key     `json:"keys,omitempty"`
	Forwards []forward `json:"forwards,omitempty"`
}

// forward is a group's forward to an extension.
type forward struct {
	Group     string          `json:"group"`
	Type      string          `json:"type"`
	Number    bulksync.Number `json:"number"`
	Delay     int32           `json:"delay,omitempty"`
	Enable    *bool           `json:"enable,omitempty"`
	WhenEmpty *bool           `json:"whenEmpty,omitempty"`
}

// save reads what an operation of that name asks for: of one subscriber, or what points to several.
func (t *Target) save(ctx context.Context, step bulksync.Step) (effect, error) {
	var document any
	var err error
	if step.Operation.Login == "" {
		numbers, _ := step.Operation.After(bulksync.PointedTo)
		document, err = t.pointers(ctx, step.Refs.SystemID, strings.Fields(numbers))
	} else {
		document, err = t.subscriberSettings(ctx, step)
	}
	if err != nil {
		return effect{}, beforehand(err)
	}
	b, err := json.Marshal(document)
	return effect{saved: string(b)}, err
}

// subscriberSettings reads a subscriber and its phones' keys.
func (t *Target) subscriberSettings(ctx context.Context, step bulksync.Step) (settings, error) {
	s, err := t.options(ctx, step.Refs.SystemID, step.Refs.SubscriberID)
	if err != nil {
		return s, err
	}
	s.Number = shortNumber(step.Operation.Key)
	var phones []string
	err = newList(t, "SIP devices of a subscriber", (*rvcpprovisioningv1.SipDevice).GetId, func(ctx context.Context, offset, limit int32) ([]*rvcpprovisioningv1.SipDevice, int32, error) {
		resp, err := t.subscribers.ListSubscriberDevices(ctx, &rvcpprovisioningv1.ListSubscriberDevicesRequest{SystemId: step.Refs.SystemID, PhoneNumberId: step.Refs.SubscriberID, Limit: &limit, Offset: &offset})
		return resp.GetData(), resp.GetTotal(), err
	}, func(d *rvcpprovisioningv1.SipDevice) error {
		phones = append(phones, d.GetId())
		return nil
	}).read(ctx)
	if err != nil {
		return s, err
	}
	for _, id := range phones {
		keys, err := t.keys(ctx, step.Refs.SystemID, id)
		if err != nil {
			return s, err
		}
		s.Keys = append(s.Keys, keys...)
	}
	return s, nil
}

// options reads the settings of a subscriber. A setting that upstream has no document of (404) is left out.
func (t *Target) options(ctx context.Context, systemID, id string) (settings, error) {
	s := settings{ID: id}
	resp, err := t.subscribers.GetSubscriber(ctx, &rvcpprovisioningv1.GetSubscriberRequest{SystemId: systemID, PhoneNumberId: id})
	if err != nil {
		return s, err
	}
	if b := resp.GetData().GetBarringOptions(); b != nil {
		s.Barring = &barring{Permissions: b.GetPermissions(), Restrictions: b.GetRestrictions()}
	}
	over, err := t.subscribers.GetSubscriberOverflow(ctx, &rvcpprovisioningv1.GetSubscriberOverflowRequest{SystemId: systemID, PhoneNumberId: id})
	if err != nil && !missing(err) {
		return s, err
	}
	if o := over.GetData(); o != nil {
		s.Overflow = &overflow{Value: o.GetValue(), Unavailable: o.GetUnavailableOverflow(), Delay: o.GetNoReplyDelay()}
	}
	line, err := t.subscribers.GetSubscriberPstnDeviceOptions(ctx, &rvcpprovisioningv1.GetSubscriberPstnDeviceOptionsRequest{SystemId: systemID, PhoneNumberId: id})
	if err != nil && !missing(err) {
		return s, err
	}
	if o := line.GetData(); o != nil {
		s.Pstn = &pstn{Policy: o.GetPolicy(), Number: o.GetNumberE164()}
	}
	sip, err := t.subscribers.GetSubscriberSipHeaders(ctx, &rvcpprovisioningv1.GetSubscriberSipHeadersRequest{SystemId: systemID, PhoneNumberId: id})
	if err != nil && !missing(err) {
		return s, err
	}
	if o := sip.GetData(); o != nil {
		s.Headers = &headers{One: o.GetCustomSipHeader_1(), Two: o.GetCustomSipHeader_2()}
	}
	return s, nil
}

// pointers reads the keys of all phones and the forwards of all groups, and keeps those that point to the extensions.
func (t *Target) pointers(ctx context.Context, systemID string, numbers []string) (pointers, error) {
	wanted := map[bulksync.Number]bool{}
	for _, n := range numbers {
		wanted[bulksync.Number(n)] = true
	}
	var p pointers
	var phones []string
	err := t.eachDevice(ctx, systemID, "", func(d *rvcpprovisioningv1.SipDevice) error {
		phones = append(phones, d.GetId())
		return nil
	})
	if err != nil {
		return p, err
	}
	var mu sync.Mutex
	err = each(ctx, t.opts.Parallel, phones, func(ctx context.Context, id string) error {
		keys, err := t.keys(ctx, systemID, id)
		mu.Lock()
		defer mu.Unlock()
		for _, k := range keys {
			if wanted[k.Number] || k.Subscriber != "" && k.Number == "" {
				p.Keys = append(p.Keys, k)
			}
		}
		return err
	})
	if err != nil {
		return p, err
	}
	slices.SortFunc(p.Keys, key.compare)
	p.Forwards, err = t.forwards(ctx, systemID, wanted)
	return p, err
}

// internalNumber is the kind of destination that is an extension.
const internalNumber = "internalnumber"

// forwards reads the groups' forwards to any of the numbers.
func (t *Target) forwards(ctx context.Context, systemID string, wanted map[bulksync.Number]bool) ([]forward, error) {
	plan, err := t.numberingPlan(ctx, systemID)
	if err != nil {
		return nil, err
	}
	var all []forward
	for _, g := range plan.GetAllocatedNumbers().GetGroups() {
		if g.GetRvcpGroupId() == "" {
			continue
		}
		resp, err := t.groups.GetGroupForwards(ctx, &rvcpprovisioningv1.GetGroupForwardsRequest{SystemId: systemID, GroupId: g.GetRvcpGroupId()})
		if missing(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("group %q: %w", g.GetGroupName(), err)
		}
		for _, f := range resp.GetData().GetGroupForwards() {
			if n := bulksync.Number(f.GetNumber()); f.GetActivate() && f.GetDestinationType() == internalNumber && wanted[n] {
				all = append(all, forward{Group: g.GetRvcpGroupId(), Type: f.GetType(), Number: n, Delay: f.GetNoReplyDelay(), Enable: f.Enable, WhenEmpty: f.ImmediateOverflowWhenEmpty})
			}
		}
	}
	return all, nil
}
