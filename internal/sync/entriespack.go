package sync

import (
	"encoding/binary"
	"slices"
)

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
