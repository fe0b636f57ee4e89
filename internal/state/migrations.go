package state

import (
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// format is the version of the bucket tree that this version writes.
const format = 3

// migration is one step from a format to the next. It runs in the transaction that also records the new format.
type migration struct {
	name string
	run  func(*bolt.Tx) error
}

// migrations lists the steps by the format they start from. Format 1 is the first that was ever written; whoever changes
// the tree adds a step here, a fixture of the old format to testdata, and a test that opens it.
func migrations() map[uint32]migration {
	return map[uint32]migration{
		1: {"outcomes apart from runs", splitRuns},
		2: {"changes wait", func(*bolt.Tx) error { return nil }}, // an earlier version would not see those that do
	}
}

// splitRuns moves the outcomes out of the runs, so that a list of runs need not read them.
func splitRuns(tx *bolt.Tx) error {
	companies := getCompanies(tx)
	if companies == nil {
		return nil
	}
	return companies.ForEachBucket(func(company []byte) error {
		runs := getRuns(tx, string(company))
		if runs == nil {
			return nil
		}
		var all []*bulksync.Run // a bucket is not changed while it is walked
		err := runs.ForEach(func(_, b []byte) error {
			r := new(bulksync.Run)
			all = append(all, r)
			return readRun(b, r)
		})
		if err != nil {
			return err
		}
		for _, r := range all {
			if err := splitRun(tx, runs, string(company), r); err != nil {
				return fmt.Errorf("run %q: %w", r.Name, err)
			}
		}
		return nil
	})
}

func splitRun(tx *bolt.Tx, runs *bolt.Bucket, company string, r *bulksync.Run) error {
	head, outcomes, err := packRun(r)
	if err != nil {
		return err
	}
	if err := runs.Put([]byte(r.Name), head); err != nil {
		return err
	}
	return putOutcomes(tx, company, r.Name, outcomes)
}

// migrate carries a tree from one format to another by the steps, all in one transaction.
func migrate(tx *bolt.Tx, from, to uint32, steps map[uint32]migration) error {
	for at := from; at < to; at++ {
		step, ok := steps[at]
		if !ok {
			return fmt.Errorf("%w: no step leads from format %d to %d", ErrFormat, at, at+1)
		}
		if err := step.run(tx); err != nil {
			return fmt.Errorf("migration %q from format %d: %w", step.name, at, err)
		}
	}
	return putFormat(tx, to)
}

// getFormat gives the format of a tree; 0 when there is none.
func getFormat(tx *bolt.Tx) uint32 {
	meta := getMeta(tx)
	if meta == nil {
		return 0
	}
	b := meta.Get(keyFormat)
	if len(b) != 4 {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}

func putFormat(tx *bolt.Tx, version uint32) error {
	meta, err := createBucket(tx, keyMeta)
	if err != nil {
		return err
	}
	return meta.Put(keyFormat, uint32Key(version))
}
