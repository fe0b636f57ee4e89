package sandbox

import (
	"cmp"
	"slices"
)

// table keeps the documents of one kind by id. Documents are immutable once
// put: a change is a changed copy that is put again, so that sorted orders and
// lookups (changed) never look at a half-written key.
type table[T any] struct {
	kind    string
	id      func(*T) string
	rows    map[string]*T
	orders  []*order[T]
	prepare func(*T)             // fills what the orders compare, before a document is put
	changed func(prior, next *T) // keeps the lookups of the kind; either may be nil
	dirty   *changes
}

// get answers the document, or nil when there is none.
func (t *table[T]) get(id string) *T { return t.rows[id] }

// put stores a document, replacing the one of the same id.
func (t *table[T]) put(next *T) {
	id := t.id(next)
	if t.prepare != nil {
		t.prepare(next)
	}
	prior := t.rows[id]
	t.rows[id] = next
	for _, o := range t.orders {
		o.replace(prior, next)
	}
	if t.changed != nil {
		t.changed(prior, next)
	}
	t.dirty.note(t.kind, id, next)
}

// remove deletes a document; an unknown id is no change.
func (t *table[T]) remove(id string) {
	prior := t.rows[id]
	if prior == nil {
		return
	}
	delete(t.rows, id)
	for _, o := range t.orders {
		o.replace(prior, nil)
	}
	if t.changed != nil {
		t.changed(prior, nil)
	}
	t.dirty.note(t.kind, id, nil)
}

// load puts many documents at once and sorts each order a single time.
func (t *table[T]) load(documents []*T) {
	for _, d := range documents {
		id := t.id(d)
		t.rows[id] = d
		if t.prepare != nil {
			t.prepare(d)
		}
		if t.changed != nil {
			t.changed(nil, d)
		}
		t.dirty.note(t.kind, id, d)
	}
	for _, o := range t.orders {
		o.load(documents)
	}
}

// all lists the documents ordered by id.
func (t *table[T]) all() []*T {
	list := make([]*T, 0, len(t.rows))
	for _, d := range t.rows {
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b *T) int { return cmp.Compare(t.id(a), t.id(b)) })
	return list
}

// order keeps documents sorted, so that a page costs the same at every offset.
// Inserting moves pointers inside one slice: at 100,000 documents that is
// tens of microseconds, which a tree would not beat by much.
type order[T any] struct {
	compare func(a, b *T) int // total: ends with the id
	member  func(*T) bool     // nil: every document
	items   []*T
}

func (o *order[T]) has(d *T) bool {
	return d != nil && (o.member == nil || o.member(d))
}

func (o *order[T]) replace(prior, next *T) {
	if o.has(prior) {
		if i, found := slices.BinarySearchFunc(o.items, prior, o.compare); found {
			if o.has(next) && o.compare(prior, next) == 0 {
				o.items[i] = next
				return
			}
			o.items = slices.Delete(o.items, i, i+1)
		}
	}
	if o.has(next) {
		i, _ := slices.BinarySearchFunc(o.items, next, o.compare)
		o.items = slices.Insert(o.items, i, next)
	}
}

func (o *order[T]) load(documents []*T) {
	for _, d := range documents {
		if o.has(d) {
			o.items = append(o.items, d)
		}
	}
	slices.SortFunc(o.items, o.compare)
}
