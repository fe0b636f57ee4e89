package rainbow

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// Devices and public numbers as such: created, changed, deleted, whoever holds them.

// deviceModels lists the models that a Cloud PBX supports.
func (t *Target) deviceModels(ctx context.Context, systemID string) ([]bulksync.DeviceModel, error) {
	category := allCategories
	resp, err := t.cloudPbxs.ListCloudPbxDeviceModels(ctx, &rvcpprovisioningv1.ListCloudPbxDeviceModelsRequest{SystemId: systemID, Category: &category})
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []bulksync.DeviceModel
	for _, m := range resp.GetData() {
		model := bulksync.DeviceModel{ID: int(m.GetId()), Model: m.GetModel(), Category: m.GetCategory()}
		for _, s := range m.GetSupportedModules() {
			model.Modules = append(model.Modules, s.GetType())
		}
		model.Keys = modelKeys(m)
		all = append(all, model)
	}
	slices.SortFunc(all, func(a, b bulksync.DeviceModel) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

// modelKeys reads what the programmable keys of a model can be, from the flags that say so (rvcp provisioning guide,
// CreateProgrammableKey); nil when upstream says nothing of them. A flag that is missing, as some are in the guide's samples, denies
// nothing.
func modelKeys(m *rvcpprovisioningv1.DeviceModel) *bulksync.ModelKeys {
	if m.ProgrammableKeys == nil || m.CanSpeeddial == nil {
		return nil
	}
	keys := &bulksync.ModelKeys{Number: int(m.GetProgrammableKeys())}
	for _, s := range m.GetSupportedModules() {
		if s.ProgrammableKeys == nil {
			keys.OnModules = nil
			break
		}
		keys.OnModules = append(keys.OnModules, int(s.GetProgrammableKeys()))
	}
	for _, t := range []struct {
		name string
		can  *bool
	}{
		{"speeddial", m.CanSpeeddial}, {"monitor", m.CanMonitor}, {"forward", m.CanForward}, {"headset", m.HasHeadset},
		{"huntgroup", m.HasProgKeyHg}, {"audio_hub", m.HasAudioHub},
	} {
		if t.can == nil || *t.can {
			keys.Types = append(keys.Types, t.name)
		}
	}
	return keys
}

// modulesOf are a device's expansion modules.
func modulesOf(d *rvcpprovisioningv1.SipDevice) []bulksync.DeviceModule {
	var all []bulksync.DeviceModule
	for _, m := range d.GetModules() {
		all = append(all, bulksync.DeviceModule{ID: int(m.GetModuleId()), Type: m.GetType(), Name: m.GetName()})
	}
	slices.SortFunc(all, func(a, b bulksync.DeviceModule) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// provisionDevice creates, changes or deletes a SIP device.
func (t *Target) provisionDevice(ctx context.Context, company bulksync.Company, step bulksync.Step) (effect, error) {
	op, refs := &step.Operation, step.Refs
	switch op.Action {
	case bulksync.ActionDelete:
		_, err := t.devices.DeleteSipDevice(ctx, &rvcpprovisioningv1.DeleteSipDeviceRequest{SystemId: refs.SystemID, DeviceId: refs.ThingID})
		return effect{}, err
	case bulksync.ActionCreate:
		body, err := newDevice(company, op)
		if err != nil {
			return effect{}, beforehand(err)
		}
		resp, err := t.devices.CreateSipDevice(ctx, &rvcpprovisioningv1.CreateSipDeviceRequest{SystemId: refs.SystemID, Body: body})
		if err != nil {
			return effect{}, err
		}
		refs.ThingID = resp.GetData().GetId()
	}
	if description, ok := op.After("description"); ok && op.Action == bulksync.ActionUpdate {
		if _, err := t.devices.UpdateSipDevice(ctx, &rvcpprovisioningv1.UpdateSipDeviceRequest{
			SystemId: refs.SystemID, DeviceId: refs.ThingID, Body: &rvcpprovisioningv1.UpdateSipDeviceBody{Description: &description},
		}); err != nil {
			return effect{}, err
		}
	}
	if err := t.changeModules(ctx, refs, op); err != nil {
		return effect{id: refs.ThingID}, err
	}
	return effect{id: refs.ThingID}, nil
}

func newDevice(company bulksync.Company, op *bulksync.Operation) (*rvcpprovisioningv1.CreateSipDeviceBody, error) {
	name, _ := op.After("model")
	model, ok := company.FindModel(name)
	if !ok {
		return nil, fmt.Errorf("model %q: the Cloud PBX does not list it", name)
	}
	description, _ := op.After("description")
	id, mac := int32(model.ID), op.Key.ID
	body := &rvcpprovisioningv1.CreateSipDeviceBody{Description: &description, DeviceTypeId: &id}
	if ipei, is := cutIPEI(mac); is {
		body.Ipei = &ipei
	} else {
		body.MacAddress = &mac
	}
	return body, nil
}

func cutIPEI(key string) (string, bool) {
	const prefix = "ipei:"
	if len(key) > len(prefix) && key[:len(prefix)] == prefix {
		return key[len(prefix):], true
	}
	return "", false
}

// changeModules takes modules away and adds them. Those that are as they shall be were changed by an earlier try.
func (t *Target) changeModules(ctx context.Context, refs bulksync.Refs, op *bulksync.Operation) error {
	if !slices.ContainsFunc(op.Changes, func(c bulksync.Change) bool { _, is := c.ModuleOf(); return is }) {
		return nil
	}
	resp, err := t.devices.GetSipDevice(ctx, &rvcpprovisioningv1.GetSipDeviceRequest{SystemId: refs.SystemID, DeviceId: refs.ThingID})
	if err != nil {
		return err
	}
	now := map[int]string{}
	for _, m := range modulesOf(resp.GetData()) {
		now[m.ID] = m.String()
	}
	for _, c := range op.Changes {
		position, is := c.ModuleOf()
		if !is || now[position] == c.After {
			continue
		}
		if now[position] != "" {
			_, err := t.devices.DeleteDeviceModule(ctx, &rvcpprovisioningv1.DeleteDeviceModuleRequest{SystemId: refs.SystemID, DeviceId: refs.ThingID, ModuleId: strconv.Itoa(position)})
			if err != nil { // even that it is not there: it was a moment ago
				return err
			}
		}
		if c.After == "" {
			continue
		}
		m := bulksync.ParseModule(position, c.After)
		id := int32(position)
		body := &rvcpprovisioningv1.CreateDeviceModuleBody{ModuleId: &id, Type: &m.Type}
		if m.Name != "" {
			body.Name = &m.Name
		}
		if _, err := t.devices.CreateDeviceModule(ctx, &rvcpprovisioningv1.CreateDeviceModuleRequest{SystemId: refs.SystemID, DeviceId: refs.ThingID, Body: body}); err != nil {
			return err
		}
	}
	return nil
}

// deviceHolds judges the operations on devices as such.
func deviceHolds(d *rvcpprovisioningv1.SipDevice, op *bulksync.Operation) (left effect, holds bool) {
	if op.Action == bulksync.ActionDelete || d == nil {
		return effect{}, op.Action == bulksync.ActionDelete && d == nil
	}
	modules := map[int]string{}
	for _, m := range modulesOf(d) {
		modules[m.ID] = m.String()
	}
	for _, c := range op.Changes {
		position, isModule := c.ModuleOf()
		if isModule && modules[position] != c.After || c.Name == "description" && d.GetDescription() != c.After {
			return effect{}, false
		}
	}
	return effect{id: d.GetId()}, true
}

// provisionDDI creates or deletes a public number, or makes it the default one.
func (t *Target) provisionDDI(ctx context.Context, step bulksync.Step) (effect, error) {
	op, refs := &step.Operation, step.Refs
	if op.Action == bulksync.ActionDelete {
		_, err := t.ddis.DeleteDdi(ctx, &rvcpprovisioningv1.DeleteDdiRequest{SystemId: refs.SystemID, PhoneNumberId: refs.ThingID})
		return effect{}, err
	}
	if op.Action == bulksync.ActionUpdate {
		_, err := t.ddis.SetDefaultDdi(ctx, &rvcpprovisioningv1.SetDefaultDdiRequest{SystemId: refs.SystemID, PhoneNumberId: refs.ThingID})
		return effect{id: refs.ThingID}, err
	}
	resp, err := t.ddis.CreateDdi(ctx, &rvcpprovisioningv1.CreateDdiRequest{SystemId: refs.SystemID, Body: &rvcpprovisioningv1.CreateDdiBody{Number: &op.Key.ID}})
	if err != nil {
		return effect{}, err
	}
	left, _ := ddiHolds(resp.GetData(), op)
	return left, nil
}

// ddiHolds judges the operations on public numbers as such.
func ddiHolds(d *rvcpprovisioningv1.Ddi, op *bulksync.Operation) (left effect, holds bool) {
	if op.Action == bulksync.ActionDelete || d == nil {
		return effect{}, op.Action == bulksync.ActionDelete && d == nil
	}
	left.id = d.GetId()
	if op.Action == bulksync.ActionUpdate {
		return left, d.GetIsCloudPbxDefault()
	}
	if seen := ddiRecord(d, nobody); seen != nil && seen.Key() == op.Key {
		left.seen = seen
	}
	return left, true
}
