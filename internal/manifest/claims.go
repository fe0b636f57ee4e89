package manifest

import (
	"hash/maphash"
	"strings"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// claims remembers which row asks for which extension, device, DDI and pairing, to find two rows that ask for the same.
type claims struct {
	r                                 *reader
	seed                              maphash.Seed
	numbers, devices, ddis, extension seen
	// other is the user of an earlier row that is looked at.
	other bulksync.DesiredUser
}

// seen finds equal keys by their hashes. It holds indexes into the users read, whose keys it is told to compare, so that
// a million keys take 16 MiB and not a map's hundred.
type seen struct {
	slots []claimed
	used  int
	// expected is how many keys there may be, as far as that can be told.
	expected int
}

// claimed is a part of a key's hash, and the index of the user who claims it, from 1.
type claimed struct{ hash, user uint32 }

// enter enters a user's key, or gives the user who has the same one already.
func (s *seen) enter(hash uint64, user int, same func(user int) bool) (first int, taken bool) {
	if 4*s.used >= 3*len(s.slots) {
		s.grow()
	}
	mask, h := uint32(len(s.slots)-1), uint32(hash)
	for i := h & mask; ; i = (i + 1) & mask {
		switch slot := &s.slots[i]; {
		case slot.user == 0:
			*slot = claimed{h, uint32(user + 1)}
			s.used++
			return 0, false
		case slot.hash == h && same(int(slot.user-1)):
			return int(slot.user - 1), true
		}
	}
}

// grow makes room, for as many keys as are expected once there are some.
func (s *seen) grow() {
	old := s.slots
	size := max(64, 2*len(old))
	for len(old) > 0 && 3*size < 4*s.expected {
		size *= 2
	}
	s.slots = make([]claimed, size)
	mask := uint32(len(s.slots) - 1)
	for _, c := range old {
		if c.user == 0 {
			continue
		}
		i := c.hash & mask
		for s.slots[i].user != 0 {
			i = (i + 1) & mask
		}
		s.slots[i] = c
	}
}

func newClaims(r *reader) *claims {
	return &claims{r: r, seed: maphash.MakeSeed()} // which seed it is makes no difference to what is found
}

// enter adds the user of the row at hand to the result and reports what an earlier row claims already.
func (c *claims) enter(w *row) {
	users, u := c.r.desired.Users, w.user
	index := users.Len()
	if index == 64 {
		if left := w.s.t.left(); left > 0 {
			left += left / 16
			users.Grow(left)
			for _, by := range []*seen{&c.numbers, &c.devices, &c.ddis, &c.extension} {
				by.expected = index + left
			}
		}
	}
	if first, taken := users.Append(u); taken {
		c.twice(w, users.At(first))
		return
	}
	if u.Presence == bulksync.Absent {
		return
	}
	same := &c.other
	for _, k := range wanted(u.Subscriber) {
		c.claim(u, &c.numbers, string(k), held{"extension", "shortNumber", codeNumberTwice}, index, func(i int) bool { users.Read(i, same); return has(same.Subscriber, k) })
	}
	for _, k := range wanted(u.Devices) {
		c.claim(u, &c.devices, string(k), held{"device", "macAddress", codeMACTwice}, index, func(i int) bool { users.Read(i, same); return has(same.Devices, k) })
	}
	for _, k := range wanted(u.DDIs) {
		c.claim(u, &c.ddis, string(k), held{"DDI", "ddiE164Number", codeDDITwice}, index, func(i int) bool { users.Read(i, same); return has(same.DDIs, k) })
	}
	for _, p := range wanted(u.Pairings) { // one row without pbxId and one with it may mean the same: only the planner can tell
		c.claim(u, &c.extension, pairingKey(p), held{"extension", "pbxShortNumber", codePairingTwice}, index, func(i int) bool {
			users.Read(i, same)
			for _, q := range wanted(same.Pairings) {
				if q.Number == p.Number && strings.EqualFold(q.PbxID, p.PbxID) {
					return true
				}
			}
			return false
		})
	}
}

// wanted lists the keys that a row asks its user to hold.
func wanted[K any](w bulksync.Wish[K]) []K {
	if w.Mood == bulksync.Exactly {
		return w.Keys
	}
	return nil
}

func has[K comparable](w bulksync.Wish[K], k K) bool {
	for _, other := range wanted(w) {
		if other == k {
			return true
		}
	}
	return false
}

// pairingKey names an extension of an equipped PBX as a row does.
func pairingKey(p bulksync.Pairing) string {
	if p.PbxID == "" {
		return string(p.Number)
	}
	return strings.ToLower(p.PbxID) + "/" + string(p.Number)
}

// twice reports a second row for one user. Rainbow would apply the two one after the other, so that their order
// mattered; here a row says what shall hold in the end.
func (c *claims) twice(w *row, first *bulksync.DesiredUser) {
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

// claim enters a key for a user.
func (c *claims) claim(u *bulksync.DesiredUser, by *seen, key string, h held, index int, same func(int) bool) {
	first, taken := by.enter(maphash.String(c.seed, key), index, same)
	if !taken {
		return
	}
	if h.code == codeMACTwice {
		key = bulksync.DeviceKey(key).String()
	}
	other := c.r.desired.Users.At(first)
	c.r.report(u.At(h.column), h.column, &problem{h.code,
		h.kind + " " + quote(key) + " is asked for by two users: also by " + quote(string(other.Login)) + " at " + other.At(h.column).String(),
		"give it to one of them; whoever has it now need not be named"})
}
