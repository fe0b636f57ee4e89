package state

import (
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// format is the version of the bucket tree that this version writes.
const format = 1

// migration is one step from a format to the next. It runs in the transaction that also records the new format.
type migration struct {
	name string
	run  func(*bolt.Tx) error
}

// migrations lists the steps by the format they start from. Format 1 is the first that was ever written; whoever changes
// the tree adds a step here, a fixture of the old format to testdata, and a test that opens it.
func migrations() map[uint32]migration { return nil }

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
