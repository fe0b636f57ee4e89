package sync

import (
	"slices"
	"strings"
)

// checkKeys holds the keys that a manifest lists against what the device's model has: a key of a type that it does not know,
// or where it has none, upstream would refuse in the middle of the run. A key that is there as it is wished for is proof of itself.
func (p *planner) checkKeys(v *provision, m DeviceModel, now *Device) {
	if v.device.Keys.Mood != Exactly || m.Keys == nil {
		return
	}
	modules := v.device.Modules.Keys
	if v.device.Modules.Mood != Exactly && now != nil {
		modules = now.Modules
	}
	recorded := p.recordedKeys(v.device.Address)
	for _, k := range v.device.Keys.Keys {
		proven := slices.ContainsFunc(recorded, func(r ProgrammableKey) bool { return r.Module == k.Module && r.Number == k.Number && k.is(r) })
		if !proven && !slices.Contains(m.Keys.Types, k.Type) {
			p.fault(v.stance, "keys", "device-key", m.Keys.hint(), "devices of model %s have no keys of type %s", m.Model, k.Type)
			continue
		}
		most := m.Keys.Number
		if k.Module != 0 {
			i := slices.IndexFunc(modules, func(d DeviceModule) bool { return d.ID == k.Module })
			if i < 0 {
				p.fault(v.stance, "keys", "device-key", "list the module under modules, or leave the key out", "device %s has no module %d to have key %d", v.device.Address, k.Module, k.Number)
				continue
			}
			at := slices.Index(m.Modules, modules[i].Type)
			if at < 0 || at >= len(m.Keys.OnModules) {
				continue // told as device-module, or not known, or not said
			}
			most = m.Keys.OnModules[at]
		}
		if !proven && k.Number > most {
			p.fault(v.stance, "keys", "device-key", "keys are counted from 1 on the phone and on each module", "device %s has no %s, but %s there", v.device.Address, keyName(k.Module, k.Number), counted(most, "key"))
		}
	}
}

// recordedKeys are the keys of a device that administrators made, as far as they are recorded.
func (p *planner) recordedKeys(k DeviceKey) []ProgrammableKey {
	if known := find[DeviceKeys](p.obs, KeysOf(k)); known != nil {
		return known.Keys
	}
	return nil
}

// checkPlaces holds the keys that a manifest lists against those that the phone or a service made.
func (p *planner) checkPlaces(v *provision, others []ProgrammableKey) {
	for _, k := range v.device.Keys.Keys {
		i := slices.IndexFunc(others, func(o ProgrammableKey) bool { return o.Module == k.Module && o.Number == k.Number })
		if i >= 0 {
			p.fault(v.stance, "keys", "device-key", "use another key", "%s of device %s is not for administrators: the phone or a service has it (%s)", keyName(k.Module, k.Number), v.device.Address, others[i].Type)
		}
	}
}

// hint lists the types of keys that a model knows.
func (m *ModelKeys) hint() string {
	if len(m.Types) == 0 {
		return "leave its keys out, or use a model that has some"
	}
	return "use one of: " + strings.Join(m.Types, ", ")
}
