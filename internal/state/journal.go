package state

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"

	bolt "go.etcd.io/bbolt"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// Begin records that calls are about to go upstream; when it returns, that is on disk. Their run must exist (ErrNotFound),
// else nobody would ever find the entries; a number that the run has used already gives ErrConflict.
func (s *Store) Begin(ctx context.Context, entries ...bulksync.JournalEntry) error {
	begin, err := beginning(entries)
	if err != nil || len(entries) == 0 {
		return err
	}
	return s.update(ctx, begin)
}

// beginning is Begin's part of a transaction.
func beginning(entries []bulksync.JournalEntry) (func(*bolt.Tx) error, error) {
	docs, err := marshalEntries(entries)
	return func(tx *bolt.Tx) error {
		var calls *bolt.Bucket
		for i, e := range entries {
			if i == 0 || e.Company != entries[i-1].Company || e.Run != entries[i-1].Run {
				if getRun(tx, e.Company, e.Run) == nil {
					return fmt.Errorf("run %q of company %q: %w", e.Run, e.Company, bulksync.ErrNotFound)
				}
				var err error
				if calls, err = createJournal(tx, e.Company, e.Run); err != nil {
					return err
				}
			}
			if err := beginCall(calls, e, docs[i]); err != nil {
				return err
			}
		}
		return nil
	}, err
}

// Turn is End and Begin in one transaction.
func (s *Store) Turn(ctx context.Context, company string, changes []bulksync.RecordChange, ended, begun []bulksync.JournalEntry) error {
	end, err := s.ending(company, changes, ended)
	if err != nil {
		return err
	}
	begin, err := beginning(begun)
	if err != nil {
		return err
	}
	return s.update(context.WithoutCancel(ctx), func(tx *bolt.Tx) error {
		if err := end(tx); err != nil {
			return err
		}
		return begin(tx)
	})
}

func beginCall(calls *bolt.Bucket, e bulksync.JournalEntry, doc []byte) error {
	key := callKey(e.Number)
	if calls.Get(key) != nil {
		return fmt.Errorf("call %d of run %q: %w", e.Number, e.Run, bulksync.ErrConflict)
	}
	return calls.Put(key, doc)
}

// End records how calls ended, and what they changed, in one transaction. A ctx that has ended does not keep it from that:
// what happened upstream must not be forgotten.
//
// A call that was not begun gives ErrNotFound. A call may be ended again as long as an outcome of it is unknown, for it
// is looked up later. End may be repeated as it was, which then changes nothing: its caller may not have learnt that it
// succeeded. Any other end of an ended call gives ErrConflict. Changes of a company that was never recorded give
// ErrNotFound.
func (s *Store) End(ctx context.Context, company string, changes []bulksync.RecordChange, entries ...bulksync.JournalEntry) error {
	end, err := s.ending(company, changes, entries)
	if err != nil {
		return err
	}
	return s.update(context.WithoutCancel(ctx), end)
}

// ending is End's part of a transaction.
func (s *Store) ending(company string, changes []bulksync.RecordChange, entries []bulksync.JournalEntry) (func(*bolt.Tx) error, error) {
	for _, e := range entries {
		if e.Company != company {
			return nil, fmt.Errorf("call %d of run %q: it is of company %q, not %q", e.Number, e.Run, e.Company, company)
		}
	}
	docs, err := marshalEntries(entries)
	if err != nil {
		return nil, err
	}
	stored, err := newChanges(changes)
	if err != nil {
		return nil, err
	}
	return func(tx *bolt.Tx) error {
		repeated, err := endCalls(tx, entries, docs)
		if err != nil || repeated || len(stored) == 0 {
			return err
		}
		run := ""
		if len(entries) > 0 {
			run = entries[0].Run
		}
		return s.note(tx, company, run, stored)
	}, nil
}

// endCalls stores the calls' outcomes, and tells when the very same ones are stored already.
func endCalls(tx *bolt.Tx, entries []bulksync.JournalEntry, docs [][]byte) (repeated bool, err error) {
	repeats := 0
	var calls *bolt.Bucket
	for i, e := range entries {
		if i == 0 || e.Run != entries[i-1].Run {
			calls = getJournal(tx, e.Company, e.Run)
		}
		repeat, err := endCall(calls, e, docs[i])
		if err != nil {
			return false, err
		}
		if repeat {
			repeats++
		}
	}
	if repeats > 0 && repeats < len(entries) {
		return false, fmt.Errorf("calls of run %q: some have ended, some have not: %w", entries[0].Run, bulksync.ErrConflict)
	}
	return repeats > 0, nil
}

func newChanges(changes []bulksync.RecordChange) ([]change, error) {
	stored := make([]change, 0, len(changes))
	for _, rc := range changes {
		c, err := newChange(rc)
		if err != nil {
			return nil, err
		}
		stored = append(stored, c)
	}
	return stored, nil
}

// endCall stores a call's outcomes, and tells when the very same ones are stored already.
func endCall(calls *bolt.Bucket, e bulksync.JournalEntry, doc []byte) (repeat bool, err error) {
	if calls == nil {
		return false, fmt.Errorf("call %d of run %q: %w", e.Number, e.Run, bulksync.ErrNotFound)
	}
	key := callKey(e.Number)
	old := calls.Get(key)
	if old == nil {
		return false, fmt.Errorf("call %d of run %q: %w", e.Number, e.Run, bulksync.ErrNotFound)
	}
	if onlyBegun(old) {
		return false, calls.Put(key, doc)
	}
	before, err := readEntry(e.Company, e.Run, key, old)
	if err != nil {
		return false, err
	}
	if settled(before.Outcomes) {
		if bytes.Equal(old, doc) {
			return true, nil
		}
		return false, fmt.Errorf("call %d of run %q: it has ended otherwise: %w", e.Number, e.Run, bulksync.ErrConflict)
	}
	return false, calls.Put(key, doc)
}

// settled tells whether outcomes are known and will stay.
func settled(outcomes []bulksync.Outcome) bool {
	return len(outcomes) > 0 && !slices.ContainsFunc(outcomes, func(o bulksync.Outcome) bool {
		return o.Status == bulksync.Unknown
	})
}

// Journal walks a run's calls by number. A run that does not exist gives ErrNotFound. The walk holds nothing open between
// calls, so that its body may begin and end calls.
func (s *Store) Journal(ctx context.Context, company, run string) iter.Seq2[bulksync.JournalEntry, error] {
	return func(yield func(bulksync.JournalEntry, error) bool) {
		var p piece
		for more := true; more; {
			err := s.view(ctx, func(tx *bolt.Tx) error {
				if getRun(tx, company, run) == nil {
					return fmt.Errorf("run %q of company %q: %w", run, company, bulksync.ErrNotFound)
				}
				more = p.fill(getJournal(tx, company, run))
				return nil
			})
			if err != nil {
				yield(bulksync.JournalEntry{}, err)
				return
			}
			for i := range p.len() {
				key, b := p.at(i)
				e, err := readEntry(company, run, key, b)
				if !yield(e, err) || err != nil {
					return
				}
			}
		}
	}
}
