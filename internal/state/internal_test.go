package state

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/rainbow-gateway/rainbow-gateway/internal/state/storetest"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

func openTest(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path, Options{UpstreamURL: "https://openrainbow.example"})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// generations counts a company's generations in the file.
func generations(t *testing.T, s *Store, company string) int {
	t.Helper()
	n := 0
	err := s.db.View(func(tx *bolt.Tx) error {
		return getBucket(tx, keyCompanies, []byte(company), keyGenerations).ForEachBucket(func([]byte) error {
			n++
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// spoolOf gives a spool that holds records.
func spoolOf(t *testing.T, records []bulksync.Record) *spool {
	t.Helper()
	sp := newSpool(t.TempDir())
	t.Cleanup(func() {
		if err := sp.close(); err != nil {
			t.Errorf("spool: %v", err)
		}
	})
	for _, r := range records {
		if err := addRecord(context.Background(), sp, r); err != nil {
			t.Fatal(err)
		}
	}
	return sp
}

func TestCrashBeforeTheSwitchLeavesTheOldState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := openTest(t, path)
	before := storetest.Populate(20)
	storetest.Refresh(t, s, storetest.NewCompany("before"), before)
	if _, err := s.writeGeneration(context.Background(), storetest.Company, spoolOf(t, storetest.Populate(5_000))); err != nil {
		t.Fatalf("writeGeneration: %v", err)
	}
	if n := generations(t, s, storetest.Company); n != 2 {
		t.Fatalf("%d generations before the crash, want 2", n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, path)
	storetest.CheckState(t, s, storetest.NewCompany("before"), before)
	if n := generations(t, s, storetest.Company); n != 1 {
		t.Errorf("%d generations after the next opening, want 1", n)
	}
}

func TestCrashAfterTheSwitchLeavesTheNewState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := openTest(t, path)
	storetest.Refresh(t, s, storetest.NewCompany("before"), storetest.Populate(20))
	ctx, after := context.Background(), storetest.Populate(100)
	name, err := s.writeGeneration(ctx, storetest.Company, spoolOf(t, after))
	if err != nil {
		t.Fatalf("writeGeneration: %v", err)
	}
	r := s.refreshes.begin()
	if _, err := s.switchGeneration(ctx, r, storetest.NewCompany("after"), name); err != nil {
		t.Fatalf("switchGeneration: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, path)
	storetest.CheckState(t, s, storetest.NewCompany("after"), after)
	if n := generations(t, s, storetest.Company); n != 1 {
		t.Errorf("%d generations after the next opening, want 1", n)
	}
}

func TestFailedRewriteLeavesNothing(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "state.db"))
	before := storetest.Populate(20)
	storetest.Refresh(t, s, storetest.NewCompany("before"), before)
	sp := spoolOf(t, storetest.Populate(5_000))
	if err := sp.add([]byte{kindCodes[bulksync.KindLicence], 'z'}, []byte("not a record")); err != nil {
		t.Fatal(err)
	}
	err := s.replace(context.Background(), s.refreshes.begin(), storetest.NewCompany("after"), sp)
	if !errors.Is(err, errBadRecord) {
		t.Errorf("replace = %v, want errBadRecord", err)
	}
	if n := generations(t, s, storetest.Company); n != 1 {
		t.Errorf("%d generations after a failed refresh, want 1", n)
	}
	storetest.CheckState(t, s, storetest.NewCompany("before"), before)
}

func TestOldGenerationGoesWithItsLastSnapshot(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "state.db"))
	before := storetest.Populate(20)
	storetest.Refresh(t, s, storetest.NewCompany("before"), before)
	var open []bulksync.Snapshot
	for range 2 {
		view, err := s.Observed(context.Background(), storetest.Company)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, view)
	}
	storetest.Refresh(t, s, storetest.NewCompany("after"), storetest.Populate(3_000))
	for i, view := range open {
		if n := generations(t, s, storetest.Company); n != 2 {
			t.Errorf("%d generations with %d snapshots open, want 2", n, len(open)-i)
		}
		storetest.CheckView(t, view, bulksync.NewWorld(storetest.NewCompany("before"), before...), before)
		if err := view.Close(); err != nil {
			t.Errorf("snapshot: %v", err)
		}
	}
	if n := generations(t, s, storetest.Company); n != 1 {
		t.Errorf("%d generations when all snapshots are closed, want 1", n)
	}
}

func TestSnapshotTellsOfUnreadableRecords(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "state.db"))
	storetest.Refresh(t, s, storetest.NewCompany(""), storetest.Populate(2))
	damage := func(tx *bolt.Tx) error {
		gen, _ := getGeneration(tx, storetest.Company)
		return gen.getRecords(bulksync.KindUser).Put([]byte(storetest.Login(1)), []byte("sixteen bytes and no JSON"))
	}
	if err := s.update(context.Background(), damage); err != nil {
		t.Fatal(err)
	}
	view, err := s.Observed(context.Background(), storetest.Company)
	if err != nil {
		t.Fatal(err)
	}
	if r := view.Record(storetest.Login(1).Key()); r != nil {
		t.Errorf("an unreadable record was read as %v", r)
	}
	if err := view.Close(); err == nil || !strings.Contains(err.Error(), string(storetest.Login(1))) {
		t.Errorf("Close = %v, want an error that names the record", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a closed snapshot answered")
		}
	}()
	view.Record(storetest.Login(0).Key())
}

func TestStoredHashIsTheEnginesHash(t *testing.T) {
	for _, r := range append(storetest.Populate(2), storetest.FreeDDI(1)) {
		b, err := appendRecord(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := hex.EncodeToString(b[:hashSize]), bulksync.Hash(r); got != want {
			t.Errorf("stored hash of %s = %s, want %s", r.Key(), got, want)
		}
	}
}

func TestKindCodesFollowTheEnginesOrder(t *testing.T) {
	for i, kind := range bulksync.Kinds() {
		if back := kindOf(kindCodes[kind]); back != kind {
			t.Errorf("code %d of kind %q is read as %q", kindCodes[kind], kind, back)
		}
		if got := int(kindCodes[kind]); got != i+1 {
			t.Errorf("code of %s = %d, want %d", kind, got, i+1)
		}
	}
	if len(kindCodes) != len(bulksync.Kinds()) {
		t.Errorf("%d kind codes for %d kinds", len(kindCodes), len(bulksync.Kinds()))
	}
}

func TestSpoolSortsBeyondItsMemory(t *testing.T) {
	for _, limit := range []int{1, 1 << 10, 1 << 20} {
		sp := newSpool(t.TempDir())
		sp.limit = limit
		for round := range 3 {
			for i := range 500 {
				key := fmt.Sprintf("key-%03d", (i*7919+round)%500)
				if err := sp.add([]byte(key), fmt.Appendf(nil, "value-%d", round)); err != nil {
					t.Fatal(err)
				}
			}
		}
		for range 2 {
			n := 0
			for r, err := range sp.sorted() {
				if err != nil {
					t.Fatal(err)
				}
				if want := fmt.Sprintf("key-%03d", n); string(r.key) != want || string(r.value) != "value-2" {
					t.Fatalf("limit %d: row %d is %q, %q; want %q with its last value", limit, n, r.key, r.value, want)
				}
				n++
			}
			if n != 500 {
				t.Errorf("limit %d: %d rows, want 500", limit, n)
			}
		}
		if names, err := os.ReadDir(sp.folder); err != nil || len(names) > 0 {
			t.Errorf("limit %d: the folder shows %v, %v; want nothing", limit, names, err)
		}
		if err := sp.close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
}

func TestMigrationGoesStepByStep(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "state.db"))
	var done []string
	step := func(name string, err error) migration {
		return migration{name, func(tx *bolt.Tx) error {
			done = append(done, name)
			return errors.Join(err, getMeta(tx).Put([]byte(name), []byte("x")))
		}}
	}
	broken := errors.New("broken")
	cases := []struct {
		name   string
		steps  map[uint32]migration
		done   string
		want   error
		format uint32
	}{
		{"two steps", map[uint32]migration{format: step("a", nil), format + 1: step("b", nil)}, "a b", nil, format + 2},
		{"a step is missing", map[uint32]migration{format: step("c", nil)}, "c", ErrFormat, format},
		{"a step fails", map[uint32]migration{format: step("d", nil), format + 1: step("e", broken)}, "d e", broken, format},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			done = nil
			reset := func(tx *bolt.Tx) error { return putFormat(tx, format) }
			err := errors.Join(s.db.Update(reset), s.db.Update(func(tx *bolt.Tx) error {
				return migrate(tx, format, format+2, c.steps)
			}))
			if !errors.Is(err, c.want) || strings.Join(done, " ") != c.done {
				t.Errorf("migrate = %v after steps %v, want %v after %s", err, done, c.want, c.done)
			}
			err = s.db.View(func(tx *bolt.Tx) error {
				if got := getFormat(tx); got != c.format {
					t.Errorf("format = %d, want %d", got, c.format)
				}
				if left := getMeta(tx).Get([]byte("d")); left != nil {
					t.Error("a failed migration left something behind")
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestFilesOfOtherFormatsAreRefused(t *testing.T) {
	cases := []struct {
		name string
		edit func(tx *bolt.Tx) error
		want error
		text string
	}{
		{"newer", func(tx *bolt.Tx) error { return putFormat(tx, format+1) }, ErrFormat, "use the newer gateway"},
		{"not ours", func(tx *bolt.Tx) error { return tx.DeleteBucket(keyMeta) }, ErrNotState, "bbolt file of something else"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			s, err := Open(path, Options{UpstreamURL: "sandbox"})
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(s.db.Update(c.edit), s.Close()); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Open(path, Options{UpstreamURL: "sandbox"}); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("Open = %v, want %v with %q", err, c.want, c.text)
			}
			after, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(before, after) {
				t.Errorf("a refused file was changed (%v)", err)
			}
		})
	}
}

// FuzzUnpackPlan reads stored plans: what is read is packed and read back as the same plan.
func FuzzUnpackPlan(f *testing.F) {
	for _, p := range []*bulksync.Plan{{}, {Format: bulksync.PlanFormat, Company: "c1", Operations: []bulksync.Operation{{ID: 1, Action: bulksync.ActionDelete, Key: bulksync.Key{Kind: bulksync.KindUser, ID: "ann@x.example"}}}}} {
		b, err := packPlan(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)/2])
	}
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		plan, err := unpackPlan(b)
		if err != nil {
			return
		}
		packed, err := packPlan(plan)
		if err != nil {
			return // a document may leave out what a plan has
		}
		again, err := unpackPlan(packed)
		if err == nil && again.Hash() != plan.Hash() {
			t.Errorf("packed and read again, the plan with hash %s has %s", plan.Hash(), again.Hash())
		}
	})
}

func FuzzSplitRecord(f *testing.F) {
	for _, r := range storetest.Populate(1) {
		b, err := appendRecord(nil, r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(bytes.Repeat([]byte{0xff}, 40))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		stored, err := splitRecord(b)
		if err == nil && len(stored.hash)+len(stored.holder)+len(stored.json) > len(b) {
			t.Errorf("parts of %x are longer than the whole", b)
		}
		for _, kind := range bulksync.Kinds() {
			if r, err := decodeRecord(kind, b); err == nil && r == nil {
				t.Errorf("no record and no error for %x", b)
			}
		}
	})
}

func TestEveryKindHasACodeAndEveryCodeItsKind(t *testing.T) {
	for _, kind := range bulksync.Kinds() {
		if code, ok := kindCodes[kind]; !ok || kindOf(code) != kind {
			t.Errorf("kind %s has code %d (%v), which stands for %q", kind, code, ok, kindOf(code))
		}
	}
}
