package rainbow

import (
	"cmp"
	"context"
	"encoding/json"
	"strconv"
	"strings"

	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// key is a programmable key that an administrator made.
type key struct {
	Device string `json:"device"`
	Module int32  `json:"module,omitempty"`
	Place  int32  `json:"place"`
	Type   string `json:"type"`
	Label  string `json:"label,omitempty"`
	Group  string `json:"group,omitempty"`
	// Number is what it dials; of a key that points to a subscriber, that one's extension.
	Number bulksync.Number `json:"number,omitempty"`
	// Subscriber is the phone number id that it points to.
	Subscriber string `json:"subscriber,omitempty"`
}

func (k key) compare(o key) int {
	return cmp.Or(strings.Compare(k.Device, o.Device), cmp.Compare(k.Module, o.Module), cmp.Compare(k.Place, o.Place))
}

// pointsTo tells whether the key points to a subscriber, by its id or its number.
func (k key) pointsTo(id string, n bulksync.Number) bool {
	return k.Subscriber != "" && k.Subscriber == id || k.Subscriber == "" && k.Number == n
}

// keys reads the keys of a phone that an administrator made; none of a phone that has none or is gone.
func (t *Target) keys(ctx context.Context, systemID, device string) ([]key, error) {
	all, _, err := t.everyKey(ctx, systemID, device)
	return all, err
}

// everyKey reads the keys of a phone: those that an administrator made, and those of others.
func (t *Target) everyKey(ctx context.Context, systemID, device string) (all, others []key, err error) {
	resp, err := t.deviceKeys.ListProgrammableKeys(ctx, &rvcpprovisioningv1.ListProgrammableKeysRequest{SystemId: systemID, DeviceId: device})
	if missing(err) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	for _, k := range resp.GetData().GetKeys() {
		if keyPlace(k) == 0 {
			continue
		}
		to := &others
		if k.GetKeyOwner() == keyOwner {
			to = &all
		}
		*to = append(*to, key{Device: device, Module: k.GetModuleId(), Place: keyPlace(k), Type: k.GetKeyType(), Label: k.GetDisplayName(),
			Group: k.GetGroupId(), Number: bulksync.Number(k.GetNumber()), Subscriber: k.GetPhoneNumberId()})
	}
	return all, others, nil
}

// keyOwner owns the keys that are made through the API; those of services and of the system are not ours to touch.
const keyOwner = "admin"

// keyPlace is the number of a key, which upstream also writes as a string; 0 for none.
func keyPlace(k *rvcpprovisioningv1.ProgrammableKey) int32 {
	if k.KeyNum != nil {
		return k.GetKeyNum()
	}
	var odd struct{ KeyNum string }
	if json.Unmarshal(k.GetExtraJson(), &odd) != nil {
		return 0
	}
	n, _ := strconv.ParseInt(odd.KeyNum, 10, 32) // 0 if it is none
	return int32(n)
}

// putKey makes a key as it shall be. Only a place that is free, or has the key as it was, is written to: what somebody else
// put there meanwhile stays.
func (t *Target) putKey(ctx context.Context, systemID string, was, shall key) error {
	now, err := t.keyAt(ctx, systemID, shall)
	if err != nil {
		return beforehand(err)
	}
	switch {
	case now == nil:
	case now.settled(shall):
		return nil
	case now.Type != was.Type || now.Subscriber != was.Subscriber && now.Number != was.Number:
		return nil // somebody else's since
	default:
		if err := t.dropKey(ctx, systemID, *now); err != nil {
			return err
		}
	}
	body := &rvcpprovisioningv1.CreateProgrammableKeyBody{KeyNum: &shall.Place, KeyType: &shall.Type, ModuleId: &shall.Module}
	if shall.Label != "" {
		body.DisplayName = &shall.Label
	}
	if shall.Group != "" {
		body.GroupId = &shall.Group
	}
	if shall.Subscriber != "" {
		body.PhoneNumberId = &shall.Subscriber
	} else if shall.Number != "" {
		n := string(shall.Number)
		body.Number = &n
	}
	_, err = t.deviceKeys.CreateProgrammableKey(ctx, &rvcpprovisioningv1.CreateProgrammableKeyRequest{SystemId: systemID, DeviceId: shall.Device, Body: body})
	return err
}

// dropKey removes a key that was just read; that it is not there, as a failing upstream may say, is then no good answer.
func (t *Target) dropKey(ctx context.Context, system string, k key) error {
	_, err := t.deviceKeys.DeleteProgrammableKey(ctx, &rvcpprovisioningv1.DeleteProgrammableKeyRequest{SystemId: system, DeviceId: k.Device, KeyNum: strconv.Itoa(int(k.Place)), ModuleId: &k.Module})
	return err
}

// settled tells whether the key is as it shall be; labels of keys that point to an extension are upstream's to choose.
func (k key) settled(shall key) bool {
	if k.Type != shall.Type || k.Subscriber != shall.Subscriber || k.Group != shall.Group {
		return false
	}
	return k.Subscriber != "" || k.Number == shall.Number && k.Label == shall.Label
}

// keyAt reads the key at the place of another; nil when the place is free.
func (t *Target) keyAt(ctx context.Context, systemID string, place key) (*key, error) {
	all, err := t.keys(ctx, systemID, place.Device)
	for i := range all {
		if all[i].compare(place) == 0 {
			return &all[i], nil
		}
	}
	return nil, err
}
