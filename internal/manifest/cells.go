package manifest

import (
	"strings"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// places are where the cells of one row stand that a later fault may speak of: the engine's Cells in a few bytes, of
// which a manifest of a million users needs many. A cell of a row that is read never begins on another line than its
// row, since a line break in a cell is a fault; so the columns are enough.
type places struct {
	sheet *sheet
	line  uint32
	from  uint32 // in the sheet's noted
}

var _ bulksync.Cells = (*places)(nil)

// At finds a column by the header's name, an attribute by the engine's, and the first of the services by their family's.
func (p *places) At(name string) (bulksync.Position, bool) {
	noted := p.sheet.noted[p.from:]
	for k := 1; k < 1+2*int(noted[0]); k += 2 {
		c := &p.sheet.columns[noted[k]]
		if c.role() == roleAttribute && c.attribute == name || c.role() != roleAttribute && c.name == name || c.role() == roleService && c.def.name == name {
			return bulksync.Position{File: p.sheet.t.name, Line: int(p.line), Column: int(noted[k+1])}, true
		}
	}
	return bulksync.Position{}, false
}

// role is that of the column's definition.
func (c *column) role() role {
	if c.def == nil {
		return roleCount
	}
	return c.def.role
}

// keep remembers the place of a cell of the row at hand.
func (w *row) keep(i int) {
	if w.places == nil {
		if len(w.s.places) == cap(w.s.places) { // in pieces, since pointers to them are given away
			w.s.places = make([]places, 0, 1024)
		}
		w.s.places = append(w.s.places, places{w.s, uint32(w.user.Position.Line), uint32(len(w.s.noted))})
		w.places = &w.s.places[len(w.s.places)-1]
		w.user.Cells = w.places
		w.s.noted = append(w.s.noted, 0)
	}
	w.s.noted[w.places.from]++
	w.s.noted = append(w.s.noted, uint16(i), uint16(min(w.s.t.position(w.s.t.cells[i].start).Column, 1<<16-1)))
}

// kept makes small strings that live as long as the manifest. They are cut from larger pieces: a string of its own costs
// twice the memory, and one that is part of its row keeps the whole row.
type kept struct {
	piece strings.Builder
}

func (k *kept) keep(s string) string {
	if s == "" {
		return ""
	}
	from := k.room(len(s))
	k.piece.WriteString(s)
	return k.piece.String()[from:]
}

// room makes room for so many bytes and gives where they will begin.
func (k *kept) room(n int) int {
	if k.piece.Cap()-k.piece.Len() < n {
		k.piece = strings.Builder{}
		k.piece.Grow(max(64<<10, n))
	}
	return k.piece.Len()
}

// recent remembers, for one column, the values met lately and what their check gave: most columns have few different
// values, which are then checked and kept once. It is a table without lists: a new value takes the place of an old one.
type recent struct {
	slots [64]struct{ raw, normal string }
}

func (r *recent) slot(s string) *struct{ raw, normal string } {
	h := uint32(len(s))
	for i := 0; i < len(s); i++ {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return &r.slots[(h^h>>16)&63]
}
