package state

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	jsonv2 "github.com/go-json-experiment/json"
	bolt "go.etcd.io/bbolt"
	"golang.org/x/sync/errgroup"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// pieceBytes is the size of the pieces that a plan's body is cut into: bbolt wants room in one stretch for each value.
const pieceBytes = 256 << 10

// CreatePlan stores a plan; a name that is taken gives ErrConflict.
func (s *Store) CreatePlan(ctx context.Context, p *bulksync.StoredPlan) error {
	if p.Plan == nil {
		return fmt.Errorf("plan %q: it is empty", p.Name)
	}
	if err := checkNames("plan", p.Plan.Company, p.Name); err != nil {
		return err
	}
	head, err := json.Marshal(headOf(p))
	if err != nil {
		return fmt.Errorf("plan %q: %w", p.Name, err)
	}
	var body, desired []byte
	var packing errgroup.Group // what a large manifest desires takes as long as its plan
	packing.Go(func() (err error) {
		body, err = packPlan(p.Plan)
		return err
	})
	if p.Desired != nil {
		packing.Go(func() (err error) {
			desired, err = packDesired(p.Desired)
			return err
		})
	}
	if err := packing.Wait(); err != nil {
		return fmt.Errorf("plan %q: %w", p.Name, err)
	}
	return s.update(ctx, func(tx *bolt.Tx) error {
		plans, err := createPlans(tx, p.Plan.Company)
		if err != nil {
			return err
		}
		return putPlan(plans, p.Name, head, map[string][]byte{string(keyBody): body, string(keyDesired): desired})
	})
}

// headOf is a plan without what makes it long.
func headOf(p *bulksync.StoredPlan) bulksync.StoredPlan {
	head := *p
	head.Plan = &bulksync.Plan{
		Format: p.Plan.Format, Company: p.Plan.Company, Manifest: p.Plan.Manifest, Mode: p.Plan.Mode, Policy: p.Plan.Policy, Undoes: p.Plan.Undoes,
	}
	return head
}

// putPlan stores a plan; those of its parts that it has not are left out.
func putPlan(plans *bolt.Bucket, name string, head []byte, parts map[string][]byte) error {
	if plans.Bucket([]byte(name)) != nil {
		return fmt.Errorf("plan %q: %w", name, bulksync.ErrConflict)
	}
	plan, err := plans.CreateBucket([]byte(name))
	if err != nil {
		return fmt.Errorf("plan %q: %w", name, err)
	}
	if err := plan.Put(keyHead, head); err != nil {
		return err
	}
	for _, key := range [][]byte{keyBody, keyDesired} {
		content := parts[string(key)]
		if content == nil {
			continue
		}
		pieces, err := createBucket(plan, key)
		if err != nil {
			return err
		}
		if err := putPieces(pieces, content); err != nil {
			return fmt.Errorf("plan %q: %w", name, err)
		}
	}
	return nil
}

// Plan gives a stored plan, or ErrNotFound.
func (s *Store) Plan(ctx context.Context, company, name string) (*bulksync.StoredPlan, error) {
	var p *bulksync.StoredPlan
	var body []byte
	err := s.view(ctx, func(tx *bolt.Tx) error {
		plan := getPlan(tx, company, name)
		if plan == nil {
			return fmt.Errorf("plan %q of company %q: %w", name, company, bulksync.ErrNotFound)
		}
		body = getPieces(plan.Bucket(keyBody))
		var err error
		p, err = readHead(plan)
		return err
	})
	if err != nil {
		return nil, err
	}
	if p.Plan, err = unpackPlan(body); err != nil {
		return nil, fmt.Errorf("stored plan %q of company %q: %w", name, company, err)
	}
	return p, nil
}

func getPlan(tx *bolt.Tx, company, name string) *bolt.Bucket {
	plans := getPlans(tx, company)
	if plans == nil {
		return nil
	}
	return plans.Bucket([]byte(name))
}

func readHead(plan *bolt.Bucket) (*bulksync.StoredPlan, error) {
	p := new(bulksync.StoredPlan)
	if err := jsonv2.Unmarshal(plan.Get(keyHead), p); err != nil {
		return nil, fmt.Errorf("stored plan: %w", err)
	}
	var err error
	if p.Approvals, err = readAll[bulksync.Approval](plan.Bucket(keyApprovals)); err != nil {
		return nil, fmt.Errorf("stored approval: %w", err)
	}
	if p.Withdrawals, err = readAll[bulksync.Withdrawal](plan.Bucket(keyWithdrawn)); err != nil {
		return nil, fmt.Errorf("stored withdrawal: %w", err)
	}
	return p, nil
}

// readAll reads all values of a bucket, in the order of their keys; none without a bucket.
func readAll[T any](b *bolt.Bucket) (all []T, err error) {
	if b == nil {
		return nil, nil
	}
	err = b.ForEach(func(_, doc []byte) error {
		var v T
		if err := jsonv2.Unmarshal(doc, &v); err != nil {
			return err
		}
		all = append(all, v)
		return nil
	})
	return all, err
}

// putNext stores a value in a plan's bucket behind those that are there.
func putNext(plan *bolt.Bucket, key []byte, v any) error {
	doc, err := json.Marshal(v)
	if err != nil {
		return err
	}
	b, err := createBucket(plan, key)
	if err != nil {
		return err
	}
	n, err := b.NextSequence()
	if err != nil {
		return err
	}
	return b.Put(uint64Key(n), doc)
}

// PlanDesired gives what a plan's manifest desires, or ErrNotFound.
func (s *Store) PlanDesired(ctx context.Context, company, name string) (*bulksync.Desired, error) {
	var content []byte
	err := s.view(ctx, func(tx *bolt.Tx) error {
		if plan := getPlan(tx, company, name); plan != nil {
			content = getPieces(plan.Bucket(keyDesired))
		}
		if content == nil {
			return fmt.Errorf("what plan %q of company %q desires: %w", name, company, bulksync.ErrNotFound)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	desired, err := unpackDesired(content)
	if err != nil {
		return nil, fmt.Errorf("what plan %q of company %q desires: %w", name, company, err)
	}
	return desired, nil
}

// ApprovePlan adds an approval to a plan, or gives ErrNotFound.
func (s *Store) ApprovePlan(ctx context.Context, company, name string, a bulksync.Approval) error {
	return s.update(ctx, func(tx *bolt.Tx) error {
		plan := getPlan(tx, company, name)
		if plan == nil {
			return fmt.Errorf("plan %q of company %q: %w", name, company, bulksync.ErrNotFound)
		}
		if err := putNext(plan, keyApprovals, a); err != nil {
			return fmt.Errorf("approval of plan %q: %w", name, err)
		}
		return nil
	})
}

// WithdrawApprovals takes back approvals of a plan, or gives ErrNotFound when there is no such plan. They leave the bucket of
// those that count, so that an older gateway at the same file does not count them either.
func (s *Store) WithdrawApprovals(ctx context.Context, company, name string, which func(bulksync.Approval) bool, w bulksync.Withdrawal) (count int, err error) {
	err = s.update(ctx, func(tx *bolt.Tx) error {
		count = 0 // a transaction may be tried again
		plan := getPlan(tx, company, name)
		if plan == nil {
			return fmt.Errorf("plan %q of company %q: %w", name, company, bulksync.ErrNotFound)
		}
		approvals := plan.Bucket(keyApprovals)
		if approvals == nil {
			return nil
		}
		var keys [][]byte // a bucket is not changed while it is walked
		var taken []bulksync.Approval
		err := approvals.ForEach(func(key, doc []byte) error {
			var a bulksync.Approval
			err := jsonv2.Unmarshal(doc, &a)
			if err == nil && which(a) {
				keys, taken = append(keys, bytes.Clone(key)), append(taken, a)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("stored approval: %w", err)
		}
		for i, key := range keys {
			w.Approval = taken[i]
			if err := errors.Join(approvals.Delete(key), putNext(plan, keyWithdrawn, w)); err != nil {
				return fmt.Errorf("approval of plan %q: %w", name, err)
			}
			count++
		}
		return nil
	})
	return count, err
}

// Plans lists a company's plans, newest first. Of each plan's content it gives format, company, manifest, mode and
// policy: reading the list does not read the operations.
func (s *Store) Plans(ctx context.Context, company string) ([]*bulksync.StoredPlan, error) {
	var list []*bulksync.StoredPlan
	err := s.view(ctx, func(tx *bolt.Tx) error {
		plans := getPlans(tx, company)
		if plans == nil {
			return nil
		}
		return plans.ForEachBucket(func(name []byte) error {
			p, err := readHead(plans.Bucket(name))
			list = append(list, p)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b *bulksync.StoredPlan) int {
		return cmp.Or(b.CreateTime.Compare(a.CreateTime), cmp.Compare(b.Name, a.Name))
	})
	return list, nil
}

// DeletePlan removes a plan, or gives ErrNotFound.
func (s *Store) DeletePlan(ctx context.Context, company, name string) error {
	return s.update(ctx, func(tx *bolt.Tx) error {
		if getPlan(tx, company, name) == nil {
			return fmt.Errorf("plan %q of company %q: %w", name, company, bulksync.ErrNotFound)
		}
		return getPlans(tx, company).DeleteBucket([]byte(name))
	})
}
