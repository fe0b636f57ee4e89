package state

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	jsonv2 "github.com/go-json-experiment/json"
	bolt "go.etcd.io/bbolt"

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
	body, err := packPlan(p.Plan)
	if err != nil {
		return fmt.Errorf("plan %q: %w", p.Name, err)
	}
	return s.update(ctx, func(tx *bolt.Tx) error {
		plans, err := createPlans(tx, p.Plan.Company)
		if err != nil {
			return err
		}
		return putPlan(plans, p.Name, head, body)
	})
}

// headOf is a plan without what makes it long.
func headOf(p *bulksync.StoredPlan) bulksync.StoredPlan {
	head := *p
	head.Plan = &bulksync.Plan{
		Format: p.Plan.Format, Company: p.Plan.Company, Manifest: p.Plan.Manifest, Mode: p.Plan.Mode, Policy: p.Plan.Policy,
	}
	return head
}

func putPlan(plans *bolt.Bucket, name string, head, body []byte) error {
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
	pieces, err := createBucket(plan, keyBody)
	if err != nil {
		return err
	}
	n := uint32(0)
	for piece := range slices.Chunk(body, pieceBytes) {
		if err := pieces.Put(uint32Key(n), piece); err != nil {
			return fmt.Errorf("plan %q: %w", name, err)
		}
		n++
	}
	return nil
}

// packPlan gives a plan's gzipped JSON.
func packPlan(p *bulksync.Plan) ([]byte, error) {
	var out bytes.Buffer
	zw, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(json.NewEncoder(zw).Encode(p), zw.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// unpackPlan is the inverse of packPlan.
func unpackPlan(body io.Reader) (*bulksync.Plan, error) {
	zr, err := gzip.NewReader(body)
	if err != nil {
		return nil, err
	}
	p := new(bulksync.Plan)
	return p, jsonv2.UnmarshalRead(zr, p)
}

// Plan gives a stored plan, or ErrNotFound.
func (s *Store) Plan(ctx context.Context, company, name string) (*bulksync.StoredPlan, error) {
	var p *bulksync.StoredPlan
	var body bytes.Buffer
	err := s.view(ctx, func(tx *bolt.Tx) error {
		plan := getPlan(tx, company, name)
		if plan == nil {
			return fmt.Errorf("plan %q of company %q: %w", name, company, bulksync.ErrNotFound)
		}
		body.Reset()
		var err error
		if p, err = readHead(plan); err != nil {
			return err
		}
		return plan.Bucket(keyBody).ForEach(func(_, piece []byte) error {
			body.Write(piece)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	if p.Plan, err = unpackPlan(&body); err != nil {
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
	return p, nil
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
