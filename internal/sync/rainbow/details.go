package rainbow

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// Options of subscribers, settings of the Cloud PBX and programmable keys: read and changed where a manifest names them.

// values are the values of a group by name; empty ones are not set.
type values map[string]string

func (v values) list() []bulksync.Attribute {
	var all []bulksync.Attribute
	for name, value := range v {
		if value != "" {
			all = append(all, bulksync.Attribute{Name: name, Value: value})
		}
	}
	slices.SortFunc(all, func(a, b bulksync.Attribute) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func numeral(n int32) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(int(n))
}

// optionValues reads one group of a subscriber's options.
func (t *Target) optionValues(ctx context.Context, group bulksync.Group, systemID, id string) (values, error) {
	switch group {
	case bulksync.GroupBarring:
		resp, err := t.subscribers.GetSubscriber(ctx, &rvcpprovisioningv1.GetSubscriberRequest{SystemId: systemID, PhoneNumberId: id})
		o := resp.GetData().GetBarringOptions()
		return values{"permissions": o.GetPermissions(), "restrictions": o.GetRestrictions()}, err
	case bulksync.GroupOverflow:
		resp, err := t.subscribers.GetSubscriberOverflow(ctx, &rvcpprovisioningv1.GetSubscriberOverflowRequest{SystemId: systemID, PhoneNumberId: id})
		o := resp.GetData()
		return values{"value": o.GetValue(), "unavailableOverflow": o.GetUnavailableOverflow(), "noReplyDelay": numeral(o.GetNoReplyDelay())}, err
	case bulksync.GroupPSTNDevice:
		resp, err := t.subscribers.GetSubscriberPstnDeviceOptions(ctx, &rvcpprovisioningv1.GetSubscriberPstnDeviceOptionsRequest{SystemId: systemID, PhoneNumberId: id})
		o := resp.GetData()
		return values{"policy": o.GetPolicy(), "numberE164": o.GetNumberE164()}, err
	case bulksync.GroupSIPHeaders:
		resp, err := t.subscribers.GetSubscriberSipHeaders(ctx, &rvcpprovisioningv1.GetSubscriberSipHeadersRequest{SystemId: systemID, PhoneNumberId: id})
		o := resp.GetData()
		return values{"customSipHeader_1": o.GetCustomSipHeader_1(), "customSipHeader_2": o.GetCustomSipHeader_2()}, err
	}
	return nil, fmt.Errorf("options %q: not known", group)
}

// putOptions changes one group of a subscriber's options. What a request must carry and the plan does not change is sent as
// it is.
func (t *Target) putOptions(ctx context.Context, step bulksync.Step) error {
	group, _ := bulksync.GroupOf(step.Operation.Key)
	system, id := step.Refs.SystemID, step.Refs.SubscriberID
	text := func(name string) *string {
		if v, ok := step.Operation.After(name); ok {
			return &v
		}
		return nil
	}
	switch group {
	case bulksync.GroupBarring:
		_, err := t.subscribers.UpdateSubscriberBarringOptions(ctx, &rvcpprovisioningv1.UpdateSubscriberBarringOptionsRequest{SystemId: system, PhoneNumberId: id,
			Body: &rvcpprovisioningv1.UpdateSubscriberBarringOptionsBody{Permissions: text("permissions"), Restrictions: text("restrictions")}})
		return err
	case bulksync.GroupOverflow:
		now, err := t.optionValues(ctx, group, system, id)
		if err != nil && !missing(err) {
			return beforehand(err)
		}
		body := &rvcpprovisioningv1.UpdateSubscriberOverflowBody{Value: text("value"), UnavailableOverflow: text("unavailableOverflow")}
		for _, mandatory := range []struct {
			name string
			to   **string
		}{{"value", &body.Value}, {"unavailableOverflow", &body.UnavailableOverflow}} {
			if *mandatory.to == nil {
				was := now[mandatory.name]
				if was == "" {
					was = bulksync.DefaultOption(group, mandatory.name)
				}
				*mandatory.to = &was
			}
		}
		delay := now["noReplyDelay"]
		if v, ok := step.Operation.After("noReplyDelay"); ok {
			delay = v
		}
		if n, err := strconv.ParseInt(delay, 10, 32); err == nil {
			seconds := int32(n)
			body.NoReplyDelay = &seconds
		}
		_, err = t.subscribers.UpdateSubscriberOverflow(ctx, &rvcpprovisioningv1.UpdateSubscriberOverflowRequest{SystemId: system, PhoneNumberId: id, Body: body})
		return err
	case bulksync.GroupPSTNDevice:
		body := &rvcpprovisioningv1.UpdateSubscriberPstnDeviceOptionsBody{Policy: text("policy"), NumberE164: text("numberE164")}
		if body.GetNumberE164() == "" {
			body.NumberE164 = nil // cleared by the policy
		}
		if body.Policy == nil || body.NumberE164 == nil {
			now, err := t.optionValues(ctx, group, system, id)
			if err != nil && !missing(err) {
				return beforehand(err)
			}
			policy, number := now["policy"], now["numberE164"]
			if body.Policy == nil {
				body.Policy = &policy
			}
			if body.NumberE164 == nil && number != "" && *body.Policy == "custom_ddi_number" {
				body.NumberE164 = &number
			}
		}
		_, err := t.subscribers.UpdateSubscriberPstnDeviceOptions(ctx, &rvcpprovisioningv1.UpdateSubscriberPstnDeviceOptionsRequest{SystemId: system, PhoneNumberId: id, Body: body})
		return err
	case bulksync.GroupSIPHeaders:
		_, err := t.subscribers.UpdateSubscriberSipHeaders(ctx, &rvcpprovisioningv1.UpdateSubscriberSipHeadersRequest{SystemId: system, PhoneNumberId: id,
			Body: &rvcpprovisioningv1.UpdateSubscriberSipHeadersBody{CustomSipHeader_1: text("customSipHeader_1"), CustomSipHeader_2: text("customSipHeader_2")}})
		return err
	case bulksync.GroupExternalForward:
		_, err := t.subscribers.UpdateSubscriberExternalCallForward(ctx, &rvcpprovisioningv1.UpdateSubscriberExternalCallForwardRequest{SystemId: system, PhoneNumberId: id,
			Body: &rvcpprovisioningv1.UpdateSubscriberExternalCallForwardBody{ExternalCallForward: text("externalCallForward")}})
		return err
	}
	return beforehand(fmt.Errorf("options %q: not known", group))
}

// settingValues reads one group of the settings of a Cloud PBX.
func (t *Target) settingValues(ctx context.Context, group bulksync.Group, systemID string) (values, error) {
	if group == bulksync.GroupBarringPatterns {
		resp, err := t.cloudPbxs.GetCloudPbxCustomNumbersRestriction(ctx, &rvcpprovisioningv1.GetCloudPbxCustomNumbersRestrictionRequest{SystemId: systemID})
		var all []bulksync.BarringPattern
		for _, p := range resp.GetData().GetPatterns() {
			all = append(all, bulksync.BarringPattern{Pattern: p.GetPattern(), Description: p.GetDescription()})
		}
		return values{"patterns": bulksync.PatternsText(all)}, err
	}
	resp, err := t.cloudPbxs.GetCloudPbx(ctx, &rvcpprovisioningv1.GetCloudPbxRequest{SystemId: systemID})
	if err != nil {
		return nil, err
	}
	s := resp.GetData().GetCloudpbx()
	switch group {
	case bulksync.GroupCLI:
		o := s.GetCliOptions()
		return values{"policy": o.GetPolicy(), "userCanManageItsCli": strconv.FormatBool(o.GetUserCanManageItsCli()),
			"companyNumberCanBeSelectedByUserAsCli": strconv.FormatBool(o.GetCompanyNumberCanBeSelectedByUserAsCli())}, nil
	case bulksync.GroupOverflow:
		o := s.GetOverflowSubscribersToVoicemail()
		return values{"activate": strconv.FormatBool(o.GetActivate()), "activateUnavailableOverflow": strconv.FormatBool(o.GetActivateUnavailableOverflow()),
			"noReplyDelay": numeral(o.GetNoReplyDelay())}, nil
	case bulksync.GroupBarring:
		o := s.GetBarringOptions()
		return values{"permissions": o.GetPermissions(), "restrictions": o.GetRestrictions()}, nil
	}
	return nil, fmt.Errorf("settings %q: not known", group)
}

// putSettings changes one group of the settings of a Cloud PBX.
func (t *Target) putSettings(ctx context.Context, step bulksync.Step) error {
	group, _ := bulksync.GroupOf(step.Operation.Key)
	system := step.Refs.SystemID
	text := func(name string) *string {
		if v, ok := step.Operation.After(name); ok {
			return &v
		}
		return nil
	}
	flag := func(name string) *bool {
		if v, ok := step.Operation.After(name); ok {
			on := v == "true"
			return &on
		}
		return nil
	}
	switch group {
	case bulksync.GroupCLI:
		_, err := t.cloudPbxs.UpdateCloudPbxCliOptions(ctx, &rvcpprovisioningv1.UpdateCloudPbxCliOptionsRequest{SystemId: system, Body: &rvcpprovisioningv1.UpdateCloudPbxCliOptionsBody{
			Policy: text("policy"), UserCanManageItsCli: flag("userCanManageItsCli"), CompanyNumberCanBeSelectedByUserAsCli: flag("companyNumberCanBeSelectedByUserAsCli")}})
		return err
	case bulksync.GroupOverflow:
		body := &rvcpprovisioningv1.UpdateCloudPbxOverflowBody{Activate: flag("activate"), ActivateUnavailableOverflow: flag("activateUnavailableOverflow")}
		if v := text("noReplyDelay"); v != nil {
			n, _ := strconv.ParseInt(*v, 10, 32) // checked by the manifest
			seconds := int32(n)
			body.NoReplyDelay = &seconds
		}
		_, err := t.cloudPbxs.UpdateCloudPbxOverflow(ctx, &rvcpprovisioningv1.UpdateCloudPbxOverflowRequest{SystemId: system, Body: body})
		return err
	case bulksync.GroupBarring:
		now, err := t.settingValues(ctx, group, system) // whether one of the two may be left out is not documented
		if err != nil {
			return beforehand(err)
		}
		for _, c := range step.Operation.Changes {
			now[c.Name] = c.After
		}
		permissions, restrictions := now["permissions"], now["restrictions"]
		_, err = t.cloudPbxs.UpdateCloudPbx(ctx, &rvcpprovisioningv1.UpdateCloudPbxRequest{SystemId: system, Body: &rvcpprovisioningv1.UpdateCloudPbxBody{
			BarringOptions: &rvcpprovisioningv1.BarringOptions{Permissions: &permissions, Restrictions: &restrictions}}})
		return err
	case bulksync.GroupBarringPatterns:
		v := text("patterns")
		if v == nil {
			return beforehand(fmt.Errorf("settings %q: no patterns", group))
		}
		body := &rvcpprovisioningv1.UpdateCloudPbxCustomNumbersRestrictionBody{}
		all, err := bulksync.ParsePatterns(*v)
		if err != nil {
			return beforehand(err)
		}
		for _, p := range all {
			body.Patterns = append(body.Patterns, &rvcpprovisioningv1.NumberPattern{Pattern: &p.Pattern, Description: &p.Description})
		}
		if len(all) == 0 {
			body.ExtraJson, err = json.Marshal(map[string]any{"patterns": []any{}}) // an empty list must be said
			if err != nil {
				return beforehand(err)
			}
		}
		_, err = t.cloudPbxs.UpdateCloudPbxCustomNumbersRestriction(ctx, &rvcpprovisioningv1.UpdateCloudPbxCustomNumbersRestrictionRequest{SystemId: system, Body: body})
		return err
	}
	return beforehand(fmt.Errorf("settings %q: not known", group))
}

// deviceKeyRecord makes the record of a device's keys.
func (t *Target) deviceKeyRecord(ctx context.Context, systemID, deviceID string, device bulksync.DeviceKey) (*bulksync.DeviceKeys, error) {
	all, others, err := t.everyKey(ctx, systemID, deviceID)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, key.compare)
	slices.SortFunc(others, key.compare)
	r := &bulksync.DeviceKeys{Device: device}
	for _, k := range all {
		r.Keys = append(r.Keys, bulksync.ProgrammableKey{Module: int(k.Module), Number: int(k.Place), Type: k.Type, DisplayName: k.Label,
			Destination: string(k.Number), PhoneNumberID: k.Subscriber, GroupID: k.Group})
	}
	for _, k := range others {
		r.Others = append(r.Others, bulksync.ProgrammableKey{Module: int(k.Module), Number: int(k.Place), Type: k.Type})
	}
	return r, nil
}

// putDeviceKeys changes keys of a device, one by one: which module UpdateProgrammableKeys replaces the keys of is not
// documented.
func (t *Target) putDeviceKeys(ctx context.Context, step bulksync.Step) (effect, error) {
	device := bulksync.DeviceKey(step.Operation.Key.ID)
	d, err := t.device(ctx, step.Refs.SystemID, step.Refs.ThingID, device)
	if err != nil {
		return effect{}, beforehand(err)
	}
	if d == nil {
		return effect{}, beforehand(fmt.Errorf("device %s: gone", device))
	}
	for _, c := range step.Operation.Changes {
		module, number, ok := c.KeyPlace()
		if !ok {
			continue
		}
		if err := t.putDeviceKey(ctx, step.Refs.SystemID, d.GetId(), bulksync.ParseKeyText(module, number, c.After), c.After == ""); err != nil {
			return effect{}, err
		}
	}
	seen, err := t.deviceKeyRecord(ctx, step.Refs.SystemID, d.GetId(), device)
	if err != nil || !showsMade(seen, step.Operation.Changes) {
		return effect{}, nil // it is done; how it looks now is for the next refresh
	}
	return effect{seen: seen}, nil
}

// showsMade tells whether keys that were just made are among those read back: a list may lag, or be said not to be there.
func showsMade(seen *bulksync.DeviceKeys, changes []bulksync.Change) bool {
	return !slices.ContainsFunc(changes, func(c bulksync.Change) bool {
		module, number, ok := c.KeyPlace()
		return ok && c.After != "" && !slices.ContainsFunc(seen.Keys, func(k bulksync.ProgrammableKey) bool { return k.Module == module && k.Number == number })
	})
}

func (t *Target) putDeviceKey(ctx context.Context, system, device string, want bulksync.ProgrammableKey, remove bool) error {
	shall := key{Device: device, Module: int32(want.Module), Place: int32(want.Number), Type: want.Type, Label: want.DisplayName, Group: want.GroupID, Number: bulksync.Number(want.Destination)}
	if want.PhoneNumberID != "" {
		n, err := t.numberByName(ctx, system, bulksync.Number(want.Destination))
		if err != nil {
			return err
		}
		if n == nil {
			return beforehand(fmt.Errorf("key %d leads to extension %s: there is none", want.Number, want.Destination))
		}
		shall.Subscriber = n.GetId()
	}
	now, err := t.keyAt(ctx, system, shall)
	if err != nil {
		return err
	}
	if remove {
		if now == nil {
			return nil
		}
		return t.dropKey(ctx, system, *now)
	}
	if now != nil {
		if now.settled(shall) && (shall.Label == "" || now.Label == shall.Label) {
			return nil
		}
		if err := t.dropKey(ctx, system, *now); err != nil {
			return err
		}
	}
	return t.putKey(ctx, system, shall, shall)
}

// readDetails reads options, keys and settings. What upstream does not show, or has not, is missing.
func (r *reading) readDetails(ctx context.Context, keys []bulksync.Key) error {
	cloud := r.company.CloudPbx
	if cloud == nil {
		return nil
	}
	wanted := setOf(keys)
	return each(ctx, r.opts.Parallel, keys, func(ctx context.Context, k bulksync.Key) error {
		record, err := r.detail(ctx, cloud, k)
		if err == nil && record != nil {
			r.keep(record, wanted)
		}
		if missing(err) {
			return nil
		}
		return err
	})
}

func (r *reading) detail(ctx context.Context, cloud *bulksync.CloudPbx, k bulksync.Key) (bulksync.Record, error) {
	group, rest := bulksync.GroupOf(k)
	switch k.Kind {
	case bulksync.KindSettings:
		v, err := r.settingValues(ctx, group, cloud.ID)
		return &bulksync.Settings{PbxID: cloud.PbxID, Group: group, Values: v.list()}, err
	case bulksync.KindKeys:
		device := bulksync.DeviceKey(k.ID)
		id := ""
		if known, ok := r.observed.Record(device.Key()).(*bulksync.Device); ok {
			id = known.ID
		}
		d, err := r.device(ctx, cloud.ID, id, device)
		if err != nil || d == nil {
			return nil, err
		}
		return r.deviceKeyRecord(ctx, cloud.ID, d.GetId(), device)
	}
	login := bulksync.Login(rest)
	sub := bulksync.SubscriberOf(r.observed, login)
	if sub == nil || !group.Shown() {
		return nil, nil
	}
	v, err := r.optionValues(ctx, group, cloud.ID, sub.ID)
	return &bulksync.Options{Login: login, Group: group, SubscriberID: sub.ID, Values: v.list()}, err
}

// optionsLeft is what an operation on options left, read back: the other options of a new subscriber are as upstream chose, or
// as its restoration left them. When they can't be read now, what the operation promised is recorded.
func (t *Target) optionsLeft(ctx context.Context, step bulksync.Step) (left effect) {
	group, login := bulksync.GroupOf(step.Operation.Key)
	if !group.Shown() {
		return effect{}
	}
	v, err := t.optionValues(ctx, group, step.Refs.SystemID, step.Refs.SubscriberID)
	if err != nil {
		return effect{}
	}
	return effect{seen: &bulksync.Options{Login: bulksync.Login(login), Group: group, SubscriberID: step.Refs.SubscriberID, Values: v.list()}}
}

// detailHolds tells whether options, keys or settings are as an operation leaves them. Setting again what upstream does not
// show does no harm, so that counts as not done.
func (t *Target) detailHolds(ctx context.Context, step bulksync.Step) (left effect, holds bool, err error) {
	op, refs := &step.Operation, step.Refs
	group, login := bulksync.GroupOf(op.Key)
	var now values
	switch op.Key.Kind {
	case bulksync.KindSettings:
		now, err = t.settingValues(ctx, group, refs.SystemID)
	case bulksync.KindOptions:
		if !group.Shown() {
			return effect{}, false, nil
		}
		now, err = t.optionValues(ctx, group, refs.SystemID, refs.SubscriberID)
		left.seen = &bulksync.Options{Login: bulksync.Login(login), Group: group, SubscriberID: refs.SubscriberID, Values: now.list()}
	case bulksync.KindKeys:
		return t.keysHold(ctx, step)
	}
	if err != nil {
		return effect{}, false, err
	}
	for _, c := range op.Changes {
		if !bulksync.SameOption(group, c.Name, now[c.Name], c.After) {
			return effect{}, false, nil
		}
	}
	return left, true, nil
}

func (t *Target) keysHold(ctx context.Context, step bulksync.Step) (left effect, holds bool, err error) {
	device := bulksync.DeviceKey(step.Operation.Key.ID)
	d, err := t.device(ctx, step.Refs.SystemID, step.Refs.ThingID, device)
	if err != nil || d == nil {
		return effect{}, false, err
	}
	now, err := t.deviceKeyRecord(ctx, step.Refs.SystemID, d.GetId(), device)
	if err != nil {
		return effect{}, false, err
	}
	if len(bulksync.KeysLeft(now.Keys, step.Operation.Changes)) > 0 {
		return effect{}, false, nil
	}
	return effect{seen: now}, true, nil
}
