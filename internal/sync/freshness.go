package sync

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// What a plan relies on. A plan stays good as long as what its operations start from is still there: that a thing exists,
// under which id, who holds it, and the values that the plan changes. A user's job title may change meanwhile when the
// plan does not touch it. Licences are not relied on: their counts change with every assignment by anyone, and upstream
// itself refuses what exceeds them. Which DDI is the default one is relied on by what makes another so, by deletions of DDIs,
// which upstream refuses while it is theirs, and by the creation of a company's first one, which becomes it (defaultreliance.go).

// touches lists what the plan relies on, by key.
func (p *planner) touches(plan *Plan) []Touch {
	changed := plan.changedNames()
	touches := make([]Touch, 0, len(p.touched)+1)
	for k := range p.touched {
		if k.Kind != KindLicence {
			touches = append(touches, Touch{k, reliance(p.obs.Record(k), changed[k])})
		}
	}
	if k := DefaultDDIKey(); p.firstDDI != nil || len(changed[k]) > 0 {
		touches = append(touches, Touch{k, defaultReliance(defaultOf(p.obs), changed[k])})
	}
	slices.SortFunc(touches, func(a, b Touch) int { return a.Key.Compare(b.Key) })
	return touches
}

// changedNames lists, by key, the names of the values that the plan changes.
func (p *Plan) changedNames() map[Key][]string {
	names := map[Key][]string{}
	for i := range p.Operations {
		op := &p.Operations[i]
		for _, c := range op.Changes {
			names[op.Key] = append(names[op.Key], c.Name)
		}
		if name := op.changesDefault(); name != "" {
			names[DefaultDDIKey()] = append(names[DefaultDDIKey()], name)
		}
	}
	return names
}

// reliance is a hash over what a plan relies on in a record; empty without a record.
func reliance(r Record, changed []string) string {
	b := make([]byte, 0, 256)
	switch r := r.(type) {
	case *User:
		b = appendWords(b, "user", r.ID)
		for _, name := range slices.Sorted(slices.Values(changed)) {
			if !strings.Contains(name, " ") && name != loginAttribute && !writeOnly(name) {
				b = appendRelied(b, name, r.Attribute(name))
			}
		}
	case *Extension:
		b = appendWords(b, "extension", r.ID, string(r.Role), r.HolderID)
		if slices.Contains(changed, "internalNumber") || slices.Contains(changed, "number") {
			b = fmt.Appendf(b, "\n%q %q", r.InternalNumber, r.PublicNumber)
		}
	case *Device:
		b = append(appendWords(b, "device", r.ID, r.HolderID), deviceValues(r, changed)...)
	case *DDI:
		b = appendWords(b, "ddi", r.ID, r.HolderID, r.Label)
	case *Options:
		b = append(appendWords(b, "options", r.SubscriberID), valuesRelied(r.Values, changed)...)
	case *Settings:
		b = append(append(b, "settings"...), valuesRelied(r.Values, changed)...)
	case *DeviceKeys:
		b = append(append(b, "keys"...), keysRelied(r.Keys, changed)...)
	default:
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// appendWords appends words with a space between them.
func appendWords(b []byte, first string, more ...string) []byte {
	b = append(b, first...)
	for _, word := range more {
		b = append(append(b, ' '), word...)
	}
	return b
}

// appendRelied appends a value that is relied on, by its name.
func appendRelied(b []byte, name, value string) []byte {
	b = append(append(append(b, '\n'), name...), '=')
	return strconv.AppendQuote(b, value)
}

// touch finds what the plan relies on in a thing.
func (p *Plan) touch(k Key) (Touch, bool) {
	i, found := slices.BinarySearchFunc(p.Touched, k, func(t Touch, k Key) int { return t.Key.Compare(k) })
	if !found {
		return Touch{}, false
	}
	return p.Touched[i], true
}

// stale lists which of the given keys, which come in the order of Touched, are not as the plan relies on them, without their
// operations. fresh are the records just read; missing ones are gone.
func (p *Plan) stale(fresh map[Key]Record, keys []Key) []Stale {
	changed := p.changedNames()
	var stale []Stale
	for _, t := range p.Touched {
		if len(keys) == 0 || keys[0] != t.Key {
			continue
		}
		keys = keys[1:]
		r := fresh[t.Key]
		if t.Key == DefaultDDIKey() {
			if defaultReliance(r, changed[t.Key]) != t.Hash {
				stale = append(stale, Stale{Key: t.Key, Words: defaultWords(r), relying: onDefault(t, r)})
			}
			continue
		}
		now := reliance(r, changed[t.Key])
		switch {
		case now == t.Hash:
		case t.Hash == "":
			stale = append(stale, Stale{Key: t.Key, Words: fmt.Sprintf("%s exists now", t.Key)})
		case now == "":
			stale = append(stale, Stale{Key: t.Key, Words: fmt.Sprintf("%s is gone", t.Key)})
		default:
			stale = append(stale, Stale{Key: t.Key, Words: fmt.Sprintf("%s changed%s", t.Key, heldNow(r))})
		}
	}
	return stale
}

func heldNow(r Record) string {
	if r.Key().Kind == KindUser {
		return ""
	}
	if l := r.HeldBy(); l != "" {
		return ", held by " + string(l) + " now"
	}
	return ", held by no known user now"
}
