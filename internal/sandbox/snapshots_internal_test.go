package sandbox

import (
	"encoding/json"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// settled waits for the end of all imports.
func settled(t *testing.T, s *Sandbox) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); s.imports.next() != nil; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("imports do not end")
		}
	}
}

// frozen copies lookups, which share their maps with the living world.
func frozen(t *testing.T, lookups map[string]any) string {
	t.Helper()
	raw, err := json.MarshalIndent(lookups, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestARestoredWorldIsTheOneOfTheSnapshot takes a picture between two random
// walks: a document that the second walk changed in place would show, and so
// would a lookup that was not rebuilt.
func TestARestoredWorldIsTheOneOfTheSnapshot(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		file := filepath.Join(t.TempDir(), "world.jsonl")
		s, err := New(Options{SeedUsers: 8, DataFile: file})
		if err != nil {
			t.Fatal(err)
		}
		k := &walker{t: t, handler: s.Handler(), dice: rand.New(rand.NewPCG(seed, 2))}
		k.login()
		for range 250 {
			k.step()
		}
		settled(t, s)
		before, lookupsBefore := documents(t, s.store.world), frozen(t, lookups(s.store.world))
		if _, err := s.Snapshot("between"); err != nil {
			t.Fatal(err)
		}
		for range 250 {
			k.step()
		}
		settled(t, s)
		if cmp.Equal(before, documents(t, s.store.world)) {
			t.Fatal("the second walk changed nothing")
		}
		if err := s.Restore("between"); err != nil {
			t.Fatal(err)
		}
		kept, _, err := loadWorld(file)
		if err != nil {
			t.Fatal(err)
		}
		for what, w := range map[string]*world{"restored": s.store.world, "kept": kept} {
			if diff := cmp.Diff(before, documents(t, w)); diff != "" {
				t.Errorf("seed %d: the %s documents differ:\n%s", seed, what, diff)
			}
			if diff := cmp.Diff(lookupsBefore, frozen(t, lookups(w))); diff != "" {
				t.Errorf("seed %d: the %s lookups differ:\n%s", seed, what, diff)
			}
			checkInvariants(t, w)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestTheSameSeedIsTheSameWorld compares whole worlds byte for byte, and what
// a reset brings back.
func TestTheSameSeedIsTheSameWorld(t *testing.T) {
	t.Parallel()
	for _, users := range []int{0, 20, 12_000} {
		key := []byte("the key of tokens is drawn anew")
		first, second := seedWorld(users, key), seedWorld(users, key)
		if diff := cmp.Diff(documents(t, first), documents(t, second)); diff != "" {
			t.Errorf("%d users: two worlds of a seed differ:\n%s", users, diff)
		}
		if diff := cmp.Diff(lookups(first), lookups(second)); diff != "" {
			t.Errorf("%d users: lookups of two worlds of a seed differ:\n%s", users, diff)
		}
	}
}

// TestTheSameCallsMakeTheSameWorld walks two sandboxes of one seed with the
// same dice and the same clock.
func TestTheSameCallsMakeTheSameWorld(t *testing.T) {
	t.Parallel()
	walk := func() map[string]string {
		at := time.Date(2025, 3, 4, 5, 6, 7, 0, time.UTC)
		s, err := New(Options{SeedUsers: 8, Clock: func() time.Time { return at }})
		if err != nil {
			t.Fatal(err)
		}
		k := &walker{t: t, handler: s.Handler(), dice: rand.New(rand.NewPCG(7, 7))}
		k.login()
		for range 200 {
			k.step()
			settled(t, s)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		all := documents(t, s.store.world)
		delete(all, "meta/"+metaID) // holds the key of the tokens
		return all
	}
	if diff := cmp.Diff(walk(), walk()); diff != "" {
		t.Errorf("the same calls left different worlds:\n%s", diff)
	}
}
