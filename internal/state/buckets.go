package state

import (
	"encoding/binary"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// The bucket tree. Names in <> vary; → leads to a value; numbers are big endian, so that they sort.
//
//	meta
//	├── format → version of this tree, uint32
//	├── upstream → URL that the file is bound to
//	└── created → RFC 3339, UTC
//	companies
//	└── <company id>
//	    ├── generation → name of the current generation; absent until the first refresh
//	    ├── generations
//	    │   └── <uint64>             one whole recorded state; old ones serve open snapshots
//	    │       ├── company → Company as JSON
//	    │       ├── records
//	    │       │   └── <kind>       user, extension, device, ddi, licence, options, keys, settings, release
//	    │       │       └── <id> → content hash, holder, JSON (record.go)
//	    │       └── held             what each user holds: an index over records
//	    │           └── <login> 00 <kind code> <id> → nothing
//	    ├── plans
//	    │   └── <name>
//	    │       ├── head → StoredPlan without operations, as JSON
//	    │       ├── body
//	    │       │   └── <uint32> → piece of the Plan as gzipped JSON
//	    │       ├── desired          what the manifest asks for; not of every plan
//	    │       │   └── <uint32> → piece of the Desired as gzipped JSON
//	    │       ├── approvals
//	    │       │   └── <uint64> → Approval as JSON
//	    │       └── withdrawals      approvals taken back
//	    │           └── <uint64> → Withdrawal as JSON
//	    ├── runs
//	    │   └── <name> → Run without outcomes, as JSON
//	    ├── outcomes                 of runs that have ended
//	    │   └── <run>
//	    │       └── <uint32> → piece of the outcomes as gzipped JSON
//	    ├── journal
//	    │   └── <run>
//	    │       └── <uint64 number> → JournalEntry as JSON (entry.go)
//	    ├── traces                   what each run changed
//	    │   └── <run>
//	    │       └── <kind code> <id> → record before and after (traces.go)
//	    ├── pending                  changes of the recorded state that are to be worked into it (pending.go)
//	    │   └── <uint64> → a change with its run
//	    ├── applied                  manifests put into force, the last few of each title; the highest of a title that is not undone is in force
//	    │   └── <uint64>
//	    │       ├── head → Applied as JSON
//	    │       └── desired
//	    │           └── <uint32> → piece of the Desired as gzipped JSON
//	    └── drift
//	        └── <uint32> → piece of the last Drift as gzipped JSON
//
// A refresh that changes much writes a new generation in several transactions and makes it the current one in the last,
// so that the old state stands until then (refresh.go). Generations left by a crash are removed when the file is opened.
var (
	keyMeta     = []byte("meta")
	keyFormat   = []byte("format")
	keyUpstream = []byte("upstream")
	keyCreated  = []byte("created")

	keyCompanies   = []byte("companies")
	keyGeneration  = []byte("generation")
	keyGenerations = []byte("generations")
	keyCompany     = []byte("company")
	keyRecords     = []byte("records")
	keyHeld        = []byte("held")

	keyPlans = []byte("plans")
	keyHead  = []byte("head")
	keyBody  = []byte("body")

	keyDesired   = []byte("desired")
	keyApprovals = []byte("approvals")
	keyWithdrawn = []byte("withdrawals")

	keyRuns     = []byte("runs")
	keyOutcomes = []byte("outcomes")
	keyJournal  = []byte("journal")
	keyTraces   = []byte("traces")
	keyApplied  = []byte("applied")
	keyDrift    = []byte("drift")
	keyPending  = []byte("pending")
)

// kindCodes stand for the kinds in the keys of held, in display order; they must never change their meaning.
var kindCodes = map[bulksync.Kind]byte{
	bulksync.KindUser:      1,
	bulksync.KindExtension: 2,
	bulksync.KindDevice:    3,
	bulksync.KindDDI:       4,
	bulksync.KindLicence:   5,
	bulksync.KindOptions:   6,
	bulksync.KindKeys:      7,
	bulksync.KindSettings:  8,
	bulksync.KindRelease:   9,
}

// kindOf is the inverse of kindCodes; empty for an unknown code. It is asked of every thing that a user holds.
func kindOf(code byte) bulksync.Kind {
	switch code {
	case 1:
		return bulksync.KindUser
	case 2:
		return bulksync.KindExtension
	case 3:
		return bulksync.KindDevice
	case 4:
		return bulksync.KindDDI
	case 5:
		return bulksync.KindLicence
	case 6:
		return bulksync.KindOptions
	case 7:
		return bulksync.KindKeys
	case 8:
		return bulksync.KindSettings
	case 9:
		return bulksync.KindRelease
	}
	return ""
}

// bucketParent is what holds buckets: a transaction or a bucket.
type bucketParent interface {
	Bucket(name []byte) *bolt.Bucket
	CreateBucketIfNotExists(name []byte) (*bolt.Bucket, error)
}

// getBucket walks down a path of buckets; nil when one of them is absent.
func getBucket(parent bucketParent, path ...[]byte) *bolt.Bucket {
	var b *bolt.Bucket
	for _, name := range path {
		if b = parent.Bucket(name); b == nil {
			return nil
		}
		parent = b
	}
	return b
}

// createBucket walks down a path of buckets and creates those that are absent.
func createBucket(parent bucketParent, path ...[]byte) (*bolt.Bucket, error) {
	var b *bolt.Bucket
	for _, name := range path {
		var err error
		if b, err = parent.CreateBucketIfNotExists(name); err != nil {
			return nil, fmt.Errorf("bucket %q: %w", name, err)
		}
		parent = b
	}
	return b, nil
}

func getMeta(tx *bolt.Tx) *bolt.Bucket { return tx.Bucket(keyMeta) }

func getCompanies(tx *bolt.Tx) *bolt.Bucket { return tx.Bucket(keyCompanies) }

func getCompany(tx *bolt.Tx, company string) *bolt.Bucket {
	return getBucket(tx, keyCompanies, []byte(company))
}

func getPlans(tx *bolt.Tx, company string) *bolt.Bucket {
	return getBucket(tx, keyCompanies, []byte(company), keyPlans)
}

func createPlans(tx *bolt.Tx, company string) (*bolt.Bucket, error) {
	return createBucket(tx, keyCompanies, []byte(company), keyPlans)
}

func getRuns(tx *bolt.Tx, company string) *bolt.Bucket {
	return getBucket(tx, keyCompanies, []byte(company), keyRuns)
}

func createRuns(tx *bolt.Tx, company string) (*bolt.Bucket, error) {
	return createBucket(tx, keyCompanies, []byte(company), keyRuns)
}

func getJournal(tx *bolt.Tx, company, run string) *bolt.Bucket {
	return getBucket(tx, keyCompanies, []byte(company), keyJournal, []byte(run))
}

func createJournal(tx *bolt.Tx, company, run string) (*bolt.Bucket, error) {
	return createBucket(tx, keyCompanies, []byte(company), keyJournal, []byte(run))
}

func getOutcomes(tx *bolt.Tx, company, run string) *bolt.Bucket {
	return getBucket(tx, keyCompanies, []byte(company), keyOutcomes, []byte(run))
}

func createAllOutcomes(tx *bolt.Tx, company string) (*bolt.Bucket, error) {
	return createBucket(tx, keyCompanies, []byte(company), keyOutcomes)
}

func getTraces(tx *bolt.Tx, company, run string) *bolt.Bucket {
	return getBucket(tx, keyCompanies, []byte(company), keyTraces, []byte(run))
}

func createTraces(tx *bolt.Tx, company, run string) (*bolt.Bucket, error) {
	return createBucket(tx, keyCompanies, []byte(company), keyTraces, []byte(run))
}

func getApplied(tx *bolt.Tx, company string) *bolt.Bucket {
	return getBucket(tx, keyCompanies, []byte(company), keyApplied)
}

func createApplied(tx *bolt.Tx, company string) (*bolt.Bucket, error) {
	return createBucket(tx, keyCompanies, []byte(company), keyApplied)
}

// checkNames refuses names that cannot be keys: empty ones, and ones longer than bbolt takes.
func checkNames(what string, names ...string) error {
	for _, name := range names {
		if err := checkName(name); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	return nil
}

func checkName(name string) error {
	if name == "" {
		return errors.New("a name is empty")
	}
	if len(name) > bolt.MaxKeySize {
		return fmt.Errorf("a name of %d bytes is too long: want at most %d", len(name), bolt.MaxKeySize)
	}
	return nil
}

func uint64Key(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func uint32Key(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
