package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// generation is one whole recorded state of a company inside a transaction.
type generation struct {
	name string // its key in the bucket generations
	b    *bolt.Bucket
}

// getGeneration gives a company's current generation, or false when it was never recorded.
func getGeneration(tx *bolt.Tx, company string) (generation, bool) {
	c := getCompany(tx, company)
	if c == nil {
		return generation{}, false
	}
	name := c.Get(keyGeneration)
	if name == nil {
		return generation{}, false
	}
	b := getBucket(c, keyGenerations, name)
	return generation{string(name), b}, b != nil
}

// generationNamed gives a generation of a company, current or not, or ErrNotFound.
func generationNamed(tx *bolt.Tx, company, name string) (generation, error) {
	b := getBucket(tx, keyCompanies, []byte(company), keyGenerations, []byte(name))
	if b == nil {
		return generation{}, fmt.Errorf("company %q: generation %x: %w", company, name, bulksync.ErrNotFound)
	}
	return generation{name, b}, nil
}

// createGeneration makes an empty generation of a company, which is not yet the current one.
func createGeneration(tx *bolt.Tx, company string) (generation, error) {
	all, err := createBucket(tx, keyCompanies, []byte(company), keyGenerations)
	if err != nil {
		return generation{}, err
	}
	n, err := all.NextSequence()
	if err != nil {
		return generation{}, err
	}
	name := uint64Key(n)
	b, err := all.CreateBucket(name)
	if err != nil {
		return generation{}, fmt.Errorf("generation %d: %w", n, err)
	}
	return generation{string(name), b}, nil
}

// dropGeneration removes a generation that is not the current one.
func dropGeneration(tx *bolt.Tx, company, name string) error {
	all := getBucket(tx, keyCompanies, []byte(company), keyGenerations)
	if all == nil || all.Bucket([]byte(name)) == nil {
		return nil
	}
	return all.DeleteBucket([]byte(name))
}

// dropStrays removes the generations that refreshes cut short have left.
func dropStrays(tx *bolt.Tx) error {
	companies := getCompanies(tx)
	if companies == nil {
		return nil
	}
	return companies.ForEachBucket(func(company []byte) error {
		c := companies.Bucket(company)
		all := c.Bucket(keyGenerations)
		if all == nil {
			return nil
		}
		for _, name := range straysOf(all, c.Get(keyGeneration)) {
			if err := all.DeleteBucket(name); err != nil {
				return fmt.Errorf("company %q: generation left by a crash: %w", company, err)
			}
		}
		return nil
	})
}

func straysOf(all *bolt.Bucket, current []byte) [][]byte {
	var strays [][]byte
	cursor := all.Cursor()
	for name, _ := cursor.First(); name != nil; name, _ = cursor.Next() {
		if !bytes.Equal(name, current) {
			strays = append(strays, bytes.Clone(name))
		}
	}
	return strays
}

func (g generation) getRecords(kind bulksync.Kind) *bolt.Bucket {
	return getBucket(g.b, keyRecords, []byte(kind))
}

func (g generation) createRecords(kind bulksync.Kind) (*bolt.Bucket, error) {
	return createBucket(g.b, keyRecords, []byte(kind))
}

func (g generation) getHeld() *bolt.Bucket { return g.b.Bucket(keyHeld) }

func (g generation) createHeld() (*bolt.Bucket, error) { return createBucket(g.b, keyHeld) }

// getStored gives the stored form of a record, or nil; the bytes are the file's.
func (g generation) getStored(k bulksync.Key) []byte {
	records := g.getRecords(k.Kind)
	if records == nil {
		return nil
	}
	return records.Get([]byte(k.ID))
}

func (g generation) getCompany() (bulksync.Company, error) {
	var c bulksync.Company
	if err := json.Unmarshal(g.b.Get(keyCompany), &c); err != nil {
		return c, fmt.Errorf("recorded company: %w", err)
	}
	return c, nil
}

func (g generation) putCompany(c bulksync.Company) error {
	b, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("company %q: %w", c.ID, err)
	}
	same, err := g.recordsCompany(c, b)
	if err != nil {
		return err
	}
	if err := g.revise(!same); err != nil {
		return err
	}
	return g.b.Put(keyCompany, b)
}

// recordsCompany tells whether the company, encoded as b, is recorded but for the time of the last refresh.
func (g generation) recordsCompany(c bulksync.Company, b []byte) (bool, error) {
	if g.b.Get(keyCompany) == nil {
		return false, nil
	}
	before, err := g.getCompany()
	if err != nil {
		return false, err
	}
	before.RecordedAt = c.RecordedAt
	was, err := json.Marshal(before)
	return bytes.Equal(was, b), err
}

// revise gives the generation its next revision, if anything in it changes.
func (g generation) revise(changes bool) error {
	if !changes {
		return nil
	}
	_, err := g.b.NextSequence()
	return err
}

// heldBy lists what a user holds, in key order.
func (g generation) heldBy(login []byte) ([]bulksync.Key, error) {
	held := g.getHeld()
	if held == nil {
		return nil, nil
	}
	return heldUnder(held.Cursor(), login)
}

// heldUnder is heldBy with a cursor over the index.
func heldUnder(cursor *bolt.Cursor, login []byte) ([]bulksync.Key, error) {
	var keys []bulksync.Key
	prefix := heldPrefix(login)
	for k, _ := cursor.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = cursor.Next() {
		key, err := parseHeld(k[len(prefix):])
		if err != nil {
			return keys, fmt.Errorf("index of holders: %q: %w", login, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// change is a record to store in its stored form, or to remove when stored is nil.
type change struct {
	key    bulksync.Key
	stored []byte
}

// newChange encodes a change of the Store interface.
func newChange(rc bulksync.RecordChange) (change, error) {
	if rc.Record == nil {
		return change{key: rc.Key}, checkKey(rc.Key)
	}
	key := rc.Record.Key()
	if rc.Key != (bulksync.Key{}) && rc.Key != key {
		return change{}, fmt.Errorf("record %s: change is for %s", key, rc.Key)
	}
	if err := errors.Join(checkKey(key), checkHolder(key, rc.Record.HeldBy())); err != nil {
		return change{}, err
	}
	stored, err := appendRecord(nil, rc.Record)
	return change{key, stored}, err
}

// replacement is a change with the stored form of the record before it, nil when there is none. That is the file's, and valid
// until the transaction ends.
type replacement struct {
	change
	before []byte
}

// recall looks up what changes replace. They come out in key order, and of several of one key the last alone: a large number
// of puts in random order into one page of a transaction takes time by the square.
func (g generation) recall(changes []change) []replacement {
	sorted := slices.Clone(changes)
	slices.SortStableFunc(sorted, func(a, b change) int { return a.key.Compare(b.key) })
	all := make([]replacement, 0, len(sorted))
	var kind bulksync.Kind
	var records *bolt.Bucket
	for i, c := range sorted {
		if i+1 < len(sorted) && sorted[i+1].key == c.key {
			continue
		}
		if c.key.Kind != kind {
			kind, records = c.key.Kind, g.getRecords(c.key.Kind)
		}
		r := replacement{change: c}
		if records != nil {
			r.before = records.Get([]byte(c.key.ID))
		}
		all = append(all, r)
	}
	return all
}

// apply carries out changes in the records and in the index.
func (g generation) apply(changes []replacement) error {
	var moves []move
	for _, c := range changes {
		before, after, err := g.applyRecord(c)
		if err != nil {
			return fmt.Errorf("record %s: %w", c.key, err)
		}
		moves = appendMoves(moves, c.key, before, after)
	}
	return g.applyMoves(moves)
}

// applyRecord carries out one change in the records and gives the holders before and after it.
func (g generation) applyRecord(c replacement) (before, after []byte, err error) {
	if c.before != nil {
		was, err := splitRecord(c.before)
		if err != nil {
			return nil, nil, err
		}
		before = bytes.Clone(was.holder)
	}
	if c.stored != nil && sameContent(c.before, c.stored) {
		return before, before, nil
	}
	records, err := g.createRecords(c.key.Kind)
	if err != nil {
		return nil, nil, err
	}
	id := []byte(c.key.ID)
	if c.stored == nil {
		return before, nil, records.Delete(id)
	}
	now, err := splitRecord(c.stored)
	if err != nil {
		return nil, nil, err
	}
	return before, now.holder, records.Put(id, c.stored)
}

// move is an entry to put into the index or to take out.
type move struct {
	key []byte
	out bool
}

// appendMoves adds what a record's new holder means for the index.
func appendMoves(moves []move, k bulksync.Key, before, after []byte) []move {
	if bytes.Equal(before, after) {
		return moves
	}
	if len(before) > 0 {
		moves = append(moves, move{key: heldKey(before, k.Kind, []byte(k.ID)), out: true})
	}
	if len(after) > 0 {
		moves = append(moves, move{key: heldKey(after, k.Kind, []byte(k.ID))})
	}
	return moves
}

// applyMoves brings the index up to date, in key order; of several moves of one entry the last counts.
func (g generation) applyMoves(moves []move) error {
	if len(moves) == 0 {
		return nil
	}
	slices.SortStableFunc(moves, func(a, b move) int { return bytes.Compare(a.key, b.key) })
	held, err := g.createHeld()
	if err != nil {
		return err
	}
	for _, m := range moves {
		if m.out {
			err = held.Delete(m.key)
		} else {
			err = held.Put(m.key, nil)
		}
		if err != nil {
			return fmt.Errorf("index of holders: %w", err)
		}
	}
	return nil
}
