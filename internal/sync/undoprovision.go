package sync

// compareProvision merges the trace of a device or DDI, which the run may have created, changed or deleted.
func (b *undoer) compareProvision(t Trace) {
	now := b.obs.Record(t.Key)
	switch {
	case t.Before == nil && now == nil: // it is gone already
	case t.Before == nil:
		b.compareCreatedThing(t, now)
	case t.After == nil && now != nil:
		b.since("", "%s was created again", thingOf(t.Key))
	case t.After == nil:
		b.compareDeletedThing(t)
	default:
		b.compareHolder(t)
		if was, left, is := handsOf(t.Before), handsOf(t.After), handsOf(now); is == was || is == left || b.Stale == StaleReplan {
			b.compareDevice(t, now)
		}
	}
}

// compareCreatedThing: the run created it, so it is to go, after whoever got it from the run has given it back.
func (b *undoer) compareCreatedThing(t Trace, now Record) {
	left, is := handsOf(t.After), handsOf(now)
	left.login, is.login = b.loginBefore(left.login), b.personNow(is.login)
	if left != is && !b.since(left.login, "%s %s", thingOf(t.Key), is.words()) {
		return
	}
	if is.label != "" || is.id != "" || is.login != "" && b.user(is.login).skip {
		b.lost(is.login, "%s, which the run created, stays: it is held", thingOf(t.Key))
		return
	}
	if is.login != "" {
		b.user(is.login).lose(t.Key)
	}
	b.wish(t.Key, nil)
}

// compareDeletedThing: the run deleted it, so it is to be there again, with who held it before.
func (b *undoer) compareDeletedThing(t Trace) {
	was := handsOf(t.Before)
	if was.login != "" && b.user(was.login).skip {
		return
	}
	if d, ok := t.Before.(*Device); ok && d.Model == "" {
		b.lost("", "%s stays deleted: its model is not recorded", thingOf(t.Key))
		return
	}
	b.wish(t.Key, t.Before)
	if t.Key.Kind == KindDevice {
		b.renewed = append(b.renewed, DeviceKey(t.Key.ID))
	}
	if was.login != "" && !b.user(was.login).deletion {
		b.user(was.login).get(t.Key)
	}
}

// compareDevice merges what a run changed of a device beside its holder.
func (b *undoer) compareDevice(t Trace, now Record) {
	was, ok := t.Before.(*Device)
	left, _ := t.After.(*Device)
	is, there := now.(*Device)
	if !ok || !there || left == nil {
		return
	}
	want := DesiredDevice{Address: is.Address, Position: b.at(was.Holder)}
	changed := false
	if was.Description != left.Description && was.Description != is.Description && was.Description != "" &&
		(is.Description == left.Description || b.since(was.Holder, "the description of %s became %q", thingOf(t.Key), is.Description)) {
		want.Description, changed = was.Description, true
	}
	same := func(x, y *Device) bool {
		return len(moduleChanges(x.Modules, Wish[DeviceModule]{Exactly, y.Modules})) == 0
	}
	if !same(was, left) && !same(was, is) && (same(is, left) || b.since(was.Holder, "the modules of %s changed", thingOf(t.Key))) {
		want.Modules, changed = Wish[DeviceModule]{Exactly, was.Modules}, true
	}
	if changed {
		b.devices = append(b.devices, want)
	}
}

// wish wants a device or DDI as it was; nil wants it gone.
func (b *undoer) wish(k Key, was Record) {
	at := b.at("")
	if k.Kind == KindDDI {
		b.ddis = append(b.ddis, DesiredDDI{Number: E164(k.ID), Absent: was == nil, Position: at})
		return
	}
	want := DesiredDevice{Address: DeviceKey(k.ID), Absent: was == nil, Position: at}
	if d, ok := was.(*Device); ok {
		want.Model, want.Description, want.Modules = d.Model, orWords(d.Description, d.Address.String()), Wish[DeviceModule]{Exactly, d.Modules}
	}
	b.devices = append(b.devices, want)
}
