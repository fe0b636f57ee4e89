package drift

import (
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// book is what was found in the answers of one operation.
type book struct {
	binding  *upstream.Binding
	root     *place
	places   int
	findings int
	other    uint64 // findings for which there was no room
}

func newBook(b *upstream.Binding, root *shape) *book {
	return &book{binding: b, root: newPlace("", root), places: 1}
}

// place is a documented object within the documents of an operation, all elements of a list being one.
type place struct {
	path     string // "data[]"; "" is the document
	shape    *shape
	objects  uint64   // that came
	present  []uint64 // by member: the objects that had it
	children []*place // by member
	findings map[findingKey]*finding
}

func newPlace(path string, s *shape) *place {
	return &place{
		path: path, shape: s, present: make([]uint64, len(s.members)), children: make([]*place, len(s.members)),
		findings: map[findingKey]*finding{},
	}
}

// child is the place of the objects of member i; nil when there is no room for another.
func (k *book) child(p *place, i int) *place {
	if p.children[i] == nil {
		if k.places >= maxPlaces {
			return nil
		}
		m := &p.shape.members[i]
		path := join(p.path, m.name)
		if m.list {
			path += "[]"
		}
		k.places++
		p.children[i] = newPlace(path, m.object)
	}
	return p.children[i]
}

// Class says how a document leaves what is documented.
type Class string

// The classes of findings.
const (
	// Unknown is a member that is not documented.
	Unknown Class = "unknown"
	// Kind is a value of another kind than documented.
	Kind Class = "kind"
	// Malformed is a document that is not JSON.
	Malformed Class = "malformed"
	// Media is a document that does not call itself JSON.
	Media Class = "media"
)

// findingKey tells the findings of a place apart.
type findingKey struct {
	name     string // of the member, or "name[]" for its elements
	class    Class
	expected kind // nothing for unknown members
	got      kind // nothing for unknown members, which have the kind that came last in their finding
}

type finding struct {
	count       uint64 // objects, or documents
	got         kind
	first, last time.Time
}

// note counts a finding in p.
func (w *walk) note(p *place, key findingKey, got kind) {
	f := p.findings[key]
	if f == nil {
		if w.radar.findings >= maxFindings || w.book.findings >= maxOperationFind {
			w.book.other++
			return
		}
		w.radar.findings++
		w.book.findings++
		f = &finding{first: w.now}
		p.findings[key] = f
	}
	f.count++
	f.got, f.last = got, w.now
}
