package state

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	jsonv2 "github.com/go-json-experiment/json"
	bolt "go.etcd.io/bbolt"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// CreateRun stores a new run; a name that is taken gives ErrConflict.
func (s *Store) CreateRun(ctx context.Context, r *bulksync.Run) error {
	return s.putRun(ctx, r, func(runs *bolt.Bucket) error {
		if runs.Get([]byte(r.Name)) != nil {
			return fmt.Errorf("run %q of company %q: %w", r.Name, r.Company, bulksync.ErrConflict)
		}
		return nil
	})
}

// UpdateRun replaces a run, or gives ErrNotFound.
func (s *Store) UpdateRun(ctx context.Context, r *bulksync.Run) error {
	return s.putRun(ctx, r, func(runs *bolt.Bucket) error {
		if runs.Get([]byte(r.Name)) == nil {
			return fmt.Errorf("run %q of company %q: %w", r.Name, r.Company, bulksync.ErrNotFound)
		}
		return nil
	})
}

// putRun stores a run, if allowed.
func (s *Store) putRun(ctx context.Context, r *bulksync.Run, allow func(runs *bolt.Bucket) error) error {
	if err := checkNames("run", r.Company, r.Name); err != nil {
		return err
	}
	head, outcomes, err := packRun(r)
	if err != nil {
		return fmt.Errorf("run %q: %w", r.Name, err)
	}
	err = s.update(ctx, func(tx *bolt.Tx) error {
		runs, err := createRuns(tx, r.Company)
		if err != nil {
			return err
		}
		if err := allow(runs); err != nil {
			return err
		}
		if err := runs.Put([]byte(r.Name), head); err != nil {
			return err
		}
		return putOutcomes(tx, r.Company, r.Name, outcomes)
	})
	if err == nil && s.holder != nil {
		_ = s.holder.note(r) // the books are right; the side file is for those who wait
	}
	return err
}

// packRun gives a run's two parts: its head as JSON, and its outcomes as gzipped JSON, none when it has none.
func packRun(r *bulksync.Run) (head, outcomes []byte, err error) {
	short := *r
	short.Outcomes = nil
	if head, err = json.Marshal(short); err != nil || r.Outcomes == nil {
		return head, nil, err
	}
	outcomes, err = pack(r.Outcomes)
	return head, outcomes, err
}

// putOutcomes replaces a run's outcomes.
func putOutcomes(tx *bolt.Tx, company, run string, outcomes []byte) error {
	if outcomes == nil && getOutcomes(tx, company, run) == nil {
		return nil
	}
	all, err := createAllOutcomes(tx, company)
	if err != nil {
		return err
	}
	if all.Bucket([]byte(run)) != nil {
		if err := all.DeleteBucket([]byte(run)); err != nil {
			return err
		}
	}
	if outcomes == nil {
		return nil
	}
	pieces, err := all.CreateBucket([]byte(run))
	if err != nil {
		return fmt.Errorf("outcomes of run %q: %w", run, err)
	}
	return putPieces(pieces, outcomes)
}

// Run gives a run with its outcomes, or ErrNotFound.
func (s *Store) Run(ctx context.Context, company, name string) (*bulksync.Run, error) {
	r := new(bulksync.Run)
	var outcomes []byte
	err := s.view(ctx, func(tx *bolt.Tx) error {
		b := getRun(tx, company, name)
		if b == nil {
			return fmt.Errorf("run %q of company %q: %w", name, company, bulksync.ErrNotFound)
		}
		outcomes = getPieces(getOutcomes(tx, company, name))
		return readRun(b, r)
	})
	if err != nil {
		return nil, err
	}
	if len(outcomes) > 0 {
		if err := unpack(outcomes, &r.Outcomes); err != nil {
			return nil, fmt.Errorf("outcomes of run %q of company %q: %w", name, company, err)
		}
	}
	return r, nil
}

// getRun gives a run's JSON, or nil; the bytes are the file's.
func getRun(tx *bolt.Tx, company, name string) []byte {
	runs := getRuns(tx, company)
	if runs == nil {
		return nil
	}
	return runs.Get([]byte(name))
}

func readRun(b []byte, r *bulksync.Run) error {
	if err := jsonv2.Unmarshal(b, r); err != nil {
		return fmt.Errorf("stored run: %w", err)
	}
	return nil
}

// Runs lists a company's runs, newest first, without their outcomes.
func (s *Store) Runs(ctx context.Context, company string) ([]*bulksync.Run, error) {
	var list []*bulksync.Run
	err := s.view(ctx, func(tx *bolt.Tx) error {
		runs := getRuns(tx, company)
		if runs == nil {
			return nil
		}
		return runs.ForEach(func(_, b []byte) error {
			r := new(bulksync.Run)
			list = append(list, r)
			return readRun(b, r)
		})
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b *bulksync.Run) int {
		return cmp.Or(b.StartTime.Compare(a.StartTime), cmp.Compare(b.Name, a.Name))
	})
	return list, nil
}

// DeleteRun removes a run with all that is kept of it, or gives ErrNotFound.
func (s *Store) DeleteRun(ctx context.Context, company, name string) error {
	return s.update(ctx, func(tx *bolt.Tx) error {
		if getRun(tx, company, name) == nil {
			return fmt.Errorf("run %q of company %q: %w", name, company, bulksync.ErrNotFound)
		}
		if err := s.workIn(tx, company); err != nil { // its traces would come again
			return err
		}
		for _, of := range [][]byte{keyOutcomes, keyJournal, keyTraces} {
			all := getBucket(tx, keyCompanies, []byte(company), of)
			if all == nil || all.Bucket([]byte(name)) == nil {
				continue
			}
			if err := all.DeleteBucket([]byte(name)); err != nil {
				return fmt.Errorf("run %q: %w", name, err)
			}
		}
		return getRuns(tx, company).Delete([]byte(name))
	})
}

// pack gives gzipped JSON.
func pack(v any) ([]byte, error) {
	var out bytes.Buffer
	zw, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(json.NewEncoder(zw).Encode(v), zw.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// unpack is the inverse of pack.
func unpack(b []byte, v any) error {
	zr, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return err
	}
	return jsonv2.UnmarshalRead(zr, v)
}

// putPieces stores what is too large for one value in an empty bucket.
func putPieces(b *bolt.Bucket, content []byte) error {
	n := uint32(0)
	for piece := range slices.Chunk(content, pieceBytes) {
		if err := b.Put(uint32Key(n), piece); err != nil {
			return err
		}
		n++
	}
	return nil
}

// getPieces is the inverse of putPieces; nil without a bucket. The bytes are a copy.
func getPieces(b *bolt.Bucket) []byte {
	if b == nil {
		return nil
	}
	var content []byte
	cursor := b.Cursor()
	for key, piece := cursor.First(); key != nil; key, piece = cursor.Next() {
		content = append(content, piece...)
	}
	return content
}
