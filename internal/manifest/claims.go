package manifest

import (
	"hash/maphash"
	"slices"
	"strings"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// claims finds two rows that ask for the same extension, device, DDI or pairing.
//
// A claim is looked up later than it is made, together with others: each look-up goes to another place of a table that fits no
// cache, and of many in a row the processor waits for all at once.
type claims struct {
	r      *reader
	seed   maphash.Seed
	tables [len(claimable)]seen
	// waiting are the claims that are not looked up yet.
	waiting []claim
	// mine and other are two users who are compared.
	mine, other bulksync.DesiredUser
}

// claim is what one user asks for: a kind, as an index of claimable, a part of the key's hash, and the user's index.
type claim struct {
	hash, user uint32
	kind       uint8
}

// waitingMost is how many claims wait at most.
const waitingMost = 256

// held describes a thing that only one user can have.
type held struct {
	kind, column, code string
	// keys lists those that a row asks its user to hold.
	keys func(*bulksync.DesiredUser) []string
}

const (
	claimsNumber = iota
	claimsDevice
	claimsDDI
	claimsPairing
)

var claimable = [...]held{
	claimsNumber:  {"extension", "shortNumber", codeNumberTwice, func(u *bulksync.DesiredUser) []string { return keysOf(u.Subscriber, plainKey) }},
	claimsDevice:  {"device", "macAddress", codeMACTwice, func(u *bulksync.DesiredUser) []string { return keysOf(u.Devices, plainKey) }},
	claimsDDI:     {"DDI", "ddiE164Number", codeDDITwice, func(u *bulksync.DesiredUser) []string { return keysOf(u.DDIs, plainKey) }},
	claimsPairing: {"extension", "pbxShortNumber", codePairingTwice, func(u *bulksync.DesiredUser) []string { return keysOf(u.Pairings, pairingKey) }},
}

// seen finds equal keys by their hashes. It holds indexes into the users read, whose keys it is told to compare, so that
// a million keys take 16 MiB and not a map's hundred.
type seen struct {
	slots []claimed
	used  int
	// expected is how many keys there may be, as far as that can be told.
	expected int
	// touched is a sum of nothing, so that a load is not thought needless.
	touched uint32
}

// claimed is a part of a key's hash, and the index of the user who claims it, from 1.
type claimed struct{ hash, user uint32 }

// reserve makes room for more keys.
func (s *seen) reserve(more int) {
	for 4*(s.used+more) >= 3*len(s.slots) {
		s.grow()
	}
}

// touch has a key's place loaded, for who enters it soon.
func (s *seen) touch(hash uint32) {
	s.touched += s.slots[hash&uint32(len(s.slots)-1)].user
}

// enter enters a user's key, or gives the user who has the same one already.
func (s *seen) enter(hash uint64, user int, same func(user int) bool) (first int, taken bool) {
	s.reserve(1)
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
			for i := range c.tables {
				c.tables[i].expected = index + left
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
	for _, k := range wanted(u.Subscriber) {
		c.wait(claimsNumber, string(k), index)
	}
	for _, k := range wanted(u.Devices) {
		c.wait(claimsDevice, string(k), index)
	}
	for _, k := range wanted(u.DDIs) {
		c.wait(claimsDDI, string(k), index)
	}
	for _, p := range wanted(u.Pairings) { // one row without pbxId and one with it may mean the same: only the planner can tell
		c.wait(claimsPairing, pairingKey(p), index)
	}
}

// wait notes that a user claims a key.
func (c *claims) wait(kind uint8, key string, user int) {
	if len(c.waiting) == waitingMost {
		c.settle()
	}
	c.waiting = append(c.waiting, claim{uint32(maphash.String(c.seed, key)), uint32(user), kind})
}

// settle looks up the claims that wait, and reports those that an earlier row makes too.
func (c *claims) settle() {
	for i := range c.tables {
		c.tables[i].reserve(len(c.waiting))
	}
	for _, w := range c.waiting {
		c.tables[w.kind].touch(w.hash)
	}
	for _, w := range c.waiting {
		first, taken := c.tables[w.kind].enter(uint64(w.hash), int(w.user), func(first int) bool { return c.shared(w, first) != "" })
		if taken {
			c.report(w, first)
		}
	}
	c.waiting = c.waiting[:0]
}

// shared gives the key of a claim that another user claims too; none, when but the hashes are equal.
func (c *claims) shared(w claim, other int) string {
	users, keys := c.r.desired.Users, claimable[w.kind].keys
	users.Read(int(w.user), &c.mine)
	users.Read(other, &c.other)
	theirs := keys(&c.other)
	for _, key := range keys(&c.mine) {
		if uint32(maphash.String(c.seed, key)) == w.hash && slices.Contains(theirs, key) {
			return key
		}
	}
	return ""
}

// report says that two users ask for the same thing.
func (c *claims) report(w claim, first int) {
	h, key := &claimable[w.kind], c.shared(w, first)
	if w.kind == claimsDevice {
		key = bulksync.DeviceKey(key).String()
	}
	u, other := c.r.desired.Users.At(int(w.user)), c.r.desired.Users.At(first)
	c.r.report(u.At(h.column), h.column, &problem{h.code,
		h.kind + " " + quote(key) + " is asked for by two users: also by " + quote(string(other.Login)) + " at " + other.At(h.column).String(),
		"give it to one of them; whoever has it now need not be named"})
}

// wanted lists the keys that a row asks its user to hold.
func wanted[K any](w bulksync.Wish[K]) []K {
	if w.Mood == bulksync.Exactly {
		return w.Keys
	}
	return nil
}

// keysOf lists the keys that a row asks its user to hold, as strings.
func keysOf[K any](w bulksync.Wish[K], key func(K) string) []string {
	all := make([]string, 0, 4)
	for _, k := range wanted(w) {
		all = append(all, key(k))
	}
	return all
}

func plainKey[K ~string](k K) string { return string(k) }

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
