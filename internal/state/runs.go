package state

import (
	"cmp"
	"context"
	"encoding/json"
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
	b, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("run %q: %w", r.Name, err)
	}
	return s.update(ctx, func(tx *bolt.Tx) error {
		runs, err := createRuns(tx, r.Company)
		if err != nil {
			return err
		}
		if err := allow(runs); err != nil {
			return err
		}
		return runs.Put([]byte(r.Name), b)
	})
}

// Run gives a run, or ErrNotFound.
func (s *Store) Run(ctx context.Context, company, name string) (*bulksync.Run, error) {
	r := new(bulksync.Run)
	err := s.view(ctx, func(tx *bolt.Tx) error {
		b := getRun(tx, company, name)
		if b == nil {
			return fmt.Errorf("run %q of company %q: %w", name, company, bulksync.ErrNotFound)
		}
		return readRun(b, r)
	})
	if err != nil {
		return nil, err
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

// Runs lists a company's runs, newest first, with their outcomes.
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
