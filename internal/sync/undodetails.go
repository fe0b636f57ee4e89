package sync

import "slices"

// compareDetails merges the trace of options, settings or keys.
func (b *undoer) compareDetails(t Trace) {
	now := b.obs.Record(t.Key)
	switch after := t.After.(type) {
	case *Options:
		before, _ := t.Before.(*Options)
		b.compareOptions(before, after)
	case *Settings:
		before, _ := t.Before.(*Settings)
		is, _ := now.(*Settings)
		if before == nil {
			b.lost("", "%s of the Cloud PBX stays as the run set it: what it was is not recorded", after.Group)
			return
		}
		if values := b.valuesBack("", thingOf(t.Key), before.Values, after.Values, valuesOf(is, after)); len(values) > 0 {
			b.settings = append(b.settings, DesiredGroup{Group: after.Group, Values: values, Position: b.at("")})
		}
	case *DeviceKeys:
		before, _ := t.Before.(*DeviceKeys)
		is, _ := now.(*DeviceKeys)
		b.compareKeys(before, after, is)
	}
}

// valuesOf are the values that are recorded now; when nothing is, as a refresh leaves it, those that the run left.
func valuesOf(is, after *Settings) []Attribute {
	if is == nil {
		return after.Values
	}
	return is.Values
}

func (b *undoer) compareOptions(before, after *Options) {
	l := b.loginBefore(after.Login)
	u := b.user(l)
	switch {
	case u.skip || u.deletion || u.now == nil:
		return
	case !after.Group.Shown():
		b.lost(l, "%s of user %s stays as the run set it: upstream does not show it, so what it was is not known", after.Group, l)
		return
	case before == nil:
		b.lost(l, "%s of user %s stays as the run set it: what it was is not recorded", after.Group, l)
		return
	}
	present := after.Values
	if is := find[Options](b.obs, OptionsKey(after.Group, u.called)); is != nil {
		present = is.Values
	}
	if values := b.valuesBack(l, string(after.Group)+" of user "+string(l), before.Values, after.Values, present); len(values) > 0 {
		u.options = append(u.options, DesiredGroup{Group: after.Group, Values: values, Position: b.at(l)})
	}
}

// valuesBack lists the values that are to be as before.
func (b *undoer) valuesBack(l Login, what string, before, after, is []Attribute) []Attribute {
	var names []string
	for _, v := range append(slices.Clone(before), after...) {
		names = append(names, v.Name)
	}
	slices.Sort(names)
	var values []Attribute
	for _, name := range slices.Compact(names) {
		was, left, present := valueOf(before, name), valueOf(after, name), valueOf(is, name)
		switch {
		case was == left, was == present:
		case was == "" && name == "noReplyDelay":
			b.lost(l, "%s: noReplyDelay stays %q: upstream lets nobody unset it", what, present)
		case left == present, b.since(l, "%s: %s became %q", what, name, present):
			values = append(values, Attribute{name, was})
		}
	}
	return values
}

func (b *undoer) compareKeys(before, after, is *DeviceKeys) {
	device := b.obs.Record(after.Device.Key())
	if slices.ContainsFunc(b.devices, func(d DesiredDevice) bool { return d.Address == after.Device && d.Absent }) {
		return // they go with it
	}
	if before == nil || device == nil {
		b.lost("", "keys of device %s stay as the run set them: what they were is not recorded", after.Device)
		return
	}
	if is != nil && !slices.Equal(is.Keys, after.Keys) && !b.since("", "keys of device %s were changed", after.Device) {
		return
	}
	wish := Wish[DesiredKey]{Mood: Exactly}
	for _, k := range before.Keys {
		d := DesiredKey{Module: k.Module, Number: k.Number, Type: k.Type, DisplayName: k.DisplayName, Destination: k.Destination, GroupID: k.GroupID}
		if k.PhoneNumberID != "" {
			d.Extension, d.Destination = Number(k.Destination), ""
		}
		wish.Keys = append(wish.Keys, d)
	}
	for i := range b.devices {
		if b.devices[i].Address == after.Device {
			b.devices[i].Keys = wish
			return
		}
	}
	b.devices = append(b.devices, DesiredDevice{Address: after.Device, Keys: wish, Position: b.at("")})
}
