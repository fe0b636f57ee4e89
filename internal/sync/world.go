package sync

import (
	"iter"
	"slices"
)

// World is an Observed in memory. It is what an Observed becomes once changes are laid over it: [Overlay] makes one over
// a snapshot, and a run keeps its own view of upstream that way. A World is not safe for concurrent use while it changes.
type World struct {
	base    Observed
	company Company
	// changed holds what differs from base, by kind; a nil record is one that is gone.
	changed map[Kind]map[Key]Record
	// held lists, for every login that changes touched, all that he holds.
	held map[Login][]Key
}

// NewWorld makes a world of records.
func NewWorld(company Company, records ...Record) *World {
	w := Overlay(nothing{company})
	for _, r := range records {
		w.put(r)
	}
	return w
}

// Overlay makes a world that starts as base and leaves base as it is.
func Overlay(base Observed) *World {
	return &World{base: base, company: base.Company(), changed: map[Kind]map[Key]Record{}, held: map[Login][]Key{}}
}

// Company implements Observed.
func (w *World) Company() Company { return w.company }

// Record implements Observed.
func (w *World) Record(k Key) Record {
	if r, ok := w.changed[k.Kind][k]; ok {
		return r
	}
	return w.base.Record(k)
}

// Held implements Observed.
func (w *World) Held(l Login) []Key {
	if keys, ok := w.held[l]; ok {
		return keys
	}
	return w.base.Held(l)
}

// Glimpse implements Glimpser: whom no change touches is shown by the base.
func (w *World) Glimpse(l Login, look func(*Glimpse)) bool {
	_, changed := w.changed[KindUser][l.Key()]
	_, holds := w.held[l]
	if base, ok := w.base.(Glimpser); ok && !changed && !holds {
		return base.Glimpse(l, look)
	}
	u := find[User](w, l.Key())
	if u == nil {
		return false
	}
	look(NewGlimpse(u, w.Held(l)))
	return true
}

// Records implements Observed.
func (w *World) Records(kind Kind) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		var own []Key
		changed := w.changed[kind]
		for k, r := range changed {
			if r != nil {
				own = append(own, k)
			}
		}
		slices.SortFunc(own, Key.Compare)
		for r := range w.base.Records(kind) {
			k := r.Key()
			for len(own) > 0 && own[0].Compare(k) < 0 {
				if !yield(changed[own[0]]) {
					return
				}
				own = own[1:]
			}
			if _, ok := changed[k]; ok {
				continue
			}
			if !yield(r) {
				return
			}
		}
		for _, k := range own {
			if !yield(changed[k]) {
				return
			}
		}
	}
}

// Count tells how many records of a kind there are, without reading those that nobody changed.
func (w *World) Count(kind Kind) int {
	n := countOf(w.base, kind)
	for k, r := range w.changed[kind] {
		is, was := r != nil, w.base.Record(k) != nil
		switch {
		case is && !was:
			n++
		case was && !is:
			n--
		}
	}
	return n
}

// Apply lays changes over the world.
func (w *World) Apply(changes []RecordChange) {
	for _, c := range changes {
		if c.Record != nil {
			w.put(c.Record)
		} else {
			w.remove(c.Key)
		}
	}
}

func (w *World) put(r Record) {
	k := r.Key()
	w.remove(k)
	w.changed[k.Kind][k] = r
	if l := r.HeldBy(); l != "" {
		keys := slices.Clone(w.Held(l))
		at, _ := slices.BinarySearchFunc(keys, k, Key.Compare)
		w.held[l] = slices.Insert(keys, at, k)
	}
}

func (w *World) remove(k Key) {
	if old := w.Record(k); old != nil && old.HeldBy() != "" {
		l := old.HeldBy()
		w.held[l] = slices.DeleteFunc(slices.Clone(w.Held(l)), func(h Key) bool { return h == k })
	}
	if w.changed[k.Kind] == nil {
		w.changed[k.Kind] = map[Key]Record{}
	}
	w.changed[k.Kind][k] = nil
}

// nothing is the empty Observed of a company.
type nothing struct{ company Company }

func (n nothing) Company() Company            { return n.company }
func (nothing) Record(Key) Record             { return nil }
func (nothing) Held(Login) []Key              { return nil }
func (nothing) Records(Kind) iter.Seq[Record] { return func(func(Record) bool) {} }

// find gives the record with that key as its concrete type, or nil.
func find[R any, P interface {
	*R
	Record
}](o Observed, k Key) *R {
	if r, ok := o.Record(k).(P); ok && r != nil {
		return (*R)(r)
	}
	return nil
}
