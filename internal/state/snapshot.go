package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	bolt "go.etcd.io/bbolt"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// snapshot is a company's recorded state as it was when the snapshot was opened.
//
// bbolt's transactions are not made for several goroutines, so one lock guards the reading of bytes; decoding happens
// outside it. Walks copy a piece of the file at a time and hold nothing while the caller looks at a record.
type snapshot struct {
	company bulksync.Company

	mu    sync.Mutex // guards the rest
	tx    *bolt.Tx   // nil when closed
	gen   generation
	fault error // the first record that could not be read
}

// piece is how many records a walk copies at a time.
const piece = 256

// Observed opens a view of a company's recorded state. Close gives an error when a record in the view could not be read,
// which then looked absent: a plan made from such a view is void. A view that is used after Close panics, because an
// empty answer would be taken for an empty company.
func (s *Store) Observed(ctx context.Context, company string) (bulksync.Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	tx, err := s.db.Begin(false)
	if err != nil {
		return nil, s.wrap(err)
	}
	gen, ok := getGeneration(tx, company)
	if !ok {
		return nil, errors.Join(fmt.Errorf("company %q: recorded state: %w", company, bulksync.ErrNotFound), tx.Rollback())
	}
	c, err := gen.getCompany()
	if err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	return &snapshot{company: c, tx: tx, gen: gen}, nil
}

// Company is the company as recorded.
func (v *snapshot) Company() bulksync.Company { return v.company }

// read runs fn, which copies what it needs of the file.
func (v *snapshot) read(fn func(generation)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.tx == nil {
		panic("state: snapshot used after Close")
	}
	fn(v.gen)
}

// Record gives the record with that key, or nil.
func (v *snapshot) Record(k bulksync.Key) bulksync.Record {
	var stored []byte
	v.read(func(g generation) { stored = bytes.Clone(g.getStored(k)) })
	if stored == nil {
		return nil
	}
	return v.decode(k.Kind, []byte(k.ID), stored)
}

// decode gives nil, and remembers why, for bytes that are no record.
func (v *snapshot) decode(kind bulksync.Kind, id, stored []byte) bulksync.Record {
	r, err := decodeRecord(kind, stored)
	if err != nil {
		v.remember(fmt.Errorf("stored record %s/%s: %w", kind, id, err))
		return nil
	}
	return r
}

func (v *snapshot) remember(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.fault == nil {
		v.fault = err
	}
}

// Held lists what a user holds, in key order.
func (v *snapshot) Held(login bulksync.Login) []bulksync.Key {
	var keys []bulksync.Key
	var err error
	v.read(func(g generation) { keys, err = g.heldBy(login) })
	if err != nil {
		v.remember(err)
	}
	return keys
}

// heldBy walks the index.
func (g generation) heldBy(login bulksync.Login) ([]bulksync.Key, error) {
	held := g.getHeld()
	if held == nil {
		return nil, nil
	}
	var keys []bulksync.Key
	prefix := heldPrefix([]byte(login))
	cursor := held.Cursor()
	for k, _ := cursor.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = cursor.Next() {
		key, err := parseHeld(k[len(prefix):])
		if err != nil {
			return keys, fmt.Errorf("index of holders: %q: %w", login, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// Records walks the records of one kind in key order.
func (v *snapshot) Records(kind bulksync.Kind) iter.Seq[bulksync.Record] {
	return func(yield func(bulksync.Record) bool) {
		var copied rows
		var last []byte
		for {
			v.read(func(g generation) { copied.fill(g.getRecords(kind), last) })
			for i := range copied.n {
				id, stored := copied.at(i)
				r := v.decode(kind, id, stored)
				if r != nil && !yield(r) {
					return
				}
			}
			if copied.n < piece {
				return
			}
			id, _ := copied.at(copied.n - 1)
			last = append(last[:0], id...)
		}
	}
}

// Close ends the view, and tells when a record in it could not be read. Closing twice does nothing more.
func (v *snapshot) Close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.tx == nil {
		return nil
	}
	err := v.tx.Rollback()
	v.tx, v.gen = nil, generation{}
	return errors.Join(v.fault, err)
}

// rows is a copy of some successive rows of a bucket, in one buffer that is used again.
type rows struct {
	n    int
	buf  []byte
	ends [2 * piece]int // end of key 0, of value 0, of key 1, ...
}

// fill copies the rows that follow the key after, or the first ones when after is nil.
func (r *rows) fill(b *bolt.Bucket, after []byte) {
	r.n, r.buf = 0, r.buf[:0]
	if b == nil {
		return
	}
	cursor := b.Cursor()
	k, value := cursor.First()
	if after != nil {
		if k, value = cursor.Seek(after); bytes.Equal(k, after) {
			k, value = cursor.Next()
		}
	}
	for ; k != nil && r.n < piece; k, value = cursor.Next() {
		r.buf = append(r.buf, k...)
		r.ends[2*r.n] = len(r.buf)
		r.buf = append(r.buf, value...)
		r.ends[2*r.n+1] = len(r.buf)
		r.n++
	}
}

// at gives row i; the bytes are valid until the next fill.
func (r *rows) at(i int) (key, value []byte) {
	start := 0
	if i > 0 {
		start = r.ends[2*i-1]
	}
	return r.buf[start:r.ends[2*i]], r.buf[r.ends[2*i]:r.ends[2*i+1]]
}
