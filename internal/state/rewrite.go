package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	bolt "go.etcd.io/bbolt"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// rewrite writes the spool's records as a new generation and makes that the current one.
func (s *Store) rewrite(ctx context.Context, r *refresh, company bulksync.Company, sp *spool) error {
	name, err := s.writeGeneration(ctx, company.ID, sp)
	if err != nil {
		s.discard(pin{company.ID, name})
		return err
	}
	old, err := s.switchGeneration(ctx, r, company, name)
	if err != nil {
		old = name
	}
	s.discard(pin{company.ID, old})
	return err
}

// discard removes a generation that is not, or no longer, the current one; if snapshots are open on it, when the last of
// them closes. Should that fail, the generation goes when the file is next opened; nothing else depends on it.
func (s *Store) discard(p pin) {
	if p.generation == "" || s.views.doom(p) {
		return
	}
	_ = s.update(context.Background(), func(tx *bolt.Tx) error { return dropGeneration(tx, p.company, p.generation) })
}

// release ends a snapshot's hold on its generation.
func (s *Store) release(v *snapshot) {
	if s.views.remove(v) {
		s.discard(v.pin)
	}
}

// writeGeneration writes a new generation, batch by batch. With an error it may give the name of an unfinished one.
func (s *Store) writeGeneration(ctx context.Context, company string, sp *spool) (name string, err error) {
	err = s.update(ctx, func(tx *bolt.Tx) error {
		gen, err := createGeneration(tx, company)
		name = gen.name
		return err
	})
	if err != nil {
		return "", err
	}
	held := newSpool(filepath.Dir(s.path))
	defer func() { err = errors.Join(err, held.close()) }()
	if err := s.writeRecords(ctx, company, name, sp, held); err != nil {
		return name, err
	}
	return name, s.writeHeld(ctx, company, name, held)
}

// writeRecords writes the records and spools their index entries.
func (s *Store) writeRecords(ctx context.Context, company, name string, sp, held *spool) error {
	b := batch{write: func(rows []row) error {
		return s.update(ctx, func(tx *bolt.Tx) error { return putRecords(tx, company, name, rows) })
	}}
	for r, err := range sp.sorted() {
		if err != nil {
			return err
		}
		stored, err := splitRecord(r.value)
		if err != nil {
			return err
		}
		if len(stored.holder) > 0 {
			key := recordKey(r.key)
			if err := held.add(heldKey(stored.holder, key.Kind, []byte(key.ID)), nil); err != nil {
				return err
			}
		}
		if err := b.add(r); err != nil {
			return err
		}
	}
	return b.flush()
}

// writeHeld writes the index.
func (s *Store) writeHeld(ctx context.Context, company, name string, held *spool) error {
	b := batch{write: func(rows []row) error {
		return s.update(ctx, func(tx *bolt.Tx) error { return putHeld(tx, company, name, rows) })
	}}
	for r, err := range held.sorted() {
		if err != nil {
			return err
		}
		if err := b.add(r); err != nil {
			return err
		}
	}
	return b.flush()
}

func putRecords(tx *bolt.Tx, company, name string, rows []row) error {
	gen, err := generationNamed(tx, company, name)
	if err != nil {
		return err
	}
	var code byte
	var records *bolt.Bucket
	for _, r := range rows {
		if r.key[0] != code {
			code = r.key[0]
			if records, err = gen.createRecords(kindOf(code)); err != nil {
				return err
			}
			records.FillPercent = dense
		}
		if err := records.Put(r.key[1:], r.value); err != nil {
			return fmt.Errorf("record %s: %w", recordKey(r.key), err)
		}
	}
	return nil
}

func putHeld(tx *bolt.Tx, company, name string, rows []row) error {
	gen, err := generationNamed(tx, company, name)
	if err != nil {
		return err
	}
	held, err := gen.createHeld()
	if err != nil {
		return err
	}
	held.FillPercent = dense
	for _, r := range rows {
		if err := held.Put(r.key, nil); err != nil {
			return fmt.Errorf("index of holders: %w", err)
		}
	}
	return nil
}

// switchGeneration makes a whole generation the current one and gives the name of the one before, empty if none. What
// runs have recorded in that one since the refresh began is taken along.
func (s *Store) switchGeneration(ctx context.Context, r *refresh, company bulksync.Company, name string) (old string, err error) {
	err = s.update(ctx, func(tx *bolt.Tx) error {
		gen, err := generationNamed(tx, company.ID, name)
		if err != nil {
			return err
		}
		if err := s.workIn(tx, company.ID); err != nil {
			return err
		}
		if before, ok := getGeneration(tx, company.ID); ok {
			old = before.name
			if err := gen.apply(gen.recall(takeAlong(before, s.refreshes.keys(r, company.ID)))); err != nil {
				return err
			}
		}
		if err := gen.putCompany(company); err != nil {
			return err
		}
		return getCompany(tx, company.ID).Put(keyGeneration, []byte(name))
	})
	return old, err
}

// takeAlong gives the changes that make records as they are in a generation.
func takeAlong(gen generation, keys []bulksync.Key) []change {
	changes := make([]change, len(keys))
	for i, k := range keys {
		changes[i] = change{k, bytes.Clone(gen.getStored(k))}
	}
	return changes
}

// batch gathers rows, which it copies, and writes them some thousands at a time.
type batch struct {
	write func([]row) error
	rows  []row
	buf   []byte
}

func (b *batch) add(r row) error {
	if len(b.rows) == batchRows || len(b.buf)+len(r.key)+len(r.value) > batchBytes {
		if err := b.flush(); err != nil {
			return err
		}
	}
	start := len(b.buf)
	b.buf = append(append(b.buf, r.key...), r.value...)
	end := start + len(r.key)
	b.rows = append(b.rows, row{b.buf[start:end:end], b.buf[end:len(b.buf):len(b.buf)]})
	return nil
}

// flush writes what has gathered. A write that has returned no longer needs the rows.
func (b *batch) flush() error {
	if len(b.rows) == 0 {
		return nil
	}
	err := b.write(b.rows)
	b.rows, b.buf = b.rows[:0], b.buf[:0]
	return err
}
