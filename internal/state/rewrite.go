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
	if err == nil {
		var old []byte
		old, err = s.switchGeneration(ctx, r, company, name)
		if err == nil {
			name = old
		}
	}
	// What is now of no use, the old generation or the unfinished one, goes. Should that fail, it goes when the file is
	// next opened; the refresh has succeeded or failed without that.
	if name != nil {
		_ = s.update(context.WithoutCancel(ctx), func(tx *bolt.Tx) error { return dropGeneration(tx, company.ID, name) })
	}
	return err
}

// writeGeneration writes a new generation, batch by batch. With an error it may give the name of an unfinished one.
func (s *Store) writeGeneration(ctx context.Context, company string, sp *spool) (name []byte, err error) {
	err = s.update(ctx, func(tx *bolt.Tx) error {
		var err error
		_, name, err = createGeneration(tx, company)
		return err
	})
	if err != nil {
		return nil, err
	}
	held := newSpool(filepath.Dir(s.path))
	defer func() { err = errors.Join(err, held.close()) }()
	if err := s.writeRecords(ctx, company, name, sp, held); err != nil {
		return name, err
	}
	return name, s.writeHeld(ctx, company, name, held)
}

// writeRecords writes the records and spools their index entries.
func (s *Store) writeRecords(ctx context.Context, company string, name []byte, sp, held *spool) error {
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
func (s *Store) writeHeld(ctx context.Context, company string, name []byte, held *spool) error {
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

func generationNamed(tx *bolt.Tx, company string, name []byte) (generation, error) {
	b := getBucket(tx, keyCompanies, []byte(company), keyGenerations, name)
	if b == nil {
		return generation{}, fmt.Errorf("company %q: generation %x: %w", company, name, bulksync.ErrNotFound)
	}
	return generation{b}, nil
}

func putRecords(tx *bolt.Tx, company string, name []byte, rows []row) error {
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

func putHeld(tx *bolt.Tx, company string, name []byte, rows []row) error {
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

// switchGeneration makes a whole generation the current one and gives the name of the one before, nil if none. What runs
// have recorded in that one since the refresh began is taken along.
func (s *Store) switchGeneration(ctx context.Context, r *refresh, company bulksync.Company, name []byte) (old []byte, err error) {
	err = s.update(ctx, func(tx *bolt.Tx) error {
		gen, err := generationNamed(tx, company.ID, name)
		if err != nil {
			return err
		}
		if before, ok := getGeneration(tx, company.ID); ok {
			var kept []change
			for _, k := range s.refreshes.keys(r, company.ID) {
				kept = append(kept, change{k, bytes.Clone(before.getStored(k))})
			}
			if err := gen.apply(kept); err != nil {
				return err
			}
		}
		if err := gen.putCompany(company); err != nil {
			return err
		}
		c := getCompany(tx, company.ID)
		old = bytes.Clone(c.Get(keyGeneration))
		return c.Put(keyGeneration, name)
	})
	return old, err
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
