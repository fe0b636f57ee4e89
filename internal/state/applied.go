package state

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	jsonv2 "github.com/go-json-experiment/json"
	bolt "go.etcd.io/bbolt"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

const (
	// appliedKept is how many manifests of one title put into force are kept: as far back as undoing can go.
	appliedKept = 4
	// titlesKept is how many titles are kept; the one applied longest ago goes.
	titlesKept = 64
)

// SetApplied notes that a run has put its plan's manifest into force. Said again of a run that did so, or of a plan that repairs
// what a manifest in force wants, it changes nothing.
func (s *Store) SetApplied(ctx context.Context, a bulksync.Applied) error {
	if err := checkNames("applied manifest", a.Company, a.Run, a.Plan); err != nil {
		return err
	}
	return s.update(ctx, func(tx *bolt.Tx) error {
		plan := getPlan(tx, a.Company, a.Plan)
		repairs, head, err := headOfApplied(&a, plan)
		if err != nil {
			return fmt.Errorf("applied manifest: %w", err)
		}
		all, err := createApplied(tx, a.Company)
		if err != nil {
			return err
		}
		now, err := inForce(all)
		if err != nil || slices.ContainsFunc(now, func(f force) bool { return f.Run == a.Run || f.Run == repairs }) {
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
		return dropApplied(all)
	})
}

// headOfApplied is what is kept beside what the manifest desires; the names of its files are its plan's, when nobody gives
// them. repairs is the run whose manifest the plan repairs.
func headOfApplied(a *bulksync.Applied, plan *bolt.Bucket) (repairs string, head []byte, err error) {
	if plan != nil {
		p, err := readHead(plan)
		if err != nil {
			return "", nil, err
		}
		repairs = p.Repairs
		if len(a.Sources) == 0 {
			a.Sources = p.Sources
		}
	}
	head, err = json.Marshal(a)
	return repairs, head, err
}

// force is a manifest that was put into force, with its place.
type force struct {
	key []byte
	*bulksync.Applied
}

// allApplied reads all that were ever put into force and are kept, the newest first.
func allApplied(all *bolt.Bucket) (list []force, err error) {
	cursor := all.Cursor()
	for key, _ := cursor.Last(); key != nil; key, _ = cursor.Prev() {
		a, err := readApplied(all.Bucket(key))
		if err != nil {
			return nil, err
		}
		list = append(list, force{bytes.Clone(key), a})
	}
	return list, nil
}

// inForce finds the newest manifest of each title that is not undone, the newest first.
func inForce(all *bolt.Bucket) (now []force, err error) {
	list, err := allApplied(all)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, f := range list {
		if title := f.Title(); f.UndoneBy == "" && !seen[title] {
			seen[title] = true
			now = append(now, f)
		}
	}
	return now, nil
}

// dropApplied removes what is too old to be kept.
func dropApplied(all *bolt.Bucket) error {
	list, err := allApplied(all)
	if err != nil {
		return err
	}
	kept := map[string]int{}
	for _, f := range list {
		title := f.Title()
		if kept[title] > 0 && kept[title] < appliedKept || kept[title] == 0 && len(kept) < titlesKept {
			kept[title]++
			continue
		}
		if err := all.DeleteBucket(f.key); err != nil {
			return err
		}
	}
	return nil
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

// Applied lists the manifests in force in a company, the one applied last first.
func (s *Store) Applied(ctx context.Context, company string) (list []*bulksync.Applied, err error) {
	err = s.view(ctx, func(tx *bolt.Tx) error {
		list = nil
		all := getApplied(tx, company)
		if all == nil {
			return nil
		}
		now, err := inForce(all)
		for _, f := range now {
			list = append(list, f.Applied)
		}
		return err
	})
	return list, err
}

// AppliedDesired gives what a manifest in force asks for, or ErrNotFound.
func (s *Store) AppliedDesired(ctx context.Context, company, run string) (*bulksync.Desired, error) {
	var content []byte
	err := s.view(ctx, func(tx *bolt.Tx) error {
		content = nil
		if all := getApplied(tx, company); all != nil {
			now, err := inForce(all)
			if err != nil {
				return err
			}
			for _, f := range now {
				if f.Run == run {
					content = getPieces(all.Bucket(f.key).Bucket(keyDesired))
				}
			}
		}
		if len(content) == 0 {
			return fmt.Errorf("what the manifest that run %q of company %q put into force desires: %w", run, company, bulksync.ErrNotFound)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	desired, err := unpackDesired(content)
	if err != nil {
		return nil, fmt.Errorf("applied manifest of company %q: %w", company, err)
	}
	return desired, nil
}

// ForgetApplied takes the manifest of a title out of force, or gives ErrNotFound.
func (s *Store) ForgetApplied(ctx context.Context, company, title string) error {
	return s.update(ctx, func(tx *bolt.Tx) error {
		found := false
		if all := getApplied(tx, company); all != nil {
			list, err := allApplied(all)
			if err != nil {
				return err
			}
			for _, f := range list {
				if f.Title() != title {
					continue
				}
				found = true
				if err := all.DeleteBucket(f.key); err != nil {
					return fmt.Errorf("applied manifest: %w", err)
				}
			}
		}
		if !found {
			return fmt.Errorf("manifest %q in force in company %q: %w", title, company, bulksync.ErrNotFound)
		}
		return nil
	})
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
