package manifest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// maxRange is how many numbers a range has at most.
const maxRange = 100_000

// maxKeys is how many keys all devices have at most, those of templates counted for each.
const maxKeys = 4_000_000

// maxDDIs is how many public numbers are listed at most, the ranges counted out.
const maxDDIs = 2_000_000

func (f *forms) deviceForms() {
	f.module = &form{name: "module", doc: "An expansion module of a desk phone.", fields: []formField{
		{name: "moduleId", doc: "Its position on the phone, from 1 to 3.", required: true, shape: whole(1, 3)},
		{name: "type", doc: "Its type: EM_20 or EM_200.", required: true, shape: oneOf("EM_20", "EM_200")},
		{name: "name", doc: "A name for it.", shape: textOf((*values).text)},
	}}
	f.device = &form{name: "device", doc: "A SIP device. What is left out is left alone.", exactly: []string{"macAddress", "ipei"}, fields: []formField{
		{name: "macAddress", doc: "MAC address: the key of a desk phone.", shape: textOf(nil).like(patternMAC)},
		{name: "count", doc: "How many devices there are, whose MAC addresses follow one another; left out: this one. Not with a user.", shape: whole(1, maxRange)},
		{name: "ipei", doc: "IPEI: the key of a DECT handset.", shape: textOf(nil).like(patternIPEI)},
		{name: "template", doc: "Templates whose values it takes over; of several a later one goes first.", shape: eitherOf(textOf(nil), listOf(textOf(nil))).orBlank()},
		{name: "model", doc: "Model as Rainbow lists it, such as M5; needed to create it, and can't be changed.", shape: textOf((*values).text)},
		{name: "description", doc: "Text that tells what it is; needed to create it.", shape: textOf((*values).text)},
		{name: "modules", doc: "All its expansion modules.", shape: listOf(objectOf(f.module)).clearable()},
		{name: "keys", doc: "All its programmable keys that administrators make, and those of its modules.", shape: listOf(objectOf(f.key)).clearable()},
		{name: "absent", doc: "true: the device shall not exist. Nobody may hold it then.", shape: shape{kind: shapeBoolean}},
	}}
	f.ddiRange = &form{name: "ddiRange", doc: "Public numbers that follow one another.", fields: []formField{
		{name: "first", doc: "The first, in E.164 form.", required: true, shape: textOf(nil).like(patternE164)},
		{name: "count", doc: "How many there are.", required: true, shape: whole(1, maxRange)},
	}}
}

// readProvisions reads the lists of devices and DDIs.
func (r *yamlReader) readProvisions(ctx context.Context) error {
	for _, part := range r.parts {
		if err := r.entries(ctx, part, "devices", func(item entry) { r.readDevices(item, maxRange) }); err != nil {
			return err
		}
		if err := r.entries(ctx, part, "ddis", r.readDDIs); err != nil {
			return err
		}
	}
	return nil
}

// readDevice reads a device of a user, and gives its key; false when it is faulty.
func (r *yamlReader) readDevice(item entry) (bulksync.DeviceKey, bool) {
	all := r.readDevices(item, 1)
	if len(all) == 0 {
		return "", false
	}
	return all[0], true
}

// readDevices reads a device that is to be there, or several whose addresses follow one another, and gives their keys; none
// when it is faulty.
func (r *yamlReader) readDevices(item entry, most int) []bulksync.DeviceKey {
	o := r.object(item, r.forms.device, nil)
	if o == nil {
		return nil
	}
	r.takeOver(o, "devices")
	d := bulksync.DesiredDevice{Position: o.self.position()}
	first := r.deviceKey(o)
	count := r.deviceCount(o, most)
	if first == "" || count == 0 {
		return nil
	}
	d.Model, _ = o.text("model")
	d.Description, _ = o.text("description")
	d.Modules = r.readModules(o)
	d.Keys = r.readKeys(o)
	if absent, _ := o.text("absent"); absent == "true" {
		d = bulksync.DesiredDevice{Absent: true, Position: d.Position}
	}
	var all []bulksync.DeviceKey
	for i := range count {
		address, ok := first, true
		if i > 0 {
			address, ok = macAfter(first, i)
		}
		if !ok {
			o.fault("count", &problem{codeBadRange, "range of " + strconv.Itoa(count) + " from " + first.String() + " runs over the last MAC address", "write a smaller count"})
			return nil
		}
		if !r.enterDevice(o, address, d) {
			return nil
		}
		all = append(all, address)
	}
	return all
}

// deviceCount reads how many devices an entry stands for; 0 when it is faulty.
func (r *yamlReader) deviceCount(o *object, most int) int {
	if !o.has("count") {
		return 1
	}
	text, ok := o.text("count")
	count, _ := strconv.Atoi(text)
	switch {
	case !ok:
		return 0
	case count > 1 && o.has("ipei"):
		o.fault("count", &problem{codeBadRange, "IPEIs do not follow one another", "list each handset"})
		return 0
	case count > most:
		o.fault("count", &problem{codeBadRange, "devices of a user do not come in ranges", "list the range under devices, and name the user's one by its MAC address, or give him one of a pool"})
		return 0
	}
	return count
}

// enterDevice enters a device that is to be there; one that is listed twice is reported.
func (r *yamlReader) enterDevice(o *object, address bulksync.DeviceKey, d bulksync.DesiredDevice) bool {
	if first, twice := r.claim(claimListedDevice, string(address), d.Position); twice {
		o.fault("macAddress", &problem{codeMACTwice, "listed device " + address.String() + " comes twice, first at " + first.at.String(), "say all of it in one place, and its MAC address alone elsewhere"})
		return false
	}
	if len(r.desired.Devices) == maxEntries {
		r.report(d.Position, "devices", &problem{codeYAMLLimit, "more than 2 million devices are listed", "take devices away, or cut it into several manifests"})
		return false
	}
	if r.keyed += len(d.Keys.Keys); r.keyed > maxKeys && r.keyed-len(d.Keys.Keys) <= maxKeys {
		r.report(d.Position, "keys", &problem{codeYAMLLimit, "devices have more than 4 million keys in all", "cut it into several manifests"})
	}
	if r.keyed > maxKeys {
		d.Keys.Keys = nil
	}
	d.Address = address
	r.desired.Devices = append(r.desired.Devices, d)
	return true
}

// macAfter is the MAC address so many places behind another; false behind the last.
func macAfter(k bulksync.DeviceKey, n int) (bulksync.DeviceKey, bool) {
	v, err := strconv.ParseUint(string(k), 16, 64)
	if v += uint64(n); err != nil || n < 0 || v >= 1<<48 {
		return "", false
	}
	return bulksync.DeviceKey(fmt.Sprintf("%012x", v)), true
}

// deviceKey reads the key of a device.
func (r *yamlReader) deviceKey(o *object) bulksync.DeviceKey {
	switch {
	case o.has("macAddress") && o.has("ipei"):
		o.fault("ipei", &problem{codeWrongShape, "device has both macAddress and ipei", "a desk phone has a MAC address, a DECT handset an IPEI"})
	case o.has("ipei"):
		text, ok := o.text("ipei")
		plain := strings.ToLower(strings.ReplaceAll(text, " ", ""))
		if ok && (len(plain) != 10 || strings.Trim(plain, "0123456789abcdef") != "") {
			o.fault("ipei", &problem{codeBadMAC, "ipei " + quote(text) + " does not have 10 hex digits", "write it like 03807e7898"})
			return ""
		}
		if ok {
			return bulksync.DeviceKey("ipei:" + plain)
		}
	case o.has("macAddress"):
		text, ok := o.text("macAddress")
		if !ok {
			return ""
		}
		k, p := parseMAC(text)
		if p != nil {
			if first, err := bulksync.ParseMAC(beforeRange(text)); err == nil {
				p.hint = "of phones whose addresses follow one another name the first and how many: macAddress: \"" + first.String() + "\", count: 5"
			}
			o.fault("macAddress", p)
		}
		return k
	default:
		r.report(o.self.position(), "macAddress", &problem{codeMissingKey, "device has neither macAddress nor ipei", "add macAddress: its MAC address"})
	}
	return ""
}

// readModules reads the complete list of a device's modules.
func (r *yamlReader) readModules(o *object) bulksync.Wish[bulksync.DeviceModule] {
	return shared(r.sharedModules, o, "modules", func() bulksync.Wish[bulksync.DeviceModule] { return r.modulesOf(o) })
}

func (r *yamlReader) modulesOf(o *object) bulksync.Wish[bulksync.DeviceModule] {
	items, ok := o.list("modules")
	if !ok {
		return bulksync.Wish[bulksync.DeviceModule]{}
	}
	wish := bulksync.Wish[bulksync.DeviceModule]{Mood: bulksync.Exactly}
	for _, item := range items {
		m := r.object(item, r.forms.module, nil)
		if m == nil {
			continue
		}
		var module bulksync.DeviceModule
		position, _ := m.text("moduleId")
		module.ID, _ = strconv.Atoi(position)
		module.Type, _ = m.text("type")
		module.Name, _ = m.text("name")
		if slices.ContainsFunc(wish.Keys, func(other bulksync.DeviceModule) bool { return other.ID == module.ID }) {
			m.fault("moduleId", &problem{codeNameTwice, "module " + position + " comes twice", "a position has one module"})
			continue
		}
		wish.Keys = append(wish.Keys, module)
	}
	slices.SortFunc(wish.Keys, func(a, b bulksync.DeviceModule) int { return a.ID - b.ID })
	return wish
}

// readDDIs reads a DDI, or a range of them.
func (r *yamlReader) readDDIs(item entry) {
	if item.value.Kind != yaml.MappingNode {
		if text, ok := r.value(item, "ddis", &shape{}); ok {
			if n, p := parseE164("DDI", text); p != nil {
				if first, err := bulksync.ParseE164(beforeRange(text)); err == nil {
					p.hint = "of numbers that follow one another name the first and how many: {first: \"" + string(first) + "\", count: 5}"
				}
				r.report(item.position(), "ddis", p)
			} else {
				r.enterDDI(n, item.position())
			}
		}
		return
	}
	o := r.object(item, r.forms.ddiRange, nil)
	if o == nil {
		return
	}
	text, ok := o.text("first")
	countText, counted := o.text("count")
	if !ok || !counted {
		return
	}
	first, p := parseE164("first", text)
	if p != nil {
		o.fault("first", p)
		return
	}
	count, _ := strconv.Atoi(countText)
	for i := range count {
		n, ok := plusNumber(string(first), i)
		if !ok {
			o.fault("count", &problem{codeBadRange, "range of " + countText + " from " + string(first) + " runs over its last digit", "write a smaller count"})
			return
		}
		if !r.enterDDI(bulksync.E164(n), o.self.position()) {
			return
		}
	}
}

// enterDDI enters a DDI that is to be there; one that is listed twice is reported.
func (r *yamlReader) enterDDI(n bulksync.E164, at bulksync.Position) bool {
	if first, twice := r.claim(claimListedDDI, string(n), at); twice {
		r.report(at, "ddis", &problem{codeDDITwice, "listed DDI " + string(n) + " comes twice, first at " + first.at.String(), "keep one of the two"})
		return false
	}
	if len(r.desired.DDIs) == maxDDIs {
		r.report(at, "ddis", &problem{codeYAMLLimit, "more than 2 million public numbers are listed", "take numbers away, or cut it into several manifests"})
		return false
	}
	r.desired.DDIs = append(r.desired.DDIs, bulksync.DesiredDDI{Number: n, Position: at})
	return true
}

// plusNumber adds to a number of digits and signs, keeping its length; false when it runs over.
func plusNumber(s string, n int) (string, bool) {
	b := []byte(s)
	for i := len(b) - 1; n > 0; i-- {
		if i < 0 || b[i] < '0' || b[i] > '9' {
			return "", false
		}
		n += int(b[i] - '0')
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return string(b), true
}

// beforeRange is what stands before the middle of a text that is the same at both ends of a hyphen in length, as a range is written in a
// pool; empty when it is none.
func beforeRange(s string) string {
	middle := len(s) / 2
	if len(s)%2 == 0 || s[middle] != '-' {
		return ""
	}
	return s[:middle]
}
