package state

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"

	bolt "go.etcd.io/bbolt"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// A trace is what one run changed of one record:
//
//	uvarint  length of the record before; 0 when there was none
//	         stored record as it was before the run first changed it
//	         stored record as the run left it last; empty when it removed it
//
// It is written in the transaction that changes the record, so that it is as complete as the journal.

// traceChanges notes what a run is about to change. Licences are left out: their counts change with everything.
func traceChanges(tx *bolt.Tx, company, run string, changes []replacement) error {
	traces, err := createTraces(tx, company, run)
	if err != nil {
		return err
	}
	for _, c := range changes {
		if c.key.Kind == bulksync.KindLicence {
			continue
		}
		key := traceKey(c.key)
		before, traced := c.before, false
		if old := traces.Get(key); old != nil {
			if before, _, err = splitTrace(old); err != nil {
				return fmt.Errorf("trace of %s: %w", c.key, err)
			}
			traced = true
		}
		if !traced && sameContent(before, c.stored) {
			continue
		}
		if err := traces.Put(key, joinTrace(before, c.stored)); err != nil {
			return fmt.Errorf("trace of %s: %w", c.key, err)
		}
	}
	return nil
}

func traceKey(k bulksync.Key) []byte { return append([]byte{kindCodes[k.Kind]}, k.ID...) }

func joinTrace(before, after []byte) []byte {
	b := make([]byte, 0, len(before)+len(after)+binary.MaxVarintLen64)
	b = binary.AppendUvarint(b, uint64(len(before)))
	return append(append(b, before...), after...)
}

var errBadTrace = errors.New("not a stored trace")

// splitTrace is the inverse of joinTrace; the parts share the bytes of b.
func splitTrace(b []byte) (before, after []byte, err error) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return nil, nil, errBadTrace
	}
	return b[n : n+int(size)], b[n+int(size):], nil
}

// Traces walks what a run changed, in key order. A run that does not exist gives ErrNotFound. The walk holds nothing open
// between traces.
func (s *Store) Traces(ctx context.Context, company, run string) iter.Seq2[bulksync.Trace, error] {
	return func(yield func(bulksync.Trace, error) bool) {
		if err := s.complete(ctx); err != nil {
			yield(bulksync.Trace{}, err)
			return
		}
		var p piece
		for more := true; more; {
			err := s.view(ctx, func(tx *bolt.Tx) error {
				if getRun(tx, company, run) == nil {
					return fmt.Errorf("run %q of company %q: %w", run, company, bulksync.ErrNotFound)
				}
				more = p.fill(getTraces(tx, company, run))
				return nil
			})
			if err != nil {
				yield(bulksync.Trace{}, err)
				return
			}
			for i := range p.len() {
				trace, err := readTrace(p.at(i))
				if !yield(trace, err) || err != nil {
					return
				}
			}
		}
	}
}

func readTrace(key, value []byte) (t bulksync.Trace, err error) {
	if t.Key, err = parseHeld(key); err != nil {
		return t, fmt.Errorf("stored trace: %w", err)
	}
	before, after, err := splitTrace(value)
	if err != nil {
		return t, fmt.Errorf("trace of %s: %w", t.Key, err)
	}
	for _, part := range []struct {
		stored []byte
		record *bulksync.Record
	}{{before, &t.Before}, {after, &t.After}} {
		if len(part.stored) == 0 {
			continue
		}
		if *part.record, err = decodeRecord(t.Key.Kind, part.stored); err != nil {
			return t, fmt.Errorf("trace of %s: %w", t.Key, err)
		}
	}
	return t, nil
}
