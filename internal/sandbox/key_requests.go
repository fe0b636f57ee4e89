package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
)

// codeKeyTypeUnsupported is the guide's code for a key type that the device
// model does not know.
const codeKeyTypeUnsupported = 400581

func keyRoutes() []route {
	const base = "/rvcpprovisioning/v1.0/cloudpbxs/{systemId}/devices/{deviceId}/programmable-keys"
	return []route{
		{http.MethodGet, base, adminOnly, false, listProgrammableKeys},
		{http.MethodPost, base, adminOnly, true, createProgrammableKey},
		{http.MethodPut, base, adminOnly, true, updateProgrammableKeys},
		{http.MethodDelete, base + "/{keyNum}", adminOnly, true, deleteProgrammableKey},
	}
}

// module answers the module that the query names, otherwise when it names
// none.
func (c *call) module(w *world, v *device, otherwise int) (int, error) {
	text := c.query.text("moduleId")
	if text == "" {
		return otherwise, nil
	}
	id, err := strconv.Atoi(text)
	if err != nil {
		return 0, badParam("moduleId", "moduleId must be a number", text)
	}
	return id, w.knownModule(v, id)
}

func (w *world) knownModule(v *device, id int) error {
	if _, _, ok := w.keyPlaces(v, id); !ok {
		return notFound("Module %d does not exist on SIP device %s.", id, v.ID)
	}
	return nil
}

// listProgrammableKeys answers ListProgrammableKeys: one module's keys, or
// those of the phone and all its modules.
func listProgrammableKeys(w *world, c *call) (any, error) {
	_, v, err := c.device(w)
	if err != nil {
		return nil, err
	}
	const all = -1
	id, err := c.module(w, v, all)
	if err != nil {
		return nil, err
	}
	modules := []int{id}
	if id == all {
		modules[0] = 0
		for _, m := range v.Modules {
			modules = append(modules, m.ModuleID)
		}
	}
	return data(w.keysDocument(v, modules)), nil
}

// createProgrammableKey answers CreateProgrammableKey.
func createProgrammableKey(w *world, c *call) (any, error) {
	y, v, err := c.device(w)
	if err != nil {
		return nil, err
	}
	o := c.object()
	k, err := w.readKey(o, y, v, "")
	if err != nil {
		return nil, err
	}
	if err := w.knownModule(v, k.ModuleID); err != nil {
		return nil, err
	}
	if err := w.checkKeyPlace(v, k, ""); err != nil {
		return nil, err
	}
	if other := v.key(k.ModuleID, k.Number); other != nil {
		return nil, conflict(codeConflict, "SIP Device key %d already exists on device %s (module %d)", k.Number, v.ID, k.ModuleID)
	}
	next := w.putKeys(v, append(slices.Clone(v.Keys), k))
	return statusEnvelope{Status: keyStatus(v, k), Data: w.keyDocument(next, k)}, nil
}

// readKey reads one key of a request; at is the path of its object in the
// body. The reference of a key must exist, and suit its type.
func (w *world) readKey(o *object, y *system, v *device, at string) (programmableKey, error) {
	k := programmableKey{Owner: keyOfAdmin}
	o.require("keyNum", "keyType")
	o.integer("keyNum", &k.Number)
	_, k.NumberAsText = o.members["keyNum"].(string)
	o.integer("moduleId", &k.ModuleID)
	o.enum("keyType", &k.Type, append(keyTypes(), "speedial")...)
	if k.Type == "speedial" { // so spelt in the sample of UpdateProgrammableKeys
		k.Type = "speeddial"
	}
	var target, group string
	o.text("displayName", &k.DisplayName)
	o.text("number", &k.Destination)
	o.text("phoneNumberId", &target)
	o.text("groupId", &group)
	model, _ := w.model(v.ModelID)
	if k.Type != "" && !model.supportsKey(k.Type) {
		return k, &apiError{
			Status: http.StatusBadRequest, Code: codeKeyTypeUnsupported,
			Details: fmt.Sprintf("Key type %s not supported by device %s (vendor: %s/model: %s) ", k.Type, v.ID, model.Vendor, model.Model),
		}
	}
	switch k.Type {
	case "speeddial", "forward":
		k.PhoneNumberID = target
		external := target == "" && k.Type == "speeddial"
		if target == "" && k.Destination == "" {
			o.bad("number", "number or phoneNumberId is mandatory for a key of type "+k.Type, nil)
		} else if external && k.DisplayName == "" {
			o.bad("displayName", "displayName is mandatory for an external speed dial key", nil)
		}
	case "monitor":
		k.PhoneNumberID = target
		o.require("phoneNumberId")
	case "huntgroup":
		k.GroupID = group
		o.require("groupId")
	}
	if k.PhoneNumberID != "" || k.GroupID != "" || k.Type == "headset" || k.Type == "audio_hub" {
		k.Destination = "" // the number is that of the extension, or there is none
	}
	return k, w.keyTargetFault(o, y, k, at)
}

// keyTargetFault answers the faults of the members, then a reference to
// nothing, or to a group where only a user can be monitored.
func (w *world) keyTargetFault(o *object, y *system, k programmableKey, at string) error {
	for i := range o.faults {
		o.faults[i].Param = at + o.faults[i].Param
	}
	if err := o.fault(); err != nil {
		return err
	}
	if k.PhoneNumberID != "" {
		b, g := w.subscribers.get(k.PhoneNumberID), w.groupOfNumber(k.PhoneNumberID)
		switch {
		case b != nil && b.SystemID == y.ID:
		case g == nil || g.SystemID != y.ID:
			return notFound("Cloud PBX Subscriber with id %s does not exist.", k.PhoneNumberID)
		case k.Type == "monitor":
			return badParam(at+"phoneNumberId", "a key of type monitor is for users only", k.PhoneNumberID)
		}
	}
	if g := w.group(k.GroupID); k.GroupID != "" && (g == nil || g.SystemID != y.ID) {
		return notFound("Group with id %s does not exist.", k.GroupID)
	}
	return nil
}

func (w *world) checkKeyPlace(v *device, k programmableKey, at string) error {
	if most, _, _ := w.keyPlaces(v, k.ModuleID); k.Number < 1 || k.Number > most {
		return badParam(at+"keyNum", fmt.Sprintf("keyNum must be between 1 and %d on module %d", most, k.ModuleID), k.Number)
	}
	return nil
}

// updateProgrammableKeys answers UpdateProgrammableKeys: the given list
// replaces the keys of one module, or nothing changes. The guide does not say
// how the module is chosen: a moduleId in the query, as in
// DeleteProgrammableKey. Keys of services and of the system are not the
// caller's to replace: they stay, and may stand in the list as they were read.
func updateProgrammableKeys(w *world, c *call) (any, error) {
	y, v, err := c.device(w)
	if err != nil {
		return nil, err
	}
	module, err := c.module(w, v, 0)
	if err != nil {
		return nil, err
	}
	var sent []map[string]any
	o := c.object()
	o.require("keys")
	if list, ok := o.members["keys"].([]any); ok {
		for _, e := range list {
			member, _ := e.(map[string]any)
			sent = append(sent, member)
		}
	} else if o.has("keys") {
		o.bad("keys", "keys must be an array", nil)
	}
	if err := o.fault(); err != nil {
		return nil, err
	}
	keys := slices.DeleteFunc(slices.Clone(v.Keys), func(k programmableKey) bool { return k.ModuleID == module && k.Owner == keyOfAdmin })
	for i, members := range sent {
		at := fmt.Sprintf("keys[%d].", i)
		k, kept, err := w.readListedKey(&object{members: members}, y, v, at, module)
		if err != nil {
			return nil, err
		}
		if kept {
			continue
		}
		if slices.ContainsFunc(keys, func(other programmableKey) bool { return compareKeys(other, k) == 0 }) {
			return nil, badParam(at+"keyNum", "keyNum is used twice, or by a service", k.Number)
		}
		keys = append(keys, k)
	}
	next := w.putKeys(v, keys)
	return statusEnvelope{
		Status: fmt.Sprintf("SIP Device keys successfully updated on device %s", v.ID), Data: w.keysDocument(next, []int{module}),
	}, nil
}

// readListedKey reads a key of the list; kept tells that it is one of a
// service or of the system, which stays as it is.
func (w *world) readListedKey(o *object, y *system, v *device, at string, module int) (k programmableKey, kept bool, err error) {
	if owner := o.members["keyOwner"]; owner == keyOfService || owner == keyOfSystem {
		var number int
		o.integer("keyNum", &number)
		if old := v.key(module, number); old != nil && old.Owner == owner {
			return k, true, nil
		}
		return k, false, badParam(at+"keyOwner", "keyOwner must be admin", owner)
	}
	if k, err = w.readKey(o, y, v, at); err != nil {
		return k, false, err
	}
	if !o.has("moduleId") {
		k.ModuleID = module
	}
	if k.ModuleID != module {
		return k, false, badParam(at+"moduleId", fmt.Sprintf("moduleId must be %d, the module whose keys are replaced", module), k.ModuleID)
	}
	return k, false, w.checkKeyPlace(v, k, at)
}

// deleteProgrammableKey answers DeleteProgrammableKey: only keys made through
// the API can go.
func deleteProgrammableKey(w *world, c *call) (any, error) {
	_, v, err := c.device(w)
	if err != nil {
		return nil, err
	}
	module, err := c.module(w, v, 0)
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(c.path["keyNum"])
	if err != nil {
		return nil, badParam("keyNum", "keyNum must be a number", c.path["keyNum"])
	}
	k := v.key(module, number)
	if k == nil {
		return nil, notFound("SIP Device key %d does not exist on device %s (module %d).", number, v.ID, module)
	}
	if k.Owner != keyOfAdmin {
		return nil, conflict(codeConflict, "SIP Device key %d on device %s is owned by %s and cannot be deleted", number, v.ID, k.Owner)
	}
	view := w.keyDocument(v, *k)
	view.Number = k.Number // a number here, whatever was sent (DeleteProgrammableKey)
	w.putKeys(v, slices.DeleteFunc(slices.Clone(v.Keys), func(other programmableKey) bool { return compareKeys(other, *k) == 0 }))
	return statusEnvelope{Status: fmt.Sprintf("SIP Device key %d successfully deleted on device %s", number, v.ID), Data: view}, nil
}
