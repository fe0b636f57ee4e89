package state

import (
	"context"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// SetDrift keeps a report in place of the company's one before.
func (s *Store) SetDrift(ctx context.Context, d *bulksync.Drift) error {
	if err := checkNames("drift", d.Company); err != nil {
		return err
	}
	report, err := pack(d)
	if err != nil {
		return fmt.Errorf("drift of company %q: %w", d.Company, err)
	}
	return s.update(ctx, func(tx *bolt.Tx) error {
		company, err := createBucket(tx, keyCompanies, []byte(d.Company))
		if err != nil {
			return err
		}
		if err := company.DeleteBucket(keyDrift); err != nil && !errors.Is(err, berrors.ErrBucketNotFound) {
			return fmt.Errorf("drift of company %q: %w", d.Company, err)
		}
		pieces, err := createBucket(company, keyDrift)
		if err != nil {
			return err
		}
		return putPieces(pieces, report)
	})
}

// Drift gives the report kept of a company, or ErrNotFound.
func (s *Store) Drift(ctx context.Context, company string) (*bulksync.Drift, error) {
	var report []byte
	err := s.view(ctx, func(tx *bolt.Tx) error {
		report = getPieces(getBucket(tx, keyCompanies, []byte(company), keyDrift))
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(report) == 0 {
		return nil, fmt.Errorf("drift of company %q: %w", company, bulksync.ErrNotFound)
	}
	d := new(bulksync.Drift)
	if err := unpack(report, d); err != nil {
		return nil, fmt.Errorf("stored drift of company %q: %w", company, err)
	}
	return d, nil
}
