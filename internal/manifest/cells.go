package manifest

import (
	"strings"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// keep remembers the place of a cell of the row at hand, of which a later fault may speak: a column under the header's name,
// an attribute under the engine's, and the first of the services under their family's too.
func (w *row) keep(i int) {
	c, u := &w.s.columns[i], w.user
	at := w.s.t.position(w.s.t.cells[i].start)
	name := c.name
	if c.def.role == roleAttribute {
		name = c.attribute
	}
	u.Cells = append(u.Cells, bulksync.Cell{Column: name, Position: at})
	if c.def.role == roleService && c.name != c.def.name && len(w.offers) == 1 {
		u.Cells = append(u.Cells, bulksync.Cell{Column: c.def.name, Position: at})
	}
}

// role is that of the column's definition.
func (c *column) role() role {
	if c.def == nil {
		return roleCount
	}
	return c.def.role
}

// kept makes small strings that live as long as the manifest. They are cut from larger pieces: a string of its own costs
// twice the memory, and one that is part of its row keeps the whole row.
type kept struct {
	piece strings.Builder
}

func (k *kept) keep(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	from := k.room(len(b))
	k.piece.Write(b)
	return k.piece.String()[from:]
}

func (k *kept) keepText(s string) string { return k.keepTexts(s, "") }

// keepTexts keeps two strings as one.
func (k *kept) keepTexts(s, more string) string {
	n := len(s) + len(more)
	if n == 0 {
		return ""
	}
	from := k.room(n)
	k.piece.WriteString(s)
	k.piece.WriteString(more)
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
//
// A column of which nearly every value is another, such as lastName, is given up.
type recent struct {
	slots       [64]struct{ raw, normal string }
	asked, hits int
}

// useful tells whether values come again often enough to look for them.
func (r *recent) useful() bool { return r.asked < 1024 || 4*r.hits > r.asked }

func (r *recent) slot(s string) *struct{ raw, normal string } {
	r.asked++
	h := uint32(len(s))
	for i := 0; i < len(s); i++ {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return &r.slots[(h^h>>16)&63]
}
