package syncserver

import (
	"time"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// Recorded state as callers see it.

func stateProto(c bulksync.Company) *syncv1.State {
	state := &syncv1.State{Name: stateName(c.ID), DisplayName: c.Name, RecordTime: timestamp(recorded(c)), Account: string(c.Account)}
	if pbx := c.CloudPbx; pbx != nil {
		state.CloudPbx = &syncv1.CloudPbx{Id: pbx.ID, PbxId: pbx.PbxID, DisplayName: pbx.Name}
		for _, r := range pbx.Ranges {
			state.CloudPbx.Ranges = append(state.CloudPbx.Ranges, &syncv1.NumberRange{First: string(r.First), Last: string(r.Last)})
		}
	}
	for _, system := range c.Systems {
		state.Systems = append(state.Systems, &syncv1.System{Id: system.ID, PbxId: system.PbxID, DisplayName: system.Name})
	}
	return state
}

var roleProtos = map[bulksync.ExtensionRole]syncv1.ExtensionRecord_Role{
	bulksync.RoleSubscriber: syncv1.ExtensionRecord_ROLE_SUBSCRIBER,
	bulksync.RolePairing:    syncv1.ExtensionRecord_ROLE_PAIRING,
	bulksync.RoleGroup:      syncv1.ExtensionRecord_ROLE_GROUP,
	bulksync.RoleDevice:     syncv1.ExtensionRecord_ROLE_DEVICE,
}

func recordProto(record bulksync.Record) *syncv1.StateRecord {
	key := record.Key()
	view := &syncv1.StateRecord{Key: key.String(), Kind: kindProtos[key.Kind], Holder: string(record.HeldBy())}
	switch r := record.(type) {
	case *bulksync.User:
		user := &syncv1.UserRecord{Login: string(r.Login), Licences: r.Licences, Admin: r.Admin, Attributes: map[string]string{}}
		for _, a := range r.Attributes {
			user.Attributes[a.Name] = a.Value
		}
		view.UpstreamId, view.Thing = r.ID, &syncv1.StateRecord_User{User: user}
	case *bulksync.Extension:
		view.UpstreamId, view.Thing = r.ID, &syncv1.StateRecord_Extension{Extension: &syncv1.ExtensionRecord{
			Number: string(r.Number), PbxId: r.PbxID, SystemId: r.SystemID, Role: roleProtos[r.Role],
			InternalNumber: r.InternalNumber, PublicNumber: r.PublicNumber, Label: r.Label,
		}}
	case *bulksync.Device:
		view.UpstreamId, view.Thing = r.ID, &syncv1.StateRecord_Device{Device: &syncv1.DeviceRecord{
			Address: r.Address.String(), Model: r.Model, Description: r.Description, SubscriberId: r.SubscriberID, Modules: moduleProtos(r.Modules),
		}}
	case *bulksync.DDI:
		view.UpstreamId, view.Thing = r.ID, &syncv1.StateRecord_Ddi{Ddi: &syncv1.DdiRecord{
			Number: string(r.Number), Label: r.Label, Default: r.Default,
		}}
	case *bulksync.Licence:
		view.UpstreamId, view.Thing = r.ID, &syncv1.StateRecord_Licence{Licence: &syncv1.LicenceRecord{
			Offer: string(r.Offer), OfferId: r.OfferID, Max: int32(r.Max), Assigned: int32(r.Assigned), Status: r.Status,
			Syncing: r.Syncing, Default: r.Default, Exclusive: r.Exclusive,
		}}
	case *bulksync.Options:
		view.Thing = &syncv1.StateRecord_Values{Values: &syncv1.ValuesRecord{Values: valueMap(r.Values), Unverified: r.Applied != ""}}
	case *bulksync.Settings:
		view.Thing = &syncv1.StateRecord_Values{Values: &syncv1.ValuesRecord{Values: valueMap(r.Values)}}
	case *bulksync.DeviceKeys:
		keys := &syncv1.KeysRecord{}
		for _, k := range r.Keys {
			keys.Keys = append(keys.Keys, &syncv1.ProgrammableKey{ModuleId: int32(k.Module), KeyNum: int32(k.Number), KeyType: k.Type, DisplayName: k.DisplayName,
				Number: k.Destination, PhoneNumberId: k.PhoneNumberID, GroupId: k.GroupID})
		}
		view.Thing = &syncv1.StateRecord_Keys{Keys: keys}
	case *bulksync.Release:
		at, _ := time.Parse(time.RFC3339, r.Time) // zero when it can't be read
		view.Thing = &syncv1.StateRecord_Release{Release: &syncv1.ReleaseRecord{Thing: r.Thing.String(), Login: string(r.Login), ReleaseTime: timestamp(at)}}
	}
	return view
}

func valueMap(values []bulksync.Attribute) map[string]string {
	all := map[string]string{}
	for _, v := range values {
		all[v.Name] = v.Value
	}
	return all
}

func moduleProtos(modules []bulksync.DeviceModule) []*syncv1.DeviceModule {
	var all []*syncv1.DeviceModule
	for _, m := range modules {
		all = append(all, &syncv1.DeviceModule{ModuleId: int32(m.ID), Type: m.Type, Name: m.Name})
	}
	return all
}
