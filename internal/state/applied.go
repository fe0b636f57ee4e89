package state

import (
	"context"
	"encoding/json"
	"fmt"

	jsonv2 "github.com/go-json-experiment/json"
	bolt "go.etcd.io/bbolt"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// appliedKept is how many manifests put into force are kept: as far back as undoing can go.
const appliedKept = 4

// SetApplied notes that a run has put its plan's manifest into force. Said again of the run that did so last, it changes
// nothing.
func (s *Store) SetApplied(ctx context.Context, a bulksync.Applied) error {
	if err := checkNames("applied manifest", a.Company, a.Run, a.Plan); err != nil {
		return err
	}
	return s.update(ctx, func(tx *bolt.Tx) error {
		plan := getPlan(tx, a.Company, a.Plan)
		head, err := headOfApplied(a, plan)
		if err != nil {
			return fmt.Errorf("applied manifest: %w", err)
		}
		all, err := createApplied(tx, a.Company)
		if err != nil {
			return err
		}
		if key, last, err := inForce(all); err != nil || key != nil && last.Run == a.Run {
			return err
		}
		n, err := all.NextSequence()
		if err != nil {
			return err
		}
		b, err := all.CreateBucket(uint64Key(n))
		if err != nil {
			return fmt.Errorf("applied manifest: %w", err)
		}
		if err := b.Put(keyHead, head); err != nil {
			return err
		}
		if plan != nil && plan.Bucket(keyDesired) != nil {
			pieces, err := createBucket(b, keyDesired)
			if err != nil {
				return err
			}
			if err := putPieces(pieces, getPieces(plan.Bucket(keyDesired))); err != nil {
				return err
			}
		}
		return dropApplied(all, n)
	})
}

// headOfApplied is what is kept beside what the manifest desires; the names of its files are its plan's, when nobody gives
// them.
func headOfApplied(a bulksync.Applied, plan *bolt.Bucket) ([]byte, error) {
	if len(a.Sources) == 0 && plan != nil {
		p, err := readHead(plan)
		if err != nil {
			return nil, err
		}
		a.Sources = p.Sources
	}
	return json.Marshal(a)
}

// dropApplied removes what is too old to be kept, n being the newest.
func dropApplied(all *bolt.Bucket, n uint64) error {
	if n <= appliedKept {
		return nil
	}
	key := uint64Key(n - appliedKept)
	if all.Bucket(key) == nil {
		return nil
	}
	return all.DeleteBucket(key)
}

// inForce finds the newest manifest that is not undone; a nil key when there is none.
func inForce(all *bolt.Bucket) (key []byte, a *bulksync.Applied, err error) {
	cursor := all.Cursor()
	for key, _ := cursor.Last(); key != nil; key, _ = cursor.Prev() {
		a, err := readApplied(all.Bucket(key))
		if err != nil || a.UndoneBy == "" {
			return key, a, err
		}
	}
	return nil, nil, nil
}

func readApplied(b *bolt.Bucket) (*bulksync.Applied, error) {
	a := new(bulksync.Applied)
	if b == nil {
		return nil, fmt.Errorf("applied manifest: %w", errBadRecord)
	}
	if err := jsonv2.Unmarshal(b.Get(keyHead), a); err != nil {
		return nil, fmt.Errorf("applied manifest: %w", err)
	}
	return a, nil
}

// Applied gives the manifest in force in a company, or ErrNotFound.
func (s *Store) Applied(ctx context.Context, company string) (*bulksync.Applied, error) {
	var a *bulksync.Applied
	var desired []byte
	err := s.view(ctx, func(tx *bolt.Tx) error {
		all := getApplied(tx, company)
		var key []byte
		if all != nil {
			var err error
			if key, a, err = inForce(all); err != nil {
				return err
			}
		}
		if key == nil {
			return fmt.Errorf("applied manifest of company %q: %w", company, bulksync.ErrNotFound)
		}
		desired = getPieces(all.Bucket(key).Bucket(keyDesired))
		return nil
	})
	if err != nil || len(desired) == 0 {
		return a, err
	}
	if a.Desired, err = unpackDesired(desired); err != nil {
		return nil, fmt.Errorf("applied manifest of company %q: %w", company, err)
	}
	return a, nil
}

// UndoApplied notes that a run has undone another.
func (s *Store) UndoApplied(ctx context.Context, company, run, by string) error {
	return s.update(ctx, func(tx *bolt.Tx) error {
		all := getApplied(tx, company)
		if all == nil {
			return nil
		}
		var changed [][2][]byte
		err := all.ForEachBucket(func(key []byte) error {
			a, err := readApplied(all.Bucket(key))
			if err != nil {
				return err
			}
			switch {
			case a.Run == run && a.UndoneBy == "":
				a.UndoneBy = by
			case a.UndoneBy == run: // the undoing is undone
				a.UndoneBy = ""
			default:
				return nil
			}
			head, err := json.Marshal(a)
			changed = append(changed, [2][]byte{key, head})
			return err
		})
		if err != nil {
			return err
		}
		for _, c := range changed {
			if err := all.Bucket(c[0]).Put(keyHead, c[1]); err != nil {
				return err
			}
		}
		return nil
	})
}

// Companies lists the companies of which anything is kept, by their ids.
func (s *Store) Companies(ctx context.Context) ([]string, error) {
	var ids []string
	err := s.view(ctx, func(tx *bolt.Tx) error {
		companies := getCompanies(tx)
		if companies == nil {
			return nil
		}
		return companies.ForEachBucket(func(id []byte) error {
			ids = append(ids, string(id))
			return nil
		})
	})
	return ids, err
}
