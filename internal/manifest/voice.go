package manifest

import bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"

// What a row of mode rainbowvoice says of the Cloud PBX (Rainbow Node SDK, importRainbowVoiceUsersWithCSVdata).

// voice reads the extension, device and DDI that the user shall have; an empty cell says nothing.
func (w *row) voice(u *bulksync.DesiredUser) {
	if n, ok := w.shortNumber(roleShortNumber); ok {
		w.number[0] = n
		u.Subscriber = bulksync.Wish[bulksync.Number]{Mood: bulksync.Exactly, Keys: w.number[:]}
	}
	if d, ok := w.device(); ok {
		w.phone[0] = d
		u.Devices = bulksync.Wish[bulksync.DeviceKey]{Mood: bulksync.Exactly, Keys: w.phone[:]}
	}
	if n, ok := w.ddi(); ok {
		w.public[0] = n
		u.DDIs = bulksync.Wish[bulksync.E164]{Mood: bulksync.Exactly, Keys: w.public[:]}
	}
}

// detachVoice: the user gives up the extension, device or DDI that is filled. With the extension, its device and DDI go
// too, which is the planner's to know.
func (w *row) detachVoice(u *bulksync.DesiredUser) {
	if _, _, filled := w.cell(roleShortNumber); !filled {
		_, _, device := w.cell(roleMAC)
		if _, _, ddi := w.cell(roleDDI); !ddi && !device {
			at := max(0, w.s.at[roleShortNumber])
			w.fault(at, &problem{codeNoDetach, "detach names nothing to detach (Rainbow: 2018)", "fill shortNumber, macAddress or ddiE164Number"})
		}
	}
	if n, ok := w.shortNumber(roleShortNumber); ok {
		u.Subscriber = bulksync.Without(n)
	}
	if d, ok := w.device(); ok {
		u.Devices = bulksync.Without(d)
	}
	if n, ok := w.ddi(); ok {
		u.DDIs = bulksync.Without(n)
	}
}

func (w *row) shortNumber(as role) (bulksync.Number, bool) {
	text, i, ok := w.cell(as)
	if !ok {
		return "", false
	}
	n, p := parseShortNumber(w.s.columns[i].name, text)
	if p != nil {
		w.fault(i, p)
		return "", false
	}
	w.keep(i)
	return n, true
}

func (w *row) device() (bulksync.DeviceKey, bool) {
	text, i, ok := w.cell(roleMAC)
	if !ok {
		return "", false
	}
	if key, ok := colonMAC(text); ok {
		w.keep(i)
		return bulksync.DeviceKey(w.s.t.copies.keep(key[:])), true
	}
	key, p := parseMAC(text)
	if p != nil {
		w.fault(i, p)
		return "", false
	}
	w.keep(i)
	return key, true
}

func (w *row) ddi() (bulksync.E164, bool) {
	text, i, ok := w.cell(roleDDI)
	if !ok {
		return "", false
	}
	if plainE164(text) {
		w.keep(i)
		return bulksync.E164(w.s.t.copies.keepTexts("+", text)), true
	}
	n, p := parseE164("DDI", text)
	if p != nil {
		w.fault(i, p)
		return "", false
	}
	w.keep(i)
	return n, true
}
