package sync

import (
	"encoding/json"
	"hash/maphash"
	"iter"
	"reflect"
	"slices"
	"strings"
)

// Entries are the users that a manifest asks for, in manifest order. They are kept packed, for nearly all of them ask for
// what is there already: one of 15 columns takes about 150 bytes and nothing that the collector must look at, where a
// DesiredUser takes 700. An entry is unpacked when somebody asks for it; whoever changes what he got changes nothing here.
//
// An entry is packed as
//
//	login, as all strings: its length as a uvarint, then its bytes
//	flags (uvarint): presence, moods of the wishes, and which of the parts below there are
//	action, then file, line and column of its position; what repeats (actions, files, names, lists of offers) is a
//	number in a table
//	attributes, keys of the wishes, password, what few have (rest), and last the places of cells
//
// A nil *Entries has none. Reading is safe for concurrent use, appending is not.
type Entries struct {
	// full are pieces of packed entries, open is the one that is written; at tells where each entry begins: the number of its
	// piece, shifted by 32, and the offset.
	full []string
	open strings.Builder
	at   []uint64
	// words are the strings that repeat, combinations the lists of offers, rest what few entries have.
	words        []string
	combinations [][]Offer
	rest         []rest
	// logins finds entries by login: a part of its hash, and the entry's number from 1.
	seed   maphash.Seed
	logins []slot
	used   int
	// repeats are the entries whose logins others have before them.
	repeats []int
	// next is the word that came behind the one looked up last, the last time; buffer is what an entry is packed in.
	next   int
	buffer []byte
}

// rest is what few entries have.
type rest struct {
	Was     Login          `json:",omitempty"`
	Lists   []string       `json:",omitempty"`
	Pools   []PoolWish     `json:",omitempty"`
	Options []DesiredGroup `json:",omitempty"`
}

type slot struct{ hash, entry uint32 }

// pieceSize is the size of the pieces that packed entries are kept in.
const pieceSize = 256 << 10

// The parts of an entry's flags: presence in two bits, five moods in two each, then one for each part.
const (
	moodsAt    = 2
	passworded = 1 << (moodsAt + 10)
	drawn      = passworded << 1
	rested     = passworded << 2
)

// EntriesOf packs users.
func EntriesOf(users ...DesiredUser) *Entries {
	e := &Entries{}
	for i := range users {
		e.Append(&users[i])
	}
	return e
}

// Len is how many entries there are.
func (e *Entries) Len() int {
	if e == nil {
		return 0
	}
	return len(e.at)
}

// Append packs a user. When an entry before has his login, first is that one.
func (e *Entries) Append(u *DesiredUser) (first int, taken bool) {
	e.pack(u)
	return e.enter(u.Login, len(e.at)-1)
}

// Grow makes room for more entries.
func (e *Entries) Grow(more int) {
	e.at = slices.Grow(e.at, more)
	size := max(64, len(e.logins))
	for 3*size < 4*(len(e.at)+more) {
		size *= 2
	}
	if size > len(e.logins) {
		e.grow(size)
	}
}

// pack packs a user who is not found by his login.
func (e *Entries) pack(u *DesiredUser) {
	e.write(u)
	if e.open.Cap()-e.open.Len() < len(e.buffer) {
		if e.open.Len() > 0 {
			e.full = append(e.full, e.open.String())
		}
		e.open = strings.Builder{}
		e.open.Grow(max(pieceSize, len(e.buffer)))
	}
	e.at = append(e.at, uint64(len(e.full))<<32|uint64(e.open.Len()))
	e.open.Write(e.buffer)
}

// Find gives the first entry with a login.
func (e *Entries) Find(l Login) (entry int, found bool) {
	if e == nil || len(e.logins) == 0 {
		return 0, false
	}
	h := uint32(maphash.String(e.seed, string(l)))
	for i, mask := h, uint32(len(e.logins)-1); ; i++ {
		s := e.logins[i&mask]
		if s.entry == 0 {
			return 0, false
		}
		if s.hash == h && e.Login(int(s.entry-1)) == l {
			return int(s.entry - 1), true
		}
	}
}

// enter notes the login of an entry, or gives the one that has it already. That of an entry without login is not noted.
func (e *Entries) enter(l Login, entry int) (first int, taken bool) {
	if l == "" {
		return 0, false
	}
	if 4*e.used >= 3*len(e.logins) {
		e.grow(max(64, 2*len(e.logins)))
	}
	h := uint32(maphash.String(e.seed, string(l)))
	for i, mask := h, uint32(len(e.logins)-1); ; i++ {
		switch s := &e.logins[i&mask]; {
		case s.entry == 0:
			*s = slot{h, uint32(entry + 1)}
			e.used++
			return 0, false
		case s.hash == h && e.Login(int(s.entry-1)) == l:
			e.repeats = append(e.repeats, entry)
			return int(s.entry - 1), true
		}
	}
}

func (e *Entries) put(s slot) {
	mask := uint32(len(e.logins) - 1)
	i := s.hash & mask
	for e.logins[i].entry != 0 {
		i = (i + 1) & mask
	}
	e.logins[i] = s
}

func (e *Entries) grow(size int) {
	old := e.logins
	if old == nil {
		e.seed = maphash.MakeSeed() // which seed it is makes no difference to what is found
	}
	e.logins = make([]slot, size)
	for _, s := range old {
		if s.entry != 0 {
			e.put(s)
		}
	}
}

// All walks copies of the entries.
func (e *Entries) All() iter.Seq2[int, *DesiredUser] {
	return func(yield func(int, *DesiredUser) bool) {
		for i := range e.Len() {
			if !yield(i, e.At(i)) {
				return
			}
		}
	}
}

// At unpacks an entry.
func (e *Entries) At(i int) *DesiredUser {
	u := new(DesiredUser)
	in := e.read(i, u)
	if n := in.uint(); n > 0 {
		u.Cells = make(Cells, n)
		for k := range u.Cells {
			u.Cells[k] = Cell{in.word(), in.place(u.Position)}
		}
	}
	return u
}

// Equal tells whether two manifests ask for the same, at the same places.
func (e *Entries) Equal(o *Entries) bool {
	if e.Len() != o.Len() {
		return false
	}
	for i := range e.Len() {
		if !reflect.DeepEqual(e.At(i), o.At(i)) {
			return false
		}
	}
	return true
}

// Login is that of an entry.
func (e *Entries) Login(i int) Login {
	in := e.packed(i)
	return Login(in.text())
}

// Position is that of an entry.
func (e *Entries) Position(i int) Position {
	in := e.packed(i)
	_, _, _ = in.text(), in.uint(), in.uint() // login, flags, action
	return in.position()
}

// repeat tells whether an entry before has the login of this one.
func (e *Entries) repeat(i int) bool {
	_, found := slices.BinarySearch(e.repeats, i)
	return found
}

// uncommon tells whether any entry has what few have.
func (e *Entries) uncommon() bool { return e != nil && len(e.rest) > 0 }

// MarshalJSON writes the entries as a list of users, null without any.
func (e *Entries) MarshalJSON() ([]byte, error) {
	if e.Len() == 0 {
		return []byte("null"), nil
	}
	var u DesiredUser
	b := make([]byte, 0, 256*e.Len())
	for i := range e.Len() {
		e.Read(i, &u)
		doc, err := json.Marshal(&u)
		if err != nil {
			return nil, err
		}
		b = append(append(b, ','), doc...)
	}
	b[0] = '['
	return append(b, ']'), nil
}

// UnmarshalJSON reads a list of users.
func (e *Entries) UnmarshalJSON(b []byte) error {
	var all []DesiredUser
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	*e = *EntriesOf(all...)
	return nil
}
