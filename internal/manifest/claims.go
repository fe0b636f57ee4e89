package manifest

import (
	"slices"
	"strings"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// claims remembers which row speaks of which user, extension, device, DDI and pairing, to find two rows that speak of
// the same. Its maps hold indexes into the users read.
type claims struct {
	r        *reader
	logins   map[bulksync.Login]int
	numbers  map[bulksync.Number]int
	devices  map[bulksync.DeviceKey]int
	ddis     map[bulksync.E164]int
	pairings map[pairingKey]int
}

// pairingKey names an extension of an equipped PBX as a row does. A row without pbxId and one with it may mean the same
// extension; only the planner can tell.
type pairingKey struct {
	pbx    string
	number bulksync.Number
}

func newClaims(r *reader) *claims {
	return &claims{
		r:        r,
		logins:   map[bulksync.Login]int{},
		numbers:  map[bulksync.Number]int{},
		devices:  map[bulksync.DeviceKey]int{},
		ddis:     map[bulksync.E164]int{},
		pairings: map[pairingKey]int{},
	}
}

// enter adds the user of the row at hand to the result and reports what an earlier row claims already.
func (c *claims) enter(w *row) {
	u := *w.user
	users := &c.r.desired.Users
	index := len(*users)
	if index == cap(*users) { // users are large: copying them less often is worth the room
		*users = slices.Grow(*users, index+64)
	}
	*users = append(*users, u)
	if u.Login != "" {
		if first, taken := c.logins[u.Login]; taken {
			c.twice(w, (*users)[first])
			return
		}
		c.logins[u.Login] = index
	}
	if u.Presence != bulksync.Present {
		return
	}
	if u.Subscriber.Mood == bulksync.Exactly {
		claim(c, index, c.numbers, u.Subscriber.Keys, held{"extension", "shortNumber", codeNumberTwice})
	}
	if u.Devices.Mood == bulksync.Exactly {
		claim(c, index, c.devices, u.Devices.Keys, held{"device", "macAddress", codeMACTwice})
	}
	if u.DDIs.Mood == bulksync.Exactly {
		claim(c, index, c.ddis, u.DDIs.Keys, held{"DDI", "ddiE164Number", codeDDITwice})
	}
	for _, p := range u.Pairings.Keys {
		key := pairingKey{strings.ToLower(p.PbxID), p.Number}
		claim(c, index, c.pairings, []pairingKey{key}, held{"extension", "pbxShortNumber", codePairingTwice})
	}
}

// twice reports a second row for one user. Rainbow would apply the two one after the other, so that their order
// mattered; here a row says what shall hold in the end.
func (c *claims) twice(w *row, first bulksync.DesiredUser) {
	u := w.user
	hint := "one row says all that a user shall have: merge the two"
	if u.Action != first.Action {
		hint = "a row says what shall hold in the end, not the steps to it: keep one of " + first.Action + " and " + u.Action +
			", or plan them as two manifests"
	}
	w.fault(w.s.at[roleLogin], &problem{codeLoginTwice,
		"user " + quote(string(u.Login)) + " has a row already at " + first.Position.String(), hint})
}

// held describes a thing that only one user can have.
type held struct {
	kind, column, code string
}

// claim enters keys of one kind for a user.
func claim[K comparable](c *claims, index int, by map[K]int, keys []K, h held) {
	users := c.r.desired.Users
	u := &users[index]
	for _, key := range keys {
		first, taken := by[key]
		if !taken {
			by[key] = index
			continue
		}
		other := &users[first]
		c.r.report(u.At(h.column), h.column, &problem{h.code,
			h.kind + " " + quote(show(key)) + " is asked for by two users: also by " + quote(string(other.Login)) + " at " + other.At(h.column).String(),
			"give it to one of them; whoever has it now need not be named"})
	}
}

// show writes a key as people do.
func show(key any) string {
	switch k := key.(type) {
	case bulksync.DeviceKey:
		return k.String()
	case bulksync.E164:
		return string(k)
	case bulksync.Number:
		return string(k)
	case pairingKey:
		return strings.TrimPrefix(k.pbx+"/"+string(k.number), "/")
	}
	return ""
}
