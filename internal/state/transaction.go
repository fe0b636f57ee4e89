package state

import (
	"context"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// view runs fn in a read transaction. What fn keeps of the file's bytes, it copies.
func (s *Store) view(ctx context.Context, fn func(*bolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.wrap(s.db.View(fn))
}

// update runs fn in a write transaction, which it may share with others (committer), and returns when it is on disk. fn
// may run more than once.
func (s *Store) update(ctx context.Context, fn func(*bolt.Tx) error) error {
	return s.wrap(s.commits.do(ctx, fn))
}

// wrap puts errors of bbolt in the package's words; those of fn pass as they are.
func (s *Store) wrap(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, berrors.ErrDatabaseNotOpen), errors.Is(err, berrors.ErrTxClosed):
		return fmt.Errorf("state file %q: %w", s.path, ErrClosed)
	case errors.Is(err, berrors.ErrDatabaseReadOnly), errors.Is(err, berrors.ErrTxNotWritable):
		return fmt.Errorf("state file %q: %w", s.path, ErrReadOnly)
	}
	return err
}
