package sync

import (
	"slices"
	"strings"
)

// holding is what one user holds of the things that have a single holder. Its lists are never changed in place, so that
// two holdings may share them.
type holding struct {
	subscriber Number // empty: none
	devices    []DeviceKey
	ddis       []E164
	pairings   []Key
}

// holdingOf reads what a user holds now. The keys say all that is to know here: a number of the Cloud PBX that a user holds
// is his subscriber, one of another PBX is paired with him.
func holdingOf(obs Observed, l Login) holding {
	var h holding
	for _, k := range obs.Held(l) {
		switch k.Kind {
		case KindExtension:
			pbx, number, _ := strings.Cut(k.ID, "/")
			if cloud := obs.Company().CloudPbx; cloud != nil && pbx == cloud.PbxID {
				h.subscriber = Number(number)
			} else {
				h.pairings = append(h.pairings, k)
			}
		case KindDevice:
			h.devices = append(h.devices, DeviceKey(k.ID))
		case KindDDI:
			h.ddis = append(h.ddis, E164(k.ID))
		}
	}
	return h
}

// fulfil gives what a user holds once a wish is granted, sorted.
func fulfil[K comparable](now []K, w Wish[K], order func(a, b K) int) []K {
	var next []K
	switch w.Mood {
	case Keep:
		return now
	case Exactly:
		if slices.Equal(now, w.Keys) {
			return now
		}
		next = slices.Clone(w.Keys)
	case Include:
		next = append(slices.Clone(now), w.Keys...)
	case Exclude:
		if len(w.Keys) > 0 {
			next = slices.DeleteFunc(slices.Clone(now), func(k K) bool { return slices.Contains(w.Keys, k) })
		}
	}
	slices.SortFunc(next, order)
	return slices.Compact(next)
}

// gains lists what is in then and not in now.
func gains[K comparable](now, then []K) []K {
	if slices.Equal(now, then) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(then), func(k K) bool { return slices.Contains(now, k) })
}

// named lists the keys that a wish asks the user to hold.
func (w Wish[K]) named() []K {
	if w.Mood == Exactly || w.Mood == Include {
		return w.Keys
	}
	return nil
}

// claims tells whether the wish asks for anything to be held.
func (w Wish[K]) claims() bool { return len(w.named()) > 0 }

func without[K comparable](keys []K, k K) []K {
	return slices.DeleteFunc(slices.Clone(keys), func(x K) bool { return x == k })
}
