package sandbox

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
)

// programmableKey is a key of a desk phone or, with a module id, of one of its
// expansion modules. A key that points to an extension holds its id: label and
// number follow the extension.
type programmableKey struct {
	Number        int    `json:"keyNum"`
	NumberAsText  bool   `json:"keyNumAsText,omitempty"` // it was sent as a string, and is answered as one
	ModuleID      int    `json:"moduleId"`
	Type          string `json:"keyType"`
	Owner         string `json:"keyOwner"` // admin, service or system
	DisplayName   string `json:"displayName,omitempty"`
	Destination   string `json:"number,omitempty"`
	PhoneNumberID string `json:"phoneNumberId,omitempty"`
	GroupID       string `json:"groupId,omitempty"`
}

// Owners of keys: made through the API, by a feature such as
// manager-assistant, or by the phone itself.
const (
	keyOfAdmin   = "admin"
	keyOfService = "service"
	keyOfSystem  = "system"
)

// keyTypes are those a caller may set; the system's own keys are "reserved".
func keyTypes() []string {
	return []string{"speeddial", "monitor", "forward", "headset", "huntgroup", "audio_hub"}
}

func compareKeys(a, b programmableKey) int {
	return cmp.Or(cmp.Compare(a.ModuleID, b.ModuleID), cmp.Compare(a.Number, b.Number))
}

// supportsKey tells whether the model knows a type of key.
func (m deviceModel) supportsKey(keyType string) bool {
	switch keyType {
	case "speeddial":
		return m.CanSpeedDial
	case "monitor":
		return m.CanMonitor
	case "forward":
		return m.CanForward
	case "headset":
		return m.HasHeadset
	case "huntgroup":
		return m.HasKeyHG
	case "audio_hub":
		return m.HasAudioHub
	}
	return false
}

// keyPlaces is how many keys the phone (module 0) or a module has, and on how
// many pages; ok is false when the device has no such module.
func (w *world) keyPlaces(v *device, moduleID int) (keys, pages int, ok bool) {
	model, _ := w.model(v.ModelID)
	if moduleID == 0 {
		return model.ProgrammableKeys, max(model.SoftKeyPages, 1), true
	}
	i := slices.IndexFunc(v.Modules, func(m deviceModule) bool { return m.ModuleID == moduleID })
	if i < 0 {
		return 0, 0, false
	}
	for _, s := range model.Modules {
		if s.Type == v.Modules[i].Type {
			return s.ProgrammableKeys, max(s.SoftKeyPages, 1), true
		}
	}
	return 0, 1, true
}

// key answers the key at a place of a device, nil when there is none.
func (v *device) key(moduleID, number int) *programmableKey {
	for i := range v.Keys {
		if v.Keys[i].ModuleID == moduleID && v.Keys[i].Number == number {
			return &v.Keys[i]
		}
	}
	return nil
}

// putKeys stores a copy of the device with other keys.
func (w *world) putKeys(v *device, keys []programmableKey) *device {
	next := *v
	next.Keys = keys
	slices.SortFunc(next.Keys, compareKeys)
	w.devices.put(&next)
	return &next
}

// keyView is a key as it is answered.
type keyView struct {
	Type          string `json:"keyType"`
	Number        any    `json:"keyNum"` // a number, or a string when the client sent one (ListProgrammableKeys)
	Page          int    `json:"page"`
	Owner         string `json:"keyOwner"`
	UserID        string `json:"userId,omitempty"`
	PhoneNumberID string `json:"phoneNumberId,omitempty"`
	GroupID       string `json:"groupId,omitempty"`
	DisplayName   string `json:"displayName,omitempty"`
	Destination   string `json:"number,omitempty"`
	ModuleID      int    `json:"moduleId"`
}

func (w *world) keyDocument(v *device, k programmableKey) keyView {
	view := keyView{
		Type: k.Type, Number: k.Number, Page: 1, Owner: k.Owner, PhoneNumberID: k.PhoneNumberID, GroupID: k.GroupID,
		DisplayName: k.DisplayName, Destination: k.Destination, ModuleID: k.ModuleID,
	}
	if k.NumberAsText {
		view.Number = strconv.Itoa(k.Number)
	}
	if keys, pages, _ := w.keyPlaces(v, k.ModuleID); keys > 0 {
		perPage := (keys + pages - 1) / pages
		view.Page = (k.Number-1)/perPage + 1
	}
	if b := w.subscribers.get(k.PhoneNumberID); b != nil {
		view.UserID, view.Destination = b.UserID, b.ShortNumber
		view.DisplayName = cmp.Or(k.DisplayName, w.displayNameOf(b.UserID))
	}
	if g := w.groupOfNumber(k.PhoneNumberID); g != nil {
		view.GroupID, view.Destination, view.DisplayName = g.ID, g.ShortNumber, cmp.Or(k.DisplayName, g.Name)
	}
	if g := w.group(k.GroupID); g != nil {
		view.DisplayName = cmp.Or(k.DisplayName, g.Name)
	}
	return view
}

// modelKeys is what ListProgrammableKeys tells about the model.
type modelKeys struct {
	ProgrammableKeys int               `json:"programmableKeys"`
	CanSpeedDial     bool              `json:"can_speeddial"`
	CanMonitor       bool              `json:"can_monitor"`
	SoftKeyPages     int               `json:"nbOfSoftKeyPages"`
	CanForward       bool              `json:"can_forward"`
	HasHeadset       bool              `json:"has_headset"`
	HasAudioHub      bool              `json:"has_audioHub"`
	HasKeyHG         bool              `json:"has_progKeyHG"`
	Modules          []supportedModule `json:"supportedModules"`
}

// keyList is the answer of ListProgrammableKeys.
type keyList struct {
	DeviceID      string         `json:"deviceId"`
	DeviceType    deviceTypeView `json:"deviceType"`
	ModelInfo     modelKeys      `json:"modelInfo"`
	AvailableKeys int            `json:"availableKeys"`
	Keys          []keyView      `json:"keys"`
}

// keysDocument lists the keys of one module, or of phone and modules. The keys
// the system reserved are not counted as used: that gives the number of the
// guide's sample (28 keys, 6 listed, 1 of them reserved, 23 available).
func (w *world) keysDocument(v *device, modules []int) keyList {
	m, _ := w.model(v.ModelID)
	list := keyList{
		DeviceID: v.ID, DeviceType: deviceTypeView{ID: m.ID, Vendor: m.Vendor, Model: m.Model}, Keys: []keyView{},
		ModelInfo: modelKeys{
			ProgrammableKeys: m.ProgrammableKeys, CanSpeedDial: m.CanSpeedDial, CanMonitor: m.CanMonitor, SoftKeyPages: m.SoftKeyPages,
			CanForward: m.CanForward, HasHeadset: m.HasHeadset, HasAudioHub: m.HasAudioHub, HasKeyHG: m.HasKeyHG,
			Modules: append([]supportedModule{}, m.Modules...),
		},
	}
	for _, id := range modules {
		keys, _, _ := w.keyPlaces(v, id)
		list.AvailableKeys += keys
	}
	for _, k := range v.Keys {
		if !slices.Contains(modules, k.ModuleID) {
			continue
		}
		list.Keys = append(list.Keys, w.keyDocument(v, k))
		if k.Owner != keyOfSystem {
			list.AvailableKeys--
		}
	}
	return list
}

// keyStatus is the sentence about a created key; the guide shows the one of an
// external destination.
func keyStatus(v *device, k programmableKey) string {
	where := ""
	switch {
	case k.PhoneNumberID != "":
		where = " to internal"
	case k.Destination != "":
		where = " to external"
	}
	return fmt.Sprintf("SIP Device key %d%s successfully created on device %s", k.Number, where, v.ID)
}
