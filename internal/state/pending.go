package state

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// What a run changes of the recorded state is first only written down, behind what was written down before, and worked into
// the records, their index and the run's traces for many writes of the journal at once. Calls that end together concern users
// far apart, so that each write would touch a page or more for each of its changes; written one behind the other they take
// few, and working in some thousand changes touches hardly more pages than working in fifty.
//
// Nobody sees the difference: who reads the recorded state or a run's traces has the changes worked in before. A file that was
// not closed has them worked in when it is opened.
//
// A change that waits is
//
//	byte     kind's code
//	uvarint  length of the run's name; 0 for a change that is of no run
//	         run's name
//	uvarint  length of the id
//	         id
//	         stored record (record.go); nothing when it is removed
//
// Rejected: a log file beside the state file; it would be cheaper still, and two files that must fit together.
const (
	// pendingMost is how many changes wait at most, pendingWrite how many of one write do.
	pendingMost  = 1500
	pendingWrite = 256
)

var errBadPending = errors.New("not a change that waits")

func getPending(tx *bolt.Tx, company string) *bolt.Bucket {
	return getBucket(tx, keyCompanies, []byte(company), keyPending)
}

// note makes changes of a company part of its recorded state: at once when they are many, else soon.
func (s *Store) note(tx *bolt.Tx, company, run string, changes []change) error {
	if _, ok := getGeneration(tx, company); !ok {
		return fmt.Errorf("company %q: recorded state: %w", company, bulksync.ErrNotFound)
	}
	s.refreshes.touch(company, changes)
	if len(changes) > pendingWrite {
		if err := s.workIn(tx, company); err != nil {
			return err
		}
		return s.apply(tx, company, run, changes)
	}
	waiting, err := createBucket(tx, keyCompanies, []byte(company), keyPending)
	if err != nil {
		return err
	}
	waiting.FillPercent = dense
	n := waiting.Sequence()
	for _, c := range changes {
		n++
		if err := waiting.Put(uint64Key(n), joinPending(run, c)); err != nil {
			return fmt.Errorf("change of %s: %w", c.key, err)
		}
	}
	if n >= pendingMost {
		return s.workIn(tx, company)
	}
	return waiting.SetSequence(n)
}

// apply works changes into the records, their index, and the traces of the run that made them.
func (s *Store) apply(tx *bolt.Tx, company, run string, changes []change) error {
	gen, ok := getGeneration(tx, company)
	if !ok {
		return fmt.Errorf("company %q: recorded state: %w", company, bulksync.ErrNotFound)
	}
	replacements := gen.recall(changes)
	if run != "" {
		if err := traceChanges(tx, company, run, replacements); err != nil {
			return err
		}
	}
	return s.change(gen, company, replacements)
}

// workIn works in what waits of a company.
func (s *Store) workIn(tx *bolt.Tx, company string) error {
	waiting := getPending(tx, company)
	if waiting == nil {
		return nil
	}
	var of string
	var changes []change
	cursor := waiting.Cursor()
	for key, value := cursor.First(); key != nil; key, value = cursor.Next() {
		run, c, err := splitPending(value)
		if err != nil {
			return fmt.Errorf("changes of company %q: %w", company, err)
		}
		if run != of && len(changes) > 0 {
			if err := s.apply(tx, company, of, changes); err != nil {
				return err
			}
			changes = changes[:0]
		}
		of, changes = run, append(changes, c)
	}
	if len(changes) > 0 {
		if err := s.apply(tx, company, of, changes); err != nil {
			return err
		}
	}
	return getCompany(tx, company).DeleteBucket(keyPending)
}

// workInAll works in what waits of all companies.
func (s *Store) workInAll(tx *bolt.Tx) error {
	companies := getCompanies(tx)
	if companies == nil {
		return nil
	}
	var those []string // a bucket is not changed while it is walked
	err := companies.ForEachBucket(func(company []byte) error {
		if companies.Bucket(company).Bucket(keyPending) != nil {
			those = append(those, string(company))
		}
		return nil
	})
	for _, company := range those {
		err = errors.Join(err, s.workIn(tx, company))
	}
	return err
}

// complete has what waits worked in, if anything does: every change that was written before is then part of
// the recorded state.
func (s *Store) complete(ctx context.Context) error {
	if s.db.IsReadOnly() {
		return nil // checked when it was opened
	}
	waiting := false
	err := s.commits.between(func() error {
		return s.view(ctx, func(tx *bolt.Tx) (err error) {
			waiting, err = anyPending(tx)
			return err
		})
	})
	if err != nil || !waiting {
		return err
	}
	return s.update(ctx, s.workInAll)
}

// anyPending tells whether changes wait.
func anyPending(tx *bolt.Tx) (waiting bool, err error) {
	companies := getCompanies(tx)
	if companies == nil {
		return false, nil
	}
	err = companies.ForEachBucket(func(company []byte) error {
		waiting = waiting || companies.Bucket(company).Bucket(keyPending) != nil
		return nil
	})
	return waiting, err
}

func joinPending(run string, c change) []byte {
	b := make([]byte, 0, 1+2*binary.MaxVarintLen64+len(run)+len(c.key.ID)+len(c.stored))
	b = append(b, kindCodes[c.key.Kind])
	b = binary.AppendUvarint(b, uint64(len(run)))
	b = append(b, run...)
	b = binary.AppendUvarint(b, uint64(len(c.key.ID)))
	b = append(b, c.key.ID...)
	return append(b, c.stored...)
}

// splitPending is the inverse of joinPending; the stored record is a part of b.
func splitPending(b []byte) (run string, c change, err error) {
	if len(b) == 0 || kindOf(b[0]) == "" {
		return "", c, errBadPending
	}
	c.key.Kind = kindOf(b[0])
	name, b, named := cutPending(b[1:])
	id, b, keyed := cutPending(b)
	if !named || !keyed {
		return "", c, errBadPending
	}
	c.key.ID = string(id)
	if len(b) > 0 {
		c.stored = b
	}
	return string(name), c, nil
}

// cutPending takes bytes off with their length in front.
func cutPending(b []byte) (head, rest []byte, ok bool) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return nil, nil, false
	}
	end := n + int(size)
	return b[n:end], b[end:], true
}
