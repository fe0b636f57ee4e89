package state

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"

	bolt "go.etcd.io/bbolt"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// snapshot is a company's recorded state as it was when the snapshot was opened. A run keeps one open while it changes
// the state, perhaps for hours.
//
// It is no bbolt transaction. As long as one is open for reading, bbolt does not use a page again that was freed since,
// and writes the growing list of such pages with each commit: 1,500 calls of a run, begun and ended under an open
// transaction, made a file of 40 MiB grow to 8 GiB. A snapshot rather reads the live generation, in short transactions,
// and keeps what was there before for the records that changed since; writers hand it that before they change anything
// (views.go). A generation that is no longer current stays until its last snapshot closes.
//
// So every read goes: begin a transaction, then look among what was kept. A change that is not yet kept by then is
// committed later than the transaction began, which does not see it.
type snapshot struct {
	store   *Store
	company bulksync.Company
	pin     pin
	// revision is that of the generation when the snapshot was opened.
	revision uint64

	mu  sync.Mutex // guards the rest
	tx  *bolt.Tx   // kept between reads; nil when a writer came, or nothing was read yet
	gen generation // in tx
	// records are cursors over gen's records, holders one over its index, as far as they were asked for.
	records map[bulksync.Kind]*bolt.Cursor
	holders *bolt.Cursor
	// glimpses are cursors too, of users who are asked for one after another.
	glimpses glimpses
	closed   bool
	fault    error // the first thing that could not be read
	// before holds the stored form of records that changed since, by id; nil for those that did not exist.
	before map[bulksync.Kind]map[string][]byte
	// held holds what users held whose holdings changed since.
	held map[bulksync.Login][]bulksync.Key
}

// Observed opens a view of a company's recorded state. Close gives an error when something in the view could not be read,
// which then looked absent: a plan made from such a view is void. A view that is used after Close panics, because an
// empty answer would be taken for an empty company.
func (s *Store) Observed(ctx context.Context, company string) (bulksync.Snapshot, error) {
	v := &snapshot{
		store:  s,
		before: map[bulksync.Kind]map[string][]byte{}, held: map[bulksync.Login][]bulksync.Key{},
	}
	if err := s.complete(ctx); err != nil {
		return nil, err
	}
	err := s.commits.between(func() error {
		return s.view(ctx, func(tx *bolt.Tx) error { return v.open(tx, company) })
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// open pins the current generation. No writer is at work meanwhile.
func (v *snapshot) open(tx *bolt.Tx, company string) error {
	gen, ok := getGeneration(tx, company)
	if !ok {
		return fmt.Errorf("company %q: recorded state: %w", company, bulksync.ErrNotFound)
	}
	var err error
	if v.company, err = gen.getCompany(); err != nil {
		return err
	}
	v.pin, v.revision = pin{company, gen.name}, gen.b.Sequence()
	v.store.views.add(v)
	return nil
}

// Revision tells of two snapshots of a company whether the same is recorded in both.
func (v *snapshot) Revision() string { return fmt.Sprintf("%x-%d", v.pin.generation, v.revision) }

// Company is the company as recorded.
func (v *snapshot) Company() bulksync.Company { return v.company }

// read runs fn, which copies what it needs of the file, with the snapshot's lock held.
func (v *snapshot) read(fn func(generation) error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		panic("state: snapshot used after Close")
	}
	keep, err := v.begin()
	if err == nil {
		err = fn(v.gen)
	}
	if err != nil {
		v.note(err)
	}
	if !keep {
		v.end()
	}
}

// begin sees to it that there is a transaction, and tells whether to keep it after the read.
func (v *snapshot) begin() (keep bool, err error) {
	if v.tx != nil {
		return true, nil
	}
	if v.tx, keep, err = v.store.views.begin(v.store.db); err != nil {
		return false, v.store.wrap(err)
	}
	v.gen, err = generationNamed(v.tx, v.pin.company, v.pin.generation)
	return keep && err == nil, err
}

// end ends the transaction, if there is one. The bytes that reads gave out are copies.
func (v *snapshot) end() {
	if v.tx != nil {
		_ = v.tx.Rollback() // it fails only when it has ended already
		v.tx, v.gen, v.records, v.holders, v.glimpses = nil, generation{}, nil, nil, glimpses{}
	}
}

// yield ends the transaction for somebody else.
func (v *snapshot) yield() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.end()
}

// remember keeps the first thing that could not be read.
func (v *snapshot) remember(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.note(err)
}

// note is remember with the lock held.
func (v *snapshot) note(err error) {
	if v.fault == nil {
		v.fault = fmt.Errorf("recorded state of company %q: %w", v.pin.company, err)
	}
}

// Record gives the record with that key, or nil. It is decoded where it stands in the file: a plan asks for every user of a
// company, and a copy of each would be for nothing.
func (v *snapshot) Record(k bulksync.Key) (r bulksync.Record) {
	v.read(func(g generation) error {
		stored, kept := v.before[k.Kind][k.ID]
		if !kept {
			stored = v.stored(g, k)
		}
		if stored == nil {
			return nil
		}
		var err error
		if r, err = decodeRecord(k.Kind, stored); err != nil {
			r, err = nil, fmt.Errorf("record %s: %w", k, err)
		}
		return err
	})
	return r
}

// stored gives the stored form of a record, or nil; the bytes are the file's. It keeps the cursor: to find the bucket takes
// longer than to find a record in it.
func (v *snapshot) stored(g generation, k bulksync.Key) []byte {
	cursor, known := v.records[k.Kind]
	if !known {
		if v.records == nil {
			v.records = map[bulksync.Kind]*bolt.Cursor{}
		}
		if b := g.getRecords(k.Kind); b != nil {
			cursor = b.Cursor()
		}
		v.records[k.Kind] = cursor
	}
	if cursor == nil {
		return nil
	}
	id, stored := cursor.Seek([]byte(k.ID))
	if string(id) != k.ID {
		return nil
	}
	return stored
}

// decode gives nil, and remembers why, for bytes that are no record.
func (v *snapshot) decode(kind bulksync.Kind, id, stored []byte) bulksync.Record {
	r, err := decodeRecord(kind, stored)
	if err != nil {
		v.remember(fmt.Errorf("record %s/%s: %w", kind, id, err))
		return nil
	}
	return r
}

// Held lists what a user holds, in key order.
func (v *snapshot) Held(login bulksync.Login) []bulksync.Key {
	var keys []bulksync.Key
	v.read(func(g generation) error {
		kept, ok := v.held[login]
		if ok {
			keys = slices.Clone(kept)
			return nil
		}
		if v.holders == nil {
			b := g.getHeld()
			if b == nil {
				return nil
			}
			v.holders = b.Cursor()
		}
		var err error
		keys, err = heldUnder(v.holders, []byte(login))
		return err
	})
	return keys
}

// Records walks the records of one kind in key order. It copies a piece of the file at a time and holds nothing while the
// caller looks at a record.
func (v *snapshot) Records(kind bulksync.Kind) iter.Seq[bulksync.Record] {
	return v.RecordsAfter(kind, "")
}

// RecordsAfter walks the records of a kind whose ids come after one, without reading those before.
func (v *snapshot) RecordsAfter(kind bulksync.Kind, id string) iter.Seq[bulksync.Record] {
	return func(yield func(bulksync.Record) bool) {
		p := piece{last: id}
		var entries []entry
		for more := true; more; {
			more = false
			entries = entries[:0]
			v.read(func(g generation) error {
				after := p.last
				more = p.fill(g.getRecords(kind))
				entries = v.merge(entries, &p, kind, after)
				return nil
			})
			for _, e := range entries {
				if r := v.decode(kind, e.id, e.stored); r != nil && !yield(r) {
					return
				}
			}
		}
	}
}

// entry is a stored record with its id.
type entry struct{ id, stored []byte }

// Count counts the records of a kind without decoding them.
func (v *snapshot) Count(kind bulksync.Kind) int {
	n := 0
	v.read(func(g generation) error {
		n = 0
		records := g.getRecords(kind)
		if records != nil {
			cursor := records.Cursor()
			for id, _ := cursor.First(); id != nil; id, _ = cursor.Next() {
				n++
			}
		}
		for id, stored := range v.before[kind] { // as it was when the snapshot was taken
			is := records != nil && records.Get([]byte(id)) != nil
			switch {
			case is && stored == nil:
				n--
			case !is && stored != nil:
				n++
			}
		}
		return nil
	})
	return n
}

// merge appends the entries of a piece, whose first id comes after the given one, as they were when the snapshot was
// opened. It is called with the lock held.
func (v *snapshot) merge(entries []entry, p *piece, kind bulksync.Kind, after string) []entry {
	kept := v.before[kind]
	for i := range p.len() {
		id, stored := p.at(i)
		if _, changed := kept[string(id)]; !changed {
			entries = append(entries, entry{id, stored})
		}
	}
	unchanged := len(entries)
	for id, stored := range kept {
		if stored != nil && id > after && (!p.full() || id <= p.last) {
			entries = append(entries, entry{[]byte(id), stored})
		}
	}
	if len(entries) > unchanged {
		slices.SortFunc(entries, func(a, b entry) int { return bytes.Compare(a.id, b.id) })
	}
	return entries
}

// Close ends the view, and tells when something in it could not be read. Closing twice does nothing more.
func (v *snapshot) Close() error {
	v.mu.Lock()
	closed, fault := v.closed, v.fault
	v.closed = true
	v.end()
	v.mu.Unlock()
	if !closed {
		v.store.release(v)
	}
	return fault
}
