package sync

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Programmable keys of SIP devices, as far as administrators make them. Like options they are read only where a manifest
// names them.

// DeviceKeys are the recorded keys of one device.
type DeviceKeys struct {
	Device DeviceKey `json:"device"`
	// Keys that administrators made, ordered by module and number.
	Keys []ProgrammableKey `json:"keys,omitempty"`
	// Others are the places of keys that the phone or a service made, in the same order: nobody else can have a key there.
	Others []ProgrammableKey `json:"others,omitempty"`
}

// ProgrammableKey is a key of a device or of one of its modules.
type ProgrammableKey struct {
	Module      int    `json:"moduleId,omitempty"`
	Number      int    `json:"keyNum"`
	Type        string `json:"keyType"`
	DisplayName string `json:"displayName,omitempty"`
	// Destination is the number that it dials; of a key that points to an extension, that one's.
	Destination string `json:"number,omitempty"`
	// PhoneNumberID is the id of the extension that it points to; "new" when that was not known yet.
	PhoneNumberID string `json:"phoneNumberId,omitempty"`
	GroupID       string `json:"groupId,omitempty"`
}

// KeysOf names the keys of a device.
func KeysOf(d DeviceKey) Key { return Key{KindKeys, string(d)} }

// Key names the keys.
func (k *DeviceKeys) Key() Key { return KeysOf(k.Device) }

// HeldBy is empty: keys go with their device.
func (k *DeviceKeys) HeldBy() Login { return "" }

// keyName names a key among a device's changes: "key 3", or "key 1.3" on module 1.
func keyName(module, number int) string {
	if module == 0 {
		return "key " + strconv.Itoa(number)
	}
	return fmt.Sprintf("key %d.%d", module, number)
}

// KeyPlace reads which key a change concerns.
func (c Change) KeyPlace() (module, number int, ok bool) {
	text, ok := strings.CutPrefix(c.Name, "key ")
	if !ok {
		return 0, 0, false
	}
	if on, at, found := strings.Cut(text, "."); found {
		module, _ = strconv.Atoi(on)
		text = at
	}
	number, err := strconv.Atoi(text)
	return module, number, err == nil
}

// The words between a key's type and where it leads.
const (
	toExtension = "extension "
	toGroup     = "group "
)

// String is the key as a change shows it, and as ParseKeyText reads it: "speeddial +33675457123 \"Pat\"", "monitor
// extension 2301", "huntgroup group 5f…", "headset".
func (k ProgrammableKey) String() string {
	words := []string{k.Type}
	switch {
	case k.GroupID != "" && k.PhoneNumberID == "":
		words = append(words, toGroup+k.GroupID)
	case k.PhoneNumberID != "":
		words = append(words, toExtension+k.Destination)
	case k.Destination != "":
		words = append(words, k.Destination)
	}
	if k.DisplayName != "" {
		words = append(words, strconv.Quote(k.DisplayName))
	}
	return strings.Join(words, " ")
}

// ParseKeyText reads a key as a change shows it. One that points to an extension has its number, and "new" for its id.
func ParseKeyText(module, number int, s string) ProgrammableKey {
	k := ProgrammableKey{Module: module, Number: number}
	var rest string
	k.Type, rest, _ = strings.Cut(s, " ")
	if i := strings.IndexByte(rest, '"'); i >= 0 {
		k.DisplayName, _ = strconv.Unquote(rest[i:])
		rest = strings.TrimSpace(rest[:i])
	}
	switch {
	case strings.HasPrefix(rest, toExtension):
		k.Destination, k.PhoneNumberID = strings.TrimPrefix(rest, toExtension), "new"
	case strings.HasPrefix(rest, toGroup):
		k.GroupID = strings.TrimPrefix(rest, toGroup)
	default:
		k.Destination = rest
	}
	return k
}

// text is the key that a manifest asks for, as a change shows it.
func (d DesiredKey) text() string {
	k := ProgrammableKey{Type: d.Type, DisplayName: d.DisplayName, Destination: d.Destination, GroupID: d.GroupID}
	if d.Extension != "" {
		k.Destination, k.PhoneNumberID = string(d.Extension), "new"
	}
	return k.String()
}

// is tells whether a key is as it is wished for. A label that the manifest does not say is upstream's to choose.
func (d DesiredKey) is(k ProgrammableKey) bool {
	switch {
	case k.Type != d.Type, d.DisplayName != "" && k.DisplayName != d.DisplayName, d.GroupID != "" && k.GroupID != d.GroupID:
		return false
	case d.Extension != "":
		return k.PhoneNumberID != "" && k.Destination == string(d.Extension)
	}
	return d.GroupID != "" || k.PhoneNumberID == "" && SamePhone(k.Destination, d.Destination)
}

// keyChanges lists what differs between a device's keys and the complete list of those that it shall have.
func keyChanges(now []ProgrammableKey, want []DesiredKey) []Change {
	type at struct{ module, number int }
	have := map[at]ProgrammableKey{}
	for _, k := range now {
		have[at{k.Module, k.Number}] = k
	}
	var changes []Change
	wanted := map[at]bool{}
	for _, w := range want {
		p := at{w.Module, w.Number}
		wanted[p] = true
		k, there := have[p]
		if there && w.is(k) {
			continue
		}
		c := Change{Name: keyName(w.Module, w.Number), After: w.text()}
		if there {
			c.Before = k.String()
		}
		changes = append(changes, c)
	}
	for _, k := range now {
		if p := (at{k.Module, k.Number}); !wanted[p] {
			changes = append(changes, Change{Name: keyName(k.Module, k.Number), Before: k.String()})
		}
	}
	slices.SortFunc(changes, func(a, b Change) int {
		m, n, _ := a.KeyPlace()
		o, q, _ := b.KeyPlace()
		return cmp.Or(cmp.Compare(m, o), cmp.Compare(n, q))
	})
	return changes
}

// draftKeys drafts what lists say of the keys of devices. It comes last: keys may point to extensions that the plan creates.
func (p *planner) draftKeys() {
	for i := range p.desired.Devices {
		want := &p.desired.Devices[i]
		v := p.provided[want.Address.Key()]
		if v == nil || v.absent || want.Keys.Mood != Exactly {
			continue
		}
		var now []ProgrammableKey
		if known := find[DeviceKeys](p.obs, KeysOf(want.Address)); known != nil {
			now = known.Keys
			p.checkPlaces(v, known.Others)
		}
		changes := keyChanges(now, want.Keys.Keys)
		if len(changes) == 0 {
			continue
		}
		d := p.add(v.stance, Operation{Action: ActionUpdate, Key: KeysOf(want.Address), Changes: changes, Reason: "differs in " + names(changes)}, v.creation, v.modules)
		d.need(p.restorationsOf(want.Address.Key(), now)...)
		for _, k := range want.Keys.Keys {
			p.leadKey(v, d, k, changes)
		}
	}
}

// restorationsOf are the drafts that put keys of a device back as they were: those of who holds it, and of whose extensions its
// keys lead to. What the manifest says of the keys comes after.
func (p *planner) restorationsOf(device Key, keys []ProgrammableKey) []*draft {
	var all []*draft
	of := func(r Record) {
		if r == nil || r.HeldBy() == "" {
			return
		}
		if s := p.stances[r.HeldBy()]; s != nil {
			all = append(all, s.restoration)
		}
	}
	of(p.obs.Record(device))
	for _, k := range keys {
		if k.PhoneNumberID != "" {
			of(p.obs.Record(p.subscriberKey(Number(k.Destination))))
		}
	}
	return all
}

// leadKey checks that a key leads somewhere, and makes it wait until that is there. The group of a key that does not change is
// there.
func (p *planner) leadKey(v *provision, d *draft, k DesiredKey, changes []Change) {
	name := keyName(k.Module, k.Number)
	changed := func(c Change) bool { return c.Name == name }
	if pbx := p.company.CloudPbx; k.GroupID != "" && pbx != nil && pbx.Groups != nil && !slices.Contains(pbx.Groups, k.GroupID) && slices.ContainsFunc(changes, changed) {
		p.fault(v.stance, "keys", "key-target", "name the id of a group that there is; one that is new is known after a refresh", "key %d of device %s leads to group %s, which the Cloud PBX does not have", k.Number, v.device.Address, k.GroupID)
		return
	}
	if k.Extension == "" {
		return
	}
	key := p.subscriberKey(k.Extension)
	for _, other := range p.drafts {
		if other.op.Key == key && other.op.Action == ActionCreate {
			d.need(other)
			return
		}
	}
	e := find[Extension](p.obs, key)
	if e == nil || e.Role != RoleSubscriber || p.frees[key] != nil {
		p.fault(v.stance, "keys", "key-target", "name an extension that somebody has when the plan is done", "key %d of device %s leads to extension %s, which nobody has", k.Number, v.device.Address, k.Extension)
		return
	}
	p.touched[key] = true
}

// keyEffects are what changing a device's keys leaves behind.
func keyEffects(op *Operation, obs Observed) []RecordChange {
	next := DeviceKeys{Device: DeviceKey(op.Key.ID)}
	if known := find[DeviceKeys](obs, op.Key); known != nil {
		next.Keys, next.Others = slices.Clone(known.Keys), known.Others
	}
	for _, c := range op.Changes {
		module, number, ok := c.KeyPlace()
		if !ok {
			continue
		}
		next.Keys = slices.DeleteFunc(next.Keys, func(k ProgrammableKey) bool { return k.Module == module && k.Number == number })
		if c.After != "" {
			next.Keys = append(next.Keys, ParseKeyText(module, number, c.After))
		}
	}
	slices.SortFunc(next.Keys, func(a, b ProgrammableKey) int {
		return cmp.Or(cmp.Compare(a.Module, b.Module), cmp.Compare(a.Number, b.Number))
	})
	return []RecordChange{change(&next)}
}

// keysRelied is what a plan relies on in the keys that it changes.
func keysRelied(keys []ProgrammableKey, changed []string) string {
	var b strings.Builder
	for _, k := range keys {
		if name := keyName(k.Module, k.Number); slices.Contains(changed, name) {
			fmt.Fprintf(&b, "\n%s=%s", name, k)
		}
	}
	return b.String()
}

// KeysLeft lists those of an operation's changes that the keys do not show yet. Labels that the operation does not set are
// upstream's to choose.
func KeysLeft(now []ProgrammableKey, changes []Change) []Change {
	return slices.DeleteFunc(slices.Clone(changes), func(c Change) bool {
		module, number, ok := c.KeyPlace()
		i := slices.IndexFunc(now, func(k ProgrammableKey) bool { return k.Module == module && k.Number == number })
		if !ok || c.After == "" {
			return !ok || i < 0
		}
		want := ParseKeyText(module, number, c.After)
		d := DesiredKey{Type: want.Type, DisplayName: want.DisplayName, Destination: want.Destination, GroupID: want.GroupID}
		if want.PhoneNumberID != "" {
			d.Extension, d.Destination = Number(want.Destination), ""
		}
		return i >= 0 && d.is(now[i])
	})
}
