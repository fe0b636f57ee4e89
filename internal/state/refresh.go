package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"sync"

	bolt "go.etcd.io/bbolt"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// How a refresh replaces the recorded state.
//
// While fill reads upstream, its records go into a spool and the state file is left alone. Then the sorted records are
// compared, by content hash, with the stored ones. When little differs, which is the rule, one transaction makes the
// differences. When much differs, everything is written as a new generation, in batches, and the last transaction makes
// that the current one. Either way a reader or a crash sees the old state or the new, nothing between.
//
// Rejected: always making the differences in one transaction; bbolt keeps what a transaction changes in memory, and a
// first refresh changes everything. And always writing a new generation; it costs a gigabyte of writing to learn that
// one of a million users got a telephone.
//
// A run may go on meanwhile. What it has recorded through End since the refresh began is newer than what the refresh
// read, or equal, so that the refresh keeps its hands off those records.
const (
	// inPlace is the highest number of differing records that one transaction takes. Each may cost two pages in memory.
	inPlace = 10_000
	// batchRows and batchBytes bound one transaction of a new generation.
	batchRows  = 10_000
	batchBytes = 8 << 20
	// dense is how full the pages of a new generation are: written in key order, seldom changed later.
	dense = 0.9
)

// refreshes knows the refreshes under way, to tell them of the records that runs change meanwhile.
type refreshes struct {
	mu     sync.Mutex // guards all of it, the sets included
	active map[*refresh]struct{}
}

// refresh is one refresh under way.
type refresh struct {
	touched map[string]map[bulksync.Key]struct{} // by company
}

func (rs *refreshes) begin() *refresh {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.active == nil {
		rs.active = map[*refresh]struct{}{}
	}
	r := &refresh{touched: map[string]map[bulksync.Key]struct{}{}}
	rs.active[r] = struct{}{}
	return r
}

func (rs *refreshes) end(r *refresh) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	delete(rs.active, r)
}

// touch tells every refresh under way that a run changes records. It is called inside the transaction that changes them,
// so that a refresh, whose last transaction comes before or after that one, never misses any.
func (rs *refreshes) touch(company string, changes []change) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for r := range rs.active {
		if r.touched[company] == nil {
			r.touched[company] = map[bulksync.Key]struct{}{}
		}
		for _, c := range changes {
			r.touched[company][c.key] = struct{}{}
		}
	}
}

// without gives the changes of records that no run has touched.
func (rs *refreshes) without(r *refresh, company string, changes []change) []change {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	kept := make([]change, 0, len(changes))
	for _, c := range changes {
		if _, touched := r.touched[company][c.key]; !touched {
			kept = append(kept, c)
		}
	}
	return kept
}

// keys gives the records of a company that runs have touched.
func (rs *refreshes) keys(r *refresh, company string) []bulksync.Key {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	keys := make([]bulksync.Key, 0, len(r.touched[company]))
	for k := range r.touched[company] {
		keys = append(keys, k)
	}
	return keys
}

// Record replaces the recorded state of a company by what fill hands to put. fill may take its time and call put from
// several goroutines; of records with equal keys the last one put stays.
func (s *Store) Record(ctx context.Context, fill func(put func(bulksync.Record) error) (bulksync.Company, error)) (err error) {
	if s.db.IsReadOnly() {
		return fmt.Errorf("state file %q: %w", s.path, ErrReadOnly)
	}
	r := s.refreshes.begin()
	defer s.refreshes.end(r)
	if err := s.complete(ctx); err != nil { // what is noted from now on, touch tells of
		return err
	}
	sp := newSpool(filepath.Dir(s.path))
	defer func() { err = errors.Join(err, sp.close()) }()

	company, err := fill(func(rec bulksync.Record) error { return addRecord(ctx, sp, rec) })
	if err != nil {
		return err
	}
	if err := errors.Join(ctx.Err(), checkNames("company", company.ID)); err != nil {
		return err
	}
	s.refreshing.Lock()
	defer s.refreshing.Unlock()
	return s.wrap(s.replace(ctx, r, company, sp))
}

// addRecord puts a record's stored form into the spool, under its kind's code and its id.
func addRecord(ctx context.Context, sp *spool, rec bulksync.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	key := rec.Key()
	if err := errors.Join(checkKey(key), checkHolder(key, rec.HeldBy())); err != nil {
		return err
	}
	stored, err := appendRecord(nil, rec)
	if err != nil {
		return err
	}
	return sp.add(append([]byte{kindCodes[key.Kind]}, key.ID...), stored)
}

// replace makes the spool's records the recorded state, by one of the two ways.
func (s *Store) replace(ctx context.Context, r *refresh, company bulksync.Company, sp *spool) error {
	var changes []change
	var few bool
	err := s.view(ctx, func(tx *bolt.Tx) error {
		gen, ok := getGeneration(tx, company.ID)
		var err error
		changes, few, err = difference(ctx, sp.sorted(), gen, ok)
		return err
	})
	switch {
	case err != nil:
		return err
	case few:
		return s.update(ctx, func(tx *bolt.Tx) error {
			if err := s.workIn(tx, company.ID); err != nil {
				return err
			}
			return s.amend(tx, company, s.refreshes.without(r, company.ID, changes))
		})
	}
	return s.rewrite(ctx, r, company, sp)
}

// difference compares the spool with a generation, if there is one, and gives what to change in it, or few == false when
// that is too much for one transaction.
func difference(ctx context.Context, fresh iter.Seq2[row, error], gen generation, exists bool) (changes []change, few bool, err error) {
	old := storedRows{gen: gen}
	if exists {
		old.kinds = bulksync.Kinds()
	}
	old.next()
	for r, err := range fresh {
		if err := errors.Join(err, ctx.Err()); err != nil {
			return nil, false, err
		}
		for old.ok && bytes.Compare(old.key, r.key) < 0 {
			changes = append(changes, change{key: recordKey(old.key)})
			old.next()
		}
		same := old.ok && bytes.Equal(old.key, r.key)
		if !same || !sameContent(old.value, r.value) {
			changes = append(changes, change{recordKey(r.key), bytes.Clone(r.value)})
		}
		if same {
			old.next()
		}
		if len(changes) > inPlace {
			return nil, false, nil
		}
	}
	for ; old.ok; old.next() {
		changes = append(changes, change{key: recordKey(old.key)})
		if len(changes) > inPlace {
			return nil, false, nil
		}
	}
	return changes, true, nil
}

// recordKey reads a key of the spool.
func recordKey(key []byte) bulksync.Key {
	return bulksync.Key{Kind: kindOf(key[0]), ID: string(key[1:])}
}

// storedRows walks the records of a generation with keys as in the spool.
type storedRows struct {
	gen    generation
	kinds  []bulksync.Kind // still to come
	code   byte
	cursor *bolt.Cursor

	ok         bool // key and value are a record's; they are valid until next
	key, value []byte
}

func (w *storedRows) next() {
	var id []byte
	if w.cursor != nil {
		id, w.value = w.cursor.Next()
	}
	for id == nil && len(w.kinds) > 0 {
		id = w.firstOfKind()
	}
	if w.ok = id != nil; w.ok {
		w.key = append(append(w.key[:0], w.code), id...)
	}
}

// firstOfKind steps to the first record of the next kind; nil when there is none of that kind.
func (w *storedRows) firstOfKind() (id []byte) {
	kind := w.kinds[0]
	w.kinds = w.kinds[1:]
	w.code, w.cursor = kindCodes[kind], nil
	records := w.gen.getRecords(kind)
	if records == nil {
		return nil
	}
	w.cursor = records.Cursor()
	id, w.value = w.cursor.First()
	return id
}

// amend changes the current generation of a company, or makes its first one.
func (s *Store) amend(tx *bolt.Tx, company bulksync.Company, changes []change) error {
	gen, ok := getGeneration(tx, company.ID)
	if !ok {
		var err error
		if gen, err = createGeneration(tx, company.ID); err != nil {
			return err
		}
		if err := getCompany(tx, company.ID).Put(keyGeneration, []byte(gen.name)); err != nil {
			return err
		}
	}
	if err := s.change(gen, company.ID, gen.recall(changes)); err != nil {
		return err
	}
	return gen.putCompany(company)
}
