package sync

import (
	"encoding/binary"
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
	if first, taken = e.Find(l); taken {
		e.repeats = append(e.repeats, entry)
		return first, true
	}
	if 4*e.used >= 3*len(e.logins) {
		e.grow(max(64, 2*len(e.logins)))
	}
	e.put(slot{uint32(maphash.String(e.seed, string(l))), uint32(entry + 1)})
	e.used++
	return 0, false
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

// Read unpacks an entry, without the places of its cells, into a user whose lists it writes over: he is good until the next
// Read.
func (e *Entries) Read(i int, u *DesiredUser) { e.read(i, u) }

// read is Read; what is left of the packed entry are the places of its cells.
func (e *Entries) read(i int, u *DesiredUser) (left packed) {
	in := e.packed(i)
	u.Login = Login(in.text())
	flags := in.uint()
	u.Presence = Presence(flags & 3)
	u.Action = in.word()
	u.Position = in.position()
	n := in.uint()
	u.Attributes = slices.Grow(u.Attributes[:0], n)
	for range n {
		u.Attributes = append(u.Attributes, Attribute{in.word(), in.text()})
	}
	mood := func(n int) Mood { return Mood(flags >> (moodsAt + 2*n) & 3) }
	u.Subscriber = Wish[Number]{mood(0), readKeys(&in, u.Subscriber.Keys)}
	u.Devices = Wish[DeviceKey]{mood(1), readKeys(&in, u.Devices.Keys)}
	u.DDIs = Wish[E164]{mood(2), readKeys(&in, u.DDIs.Keys)}
	u.Licences = Wish[Offer]{mood(3), nil}
	if n := in.uint(); n > 0 {
		u.Licences.Keys = e.combinations[n-1]
	}
	u.Pairings = Wish[Pairing]{mood(4), u.Pairings.Keys[:0]}
	for range in.uint() {
		u.Pairings.Keys = append(u.Pairings.Keys, Pairing{in.text(), Number(in.text()), in.text(), in.text()})
	}
	u.Password = nil
	if flags&passworded != 0 {
		u.Password = &SecretPlace{Field: in.word(), Position: in.place(u.Position), Drawn: flags&drawn != 0}
	}
	u.Was, u.Lists, u.Pools, u.Options, u.Cells = "", nil, nil, nil, nil
	if flags&rested != 0 {
		r := &e.rest[in.uint()]
		u.Was, u.Lists, u.Pools, u.Options = r.Was, r.Lists, r.Pools, r.Options
	}
	return in
}

func readKeys[K ~string](in *packed, keys []K) []K {
	n := in.uint()
	keys = slices.Grow(keys[:0], n)
	for range n {
		keys = append(keys, K(in.text()))
	}
	return keys
}

// write packs a user into the buffer.
func (e *Entries) write(u *DesiredUser) {
	out := writer{e, appendText(e.buffer[:0], string(u.Login))}
	wishes := [...]Mood{u.Subscriber.Mood, u.Devices.Mood, u.DDIs.Mood, u.Licences.Mood, u.Pairings.Mood}
	flags := int(u.Presence)
	for i, m := range wishes {
		flags |= int(m) << (moodsAt + 2*i)
	}
	if u.Password != nil {
		flags |= passworded
		if u.Password.Drawn {
			flags |= drawn
		}
	}
	more := rest{u.Was, u.Lists, u.Pools, u.Options}
	few := u.Was != "" || len(u.Lists)+len(u.Pools)+len(u.Options) > 0
	if few {
		flags |= rested
	}
	out.uint(flags)
	out.word(u.Action)
	out.position(u.Position)
	out.uint(len(u.Attributes))
	for i := range u.Attributes {
		out.word(u.Attributes[i].Name)
		out.text(u.Attributes[i].Value)
	}
	writeKeys(&out, u.Subscriber.Keys)
	writeKeys(&out, u.Devices.Keys)
	writeKeys(&out, u.DDIs.Keys)
	out.uint(e.combination(u.Licences.Keys))
	out.uint(len(u.Pairings.Keys))
	for _, p := range u.Pairings.Keys {
		out.text(p.PbxID)
		out.text(string(p.Number))
		out.text(p.InternalNumber)
		out.text(p.PublicNumber)
	}
	if u.Password != nil {
		out.word(u.Password.Field)
		out.place(u.Password.Position, u.Position)
	}
	if few {
		out.uint(len(e.rest))
		e.rest = append(e.rest, more)
	}
	out.uint(len(u.Cells))
	for i := range u.Cells {
		out.word(u.Cells[i].Column)
		out.place(u.Cells[i].Position, u.Position)
	}
	e.buffer = out.b
}

func writeKeys[K ~string](out *writer, keys []K) {
	out.uint(len(keys))
	for _, k := range keys {
		out.text(string(k))
	}
}

// combination gives the number of a list of offers from 1, 0 of an empty one: most users have one of few.
func (e *Entries) combination(offers []Offer) int {
	if len(offers) == 0 {
		return 0
	}
	const few = 64 // beyond, lists are kept one by one and not looked for
	for i, known := range e.combinations[:min(len(e.combinations), few)] {
		if slices.Equal(known, offers) {
			return i + 1
		}
	}
	e.combinations = append(e.combinations, slices.Clone(offers))
	return len(e.combinations)
}

// wordNumber gives the number of a string that repeats, and keeps it as it is: of most the callers keep one copy, so that
// comparing looks at no byte. Entries name the same columns in the same order, so that most are
// found where they are expected.
func (e *Entries) wordNumber(s string) int {
	if e.next >= len(e.words) || e.words[e.next] != s {
		if e.next = slices.Index(e.words, s); e.next < 0 {
			e.next = len(e.words)
			e.words = append(e.words, s)
		}
	}
	e.next++
	return e.next - 1
}

// writer packs.
type writer struct {
	*Entries
	b []byte
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func (w *writer) text(s string) { w.b = appendText(w.b, s) }

func (w *writer) uint(n int) { w.b = binary.AppendUvarint(w.b, uint64(n)) }

func (w *writer) word(s string) { w.uint(w.wordNumber(s)) }

func (w *writer) position(p Position) {
	w.word(p.File)
	w.uint(p.Line)
	w.uint(p.Column)
}

// place packs a position within an entry, whose lines are most often those behind its first.
func (w *writer) place(p, entry Position) {
	if p.File == entry.File && p.Line >= entry.Line {
		w.uint((p.Line - entry.Line) << 1)
	} else {
		w.uint(p.Line<<1 | 1)
		w.word(p.File)
	}
	w.uint(p.Column)
}

// packed is the rest of a packed entry.
type packed struct {
	*Entries
	s string
}

// packed gives an entry as it is kept.
func (e *Entries) packed(i int) packed {
	piece, offset := e.at[i]>>32, e.at[i]&(1<<32-1)
	if int(piece) == len(e.full) {
		return packed{e, e.open.String()[offset:]}
	}
	return packed{e, e.full[piece][offset:]}
}

func (p *packed) uint() int {
	if c := p.s[0]; c < 0x80 {
		p.s = p.s[1:]
		return int(c)
	}
	n, shift := 0, 0
	for i := 0; ; i++ {
		c := p.s[i]
		n |= int(c&0x7f) << shift
		if c < 0x80 {
			p.s = p.s[i+1:]
			return n
		}
		shift += 7
	}
}

// text shares the memory of the piece, which never changes.
func (p *packed) text() string {
	n := p.uint()
	s := p.s[:n]
	p.s = p.s[n:]
	return s
}

func (p *packed) word() string { return p.words[p.uint()] }

func (p *packed) position() Position {
	return Position{File: p.word(), Line: p.uint(), Column: p.uint()}
}

func (p *packed) place(entry Position) Position {
	n := p.uint()
	if n&1 == 0 {
		return Position{File: entry.File, Line: entry.Line + n>>1, Column: p.uint()}
	}
	return Position{File: p.word(), Line: n >> 1, Column: p.uint()}
}

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
